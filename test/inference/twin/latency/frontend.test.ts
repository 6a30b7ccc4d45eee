import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../../src/clock.ts";
import { BosunError } from "../../../../src/error.ts";
import type { GenerateRequest } from "../../../../src/inference/twin/generate.ts";
import {
  createServedReplica,
  type FrontendOptions,
} from "../../../../src/inference/twin/latency/frontend.ts";
import { constantStepCost } from "../../../../src/inference/twin/step-cost.ts";

const NEVER = new AbortController().signal;
const CONFIG = { numGpuBlocks: 1_000, maxModelLen: 4_096 };

function requestOf(id: string, outputTokens: number): GenerateRequest {
  return {
    id,
    promptIds: Int32Array.of(1, 2, 3),
    outputIds: new Int32Array(outputTokens),
    finish: "length",
    priority: 0,
    cacheSalt: id,
    lora: undefined,
  };
}

function setUp(frontend: FrontendOptions) {
  const clock = createVirtualClock();
  const replica = { config: CONFIG, stepCost: constantStepCost(10), clock };
  const served = createServedReplica(replica, frontend);
  const firstTokenAt = async (id: string, outputTokens: number): Promise<number | undefined> => {
    let firstAtMs: number | undefined;
    for await (const event of served.generate(requestOf(id, outputTokens), NEVER))
      if (event.type === "tokens") firstAtMs ??= event.times[0];
    return firstAtMs;
  };
  return { clock, served, firstTokenAt };
}

describe("a replica behind a frontend", () => {
  it("takes the frontend's time and one step when it is idle", async () => {
    const { firstTokenAt } = setUp({ frontendMs: 5 });

    expect(await firstTokenAt("a", 4)).toBe(15);
  });

  it("lets a request that meets a running step wait for it and for the one that is scheduled already", async () => {
    const { clock, firstTokenAt } = setUp({ frontendMs: 5 });
    const first = firstTokenAt("a", 100); // steps end at 15, 25, 35, …
    await clock.sleep(40, NEVER);

    // At 45.5 the step until 55 runs and the one until 65 is scheduled: its own ends at 75.
    await clock.sleep(0.5, NEVER);
    expect(await firstTokenAt("b", 4)).toBe(75);
    await first;
  });

  it("waits only for the running step when nothing is scheduled ahead", async () => {
    const { clock, firstTokenAt } = setUp({ frontendMs: 5, isAsync: false });
    const first = firstTokenAt("a", 100);
    await clock.sleep(40.5, NEVER);

    expect(await firstTokenAt("b", 4)).toBe(65);
    await first;
  });

  it("throws the caller's reason when it aborts before the engine has the request", async () => {
    const { clock, served } = setUp({ frontendMs: 1_000 });
    const caller = new AbortController();
    const asked = served.generate(requestOf("a", 4), caller.signal).next();
    await clock.sleep(1, NEVER);
    caller.abort(new BosunError("model/cancelled", "enough"));

    await expect(asked).rejects.toThrow(expect.objectContaining({ code: "model/cancelled" }));
    expect(served.replica.stats().numRequestsRunning).toBe(0);
  });
});
