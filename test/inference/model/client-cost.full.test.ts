import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { endpoint } from "../../../src/inference/model/endpoint.ts";
import { createPool } from "../../../src/inference/pool/pool.ts";
import {
  chunk,
  CUT,
  errorReply,
  head,
  RESET,
  sse,
  STALL,
  textReply,
  type WireReply,
  write,
} from "../../../src/test/wire-reply.ts";
import { ask, bench, benchOf, errorOf, eventsOf, modelAt, NEVER } from "./endpoint-bench.ts";

const ROLE = write(chunk({ role: "assistant", content: "" }));

describe("a call that ends before its first token", () => {
  it.each<[string, WireReply]>([
    ["reset before its headers", [RESET]],
    ["closed before its headers", [CUT]],
    ["cut after its role", [head(), ROLE, CUT]],
    ["timed out", [head(), ROLE, STALL]],
    ["failed inside its stream", [head(), write(sse({ error: { message: "dead", code: 500 } }))]],
  ])("has its prompt counted once it was sent: %s", async (_what, reply) => {
    const { model } = await benchOf(reply, { timeouts: { firstTokenMs: 100 } });

    const error = await errorOf(model);

    expect(error.retryable).toBe(true);
    expect(error.details?.["usage"]).toMatchObject({
      source: "estimated",
      input: { total: 7 },
      output: { total: 0 },
    });
  });

  it.each([400, 429, 503])("costs nothing when it was refused: %d", async (status) => {
    const { model } = await bench([errorReply(status, "no")]);

    expect((await errorOf(model)).details).not.toHaveProperty("usage");
  });

  it("costs nothing when it got no connection", async () => {
    const { server } = await bench([]);
    await server.close();

    expect((await errorOf(modelAt(server.url))).details).not.toHaveProperty("usage");
  });

  it("costs nothing when it was aborted before it was sent", async () => {
    const { model } = await bench([]);

    const error = await errorOf(model, ask(), AbortSignal.abort());

    expect(error.details ?? {}).not.toHaveProperty("usage");
  });

  it("is counted by a pool that repeats it", async () => {
    const { server } = await bench([[RESET], textReply("hi")]);
    const model = endpoint({ url: server.url, model: "test-model", dialect: "vllm" });
    const pool = createPool({
      clock: systemClock,
      env: {},
      resolve: () => model,
      retry: { baseMs: 0, capMs: 0 },
    });

    const events = await eventsOf(pool, ask({ models: [model] }), NEVER);
    pool.close();

    expect(events.find(({ type }) => type === "retry")).toMatchObject({
      usage: { source: "estimated", output: { total: 0 } },
    });
  });
});
