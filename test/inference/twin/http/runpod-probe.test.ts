import { describe, expect, it } from "vitest";
import { createHttpProbe } from "../../../../src/inference/pool/http-probe.ts";
import { createTwinServer } from "../../../../src/inference/twin/http/server.ts";
import { serverlessTwin } from "../serverless/crew-burst.ts";

const NEVER = new AbortController().signal;

describe("a pool that knows a serverless twin by HTTP alone", () => {
  it("finds it asleep, wakes it by a request, and sees it awake and asleep again", async () => {
    const { twin, clock, scaling } = await serverlessTwin({ workersMax: 2, idleTimeout: 5 });
    const app = createTwinServer(twin);
    const read = async (path: string) => {
      const answer = await app.request(`/v2/abc${path}`);
      const contentType = answer.headers.get("content-type") ?? "";
      return { status: answer.status, contentType, body: await answer.text() };
    };
    const facts = { models: [], dialect: "runpod", maxModelLen: undefined } as const;
    const probe = createHttpProbe({ model: { read, facts: async () => facts }, clock });
    const health = [await probe.health(NEVER)];

    const woken = probe.wake(NEVER);
    await clock.sleep(1_000, NEVER);
    const waiting = await probe.gauges(NEVER);
    await woken;
    health.push(await probe.health(NEVER));
    await clock.sleep(10_000, NEVER);
    health.push(await probe.health(NEVER));

    expect(health).toEqual(["asleep", "awake", "asleep"]);
    expect(waiting).toMatchObject({ running: 0, waiting: 1 });
    expect(scaling.starts()).toHaveLength(1);
  });
});
