import { describe, expect, it } from "vitest";
import { createBosun } from "../../../src/bosun.ts";
import { crew } from "../../../src/crew.ts";
import { detailOf } from "../../../src/error.ts";
import { endpoint } from "../../../src/inference/model/endpoint.ts";
import { startFaultServer } from "../../../src/test/fault-server.ts";
import { CUT, head, textReply, type WireStep } from "../../../src/test/wire-reply.ts";
import { eventsOf, job, only } from "../../orchestration/run/scenario.ts";
import { serveGateway } from "./served-gateway.ts";

/** The connection ends before a word: the prompt was sent, and a server computes it. */
const LOST: readonly WireStep[] = [head(), CUT];

/** A crew of one task on a gateway before a server that answers so. */
async function runBehind(replies: readonly (readonly WireStep[])[]) {
  await using server = await startFaultServer({ replies });
  await using gateway = await serveGateway({
    large: { model: "test-model", endpoints: [{ url: server.url }] },
  });
  const model = endpoint({ url: gateway.url, model: "large", gateway: true });
  const bosun = createBosun({ data: false, env: {}, model, retry: { baseMs: 1, capMs: 2 } });
  const ran = await eventsOf(crew({ name: "c", tasks: [job("a")], bosun }).stream());
  await bosun.close();
  return { ...ran, sent: server.calls.length };
}

describe("attempts that a gateway has repeated", () => {
  it("stand in the worker's run with what each used", async () => {
    const { events, error, sent } = await runBehind([LOST, LOST, textReply("Twelve.")]);

    const retries = only(events, "model-retry");
    const [end] = only(events, "model-end");
    expect(error).toBeUndefined();
    expect(sent).toBe(3);
    expect(retries).toHaveLength(2);
    for (const { usage, message } of retries) {
      expect(usage?.input.total).toBeGreaterThan(0);
      expect(usage?.source).toBe("estimated");
      expect(message).toBe("the gateway has repeated it");
    }
    expect(end).toMatchObject({ status: "done" });
    expect(JSON.stringify(end)).not.toContain("bosun_failed");
  });

  it("add up in the error of a call that none of them answered", async () => {
    const { events, error, sent } = await runBehind([LOST, LOST, LOST, LOST]);

    const [end] = only(events, "model-end");
    const usage = end && "usage" in end ? end.usage : undefined;
    expect(sent).toBe(4);
    expect(detailOf(error, "isFinal")).toBe(true);
    expect(end?.status).toBe("failed");
    expect((usage?.input.total ?? 0) % 4).toBe(0);
    expect(usage?.input.total).toBeGreaterThan(40);
  });

  it("are none where the first one answered", async () => {
    const { events } = await runBehind([textReply("Twelve.")]);

    expect(only(events, "model-retry")).toEqual([]);
  });
});
