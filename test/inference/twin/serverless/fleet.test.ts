import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../../src/clock.ts";
import { requireGpu } from "../../../../src/inference/fleet/gpu-catalogue.ts";
import { requireModel } from "../../../../src/inference/fleet/model-catalogue.ts";
import { toWeightBytes } from "../../../../src/inference/fleet/weights.ts";
import { createServedReplica } from "../../../../src/inference/twin/latency/frontend.ts";
import { createRoofline } from "../../../../src/inference/twin/latency/roofline.ts";
import { createRandom, drawExponential } from "../../../../src/inference/twin/random.ts";
import { findWorkerPrice } from "../../../../src/inference/twin/serverless/bill.ts";
import { vllmColdStart } from "../../../../src/inference/twin/serverless/cold-start.ts";
import { ServerlessEndpoint } from "../../../../src/inference/twin/serverless/endpoint.ts";
import type { EndpointSettings } from "../../../../src/inference/twin/serverless/settings.ts";

const NEVER = new AbortController().signal;
const HOUR_MS = 3_600_000;

/** An hour of requests of 2,000 tokens in and 500 out, for Qwen3-8B in fp8 on L40S. */
async function runHour(requestsPerHour: number, settings: EndpointSettings) {
  const clock = createVirtualClock();
  const { model } = requireModel("Qwen/Qwen3-8B");
  const shared = { shape: model, quantization: "fp8", kvDtype: "bf16" } as const;
  const price = findWorkerPrice("L40S");
  if (!price) throw new Error("the catalogue has prices of the L40S");
  const endpoint = new ServerlessEndpoint({
    clock,
    seed: 1,
    price,
    settings,
    coldStart: vllmColdStart({ weightBytes: toWeightBytes(model, "fp8") }),
    launch: () =>
      createServedReplica({
        config: { numGpuBlocks: 12_000, maxModelLen: 8_192 },
        stepCost: createRoofline({ ...shared, gpu: requireGpu("L40S") }),
        clock,
      }),
  });
  const random = createRandom(2);
  const ask = async (index: number): Promise<number> => {
    const request = {
      id: `${index}`,
      promptIds: Int32Array.from({ length: 2_000 }, (_, at) => index * 2_000 + at),
      outputIds: new Int32Array(500),
      finish: "length",
      priority: 0,
      cacheSalt: undefined,
      lora: undefined,
    } as const;
    for await (const event of endpoint.generate(request, NEVER))
      if (event.type === "end") return event.timings.queueMs;
    return Number.NaN;
  };
  const asked: Promise<number>[] = [];
  for (let index = 0; clock.now() < HOUR_MS; index++) {
    asked.push(ask(index));
    await clock.sleep(drawExponential(random, HOUR_MS / requestsPerHour), NEVER);
  }
  const waits = (await Promise.all(asked)).toSorted((a, b) => a - b);
  const bill = endpoint.bill();
  const health = endpoint.health();
  endpoint[Symbol.dispose]();
  return { bill, health, medianWaitMs: waits[waits.length >> 1] ?? 0, requests: waits.length };
}

describe("a serverless fleet of engines in virtual time", () => {
  it("pays start and idle time for rare requests, and less for each when they come often", async () => {
    const rare = await runHour(30, {});
    const often = await runHour(1_200, {});

    expect(rare.health.jobs.completed).toBe(rare.requests);
    expect(rare.bill.flex.stretches).toBeGreaterThan(15);
    expect(often.bill.usd / often.requests).toBeLessThan(0.5 * (rare.bill.usd / rare.requests));
    expect(often.medianWaitMs).toBeLessThan(1_000);
  });

  it("trades money for waiting with the idle time-out", async () => {
    const short = await runHour(60, { idleTimeout: 5 });
    const long = await runHour(60, { idleTimeout: 120 });

    expect(long.bill.usd).toBeGreaterThan(short.bill.usd);
    expect(long.medianWaitMs).toBeLessThan(short.medianWaitMs);
    expect(long.bill.flex.stretches).toBeLessThan(short.bill.flex.stretches);
  });
});
