import { describe, expect, it } from "vitest";
import { createVirtualClock, type VirtualClock } from "../../../../src/clock.ts";
import { requireGpu } from "../../../../src/inference/fleet/gpu-catalogue.ts";
import { endpoint } from "../../../../src/inference/model/endpoint.ts";
import type { Model, ModelEvent } from "../../../../src/inference/model/model.ts";
import type { GenerateRequest } from "../../../../src/inference/twin/generate.ts";
import { calibrate } from "../../../../src/inference/twin/latency/calibrate.ts";
import {
  type Calibration,
  readCalibration,
} from "../../../../src/inference/twin/latency/calibration.ts";
import {
  CALIBRATION_WAVES,
  calibrationPrompt,
  toObservations,
} from "../../../../src/inference/twin/latency/calibration-load.ts";
import {
  decodeBatch,
  toStepCost,
  withPrompt,
} from "../../../../src/inference/twin/latency/coefficients.ts";
import { createServedReplica } from "../../../../src/inference/twin/latency/frontend.ts";
import { withNoise } from "../../../../src/inference/twin/latency/noise.ts";
import { createRoofline, toCoefficients } from "../../../../src/inference/twin/latency/roofline.ts";
import { NO_BATCH, type StepCost } from "../../../../src/inference/twin/step-cost.ts";
import { SHAPES } from "./measured.ts";

const NEVER = new AbortController().signal;
const SERVER = endpoint({ url: "http://gpu-1:8000/v1" });

const SETUP = {
  shape: SHAPES["Llama-3.1-8B"],
  quantization: "bf16",
  kvDtype: "bf16",
  gpu: requireGpu("H100"),
} as const;

/** A server with these steps, in virtual time. A word is a token, and the template adds 20. */
function twinModel(clock: VirtualClock, stepCost: StepCost, frontendMs: number): Model {
  const config = { numGpuBlocks: 26_000, maxModelLen: 32_768, maxNumBatchedTokens: 2_048 };
  const served = createServedReplica({ config, stepCost, clock }, { frontendMs });
  let count = 0;
  return {
    async *call({ messages, settings }, signal): AsyncGenerator<ModelEvent> {
      const sentAtMs = clock.now();
      const words = (messages[0]?.content ?? "").split(" ").length;
      const offset = 100_000 * ++count;
      const request: GenerateRequest = {
        id: `${count}`,
        promptIds: Int32Array.from({ length: words + 20 }, (_, at) => offset + at),
        outputIds: new Int32Array(settings.maxTokens ?? 1),
        finish: "length",
        priority: 0,
        cacheSalt: undefined,
        lora: undefined,
      };
      let [firstAtMs, lastAtMs, cached] = [0, 0, 0];
      for await (const event of served.generate(request, signal)) {
        if (event.type === "end") cached = event.cachedTokens;
        if (event.type !== "tokens") continue;
        firstAtMs ||= event.times[0] ?? 0;
        lastAtMs = event.times.at(-1) ?? 0;
      }
      yield {
        type: "end",
        text: "",
        reasoning: "",
        calls: [],
        finish: { unified: "length", raw: "length" },
        usage: {
          input: { total: words + 20, cached },
          output: { total: request.outputIds.length, reasoning: undefined },
          source: "server",
        },
        timings: {
          queueMs: 0,
          firstTokenMs: firstAtMs - sentAtMs,
          totalMs: lastAtMs - sentAtMs,
        },
        endpoint: "gpu-1:8000",
        model: "twin",
      };
    },
    contextTokens: async () => 32_768,
  };
}

async function calibrateTwin(stepCost: StepCost, frontendMs = 5): Promise<Calibration> {
  const clock = createVirtualClock();
  const model = twinModel(clock, stepCost, frontendMs);
  return calibrate({ model, endpoint: SERVER, clock, seed: 1 }, NEVER);
}

/** Batches that no wave has. */
const UNSEEN = [
  decodeBatch(1, 3_000),
  decodeBatch(24, 500),
  decodeBatch(64, 1_500),
  withPrompt(NO_BATCH, 600),
  withPrompt(decodeBatch(12, 800), 1_400),
];

describe("calibrate", () => {
  it("finds the coefficients of a server, and what they say of batches that it did not see", async () => {
    const known = toCoefficients(SETUP);

    const { coefficients, maxError } = await calibrateTwin(toStepCost(known));

    expect(maxError).toBeLessThan(0.03);
    expect(coefficients.frontendMs).toBeCloseTo(5, 0);
    expect(coefficients.tokenMs / known.tokenMs).toBeCloseTo(1, 1);
    for (const batch of UNSEEN) {
      const [fitted, real] = [toStepCost(coefficients)(batch), toStepCost(known)(batch)];
      expect(Math.abs(fitted / real - 1)).toBeLessThan(0.05);
    }
  });

  it("describes a roofline, which has more parts, within 5 %, and a server whose steps vary by 4 % as well", async () => {
    const roofline = createRoofline(SETUP);

    for (const cost of [roofline, withNoise(roofline, { cv: 0.04, seed: 1 })]) {
      const { coefficients, meanError } = await calibrateTwin(cost);

      expect(meanError).toBeLessThan(0.03);
      for (const batch of UNSEEN)
        expect(Math.abs(toStepCost(coefficients)(batch) / roofline(batch) - 1)).toBeLessThan(0.1);
    }
  });

  it("reports one point for each time that it used, and says where and when", async () => {
    const calibration = await calibrateTwin(createRoofline(SETUP));

    expect(calibration.points.length).toBe(2 * 12 + 10);
    expect(calibration).toMatchObject({ endpoint: SERVER.url, model: "twin" });
    expect(calibration.measuredAt).toMatch(/^1970-01-01T/);
  });

  it("refuses a server that ends its answers early", async () => {
    const clock = createVirtualClock();
    const model = twinModel(clock, createRoofline(SETUP), 5);
    const waves = [{ concurrency: 2, promptTokens: 64, outputTokens: 4 }];

    await expect(calibrate({ model, endpoint: SERVER, clock, waves }, NEVER)).rejects.toThrow(
      expect.objectContaining({ code: "model/protocol" }),
    );
  });
});

describe("the load of a calibration", () => {
  it("uses of a wave the request that began last: only it saw all others decode", () => {
    const wave = { concurrency: 2, promptTokens: 64, outputTokens: 64 };
    const timing = { promptTokens: 60, cachedTokens: 0, outputTokens: 64 };

    const observations = toObservations(wave, [
      { ...timing, ttftMs: 20, itlMs: 9 },
      { ...timing, ttftMs: 30, itlMs: 7 },
    ]);

    expect(observations).toMatchObject([{ measuredMs: 7, steps: [{ batch: { decodeSeqs: 2 } }] }]);
    const [early] = toObservations(wave, [
      { ...timing, outputTokens: 33, ttftMs: 20, itlMs: 7 }, // ends when the other has a quarter of its tokens
      { ...timing, ttftMs: 132, itlMs: 7 },
    ]);
    expect(early?.steps[0]?.batch.decodeSeqs).toBeCloseTo(1.25, 1);
    expect(toObservations(wave, [])).toEqual([]);
  });

  it("has prompts of one step each, that share no beginning", () => {
    expect(Math.max(...CALIBRATION_WAVES.map(({ promptTokens }) => promptTokens))).toBeLessThan(
      2_048,
    );
    const texts = [1, 2, 3, 4].map((seed) => calibrationPrompt(64, seed));
    expect(new Set(texts.map((text) => text.split(" ").slice(0, 4).join(" "))).size).toBe(4);
    expect(texts[0]?.split(" ").length).toBe(44);
  });
});

describe("readCalibration", () => {
  it("reads what was written", async () => {
    const calibration = await calibrateTwin(createRoofline(SETUP));

    expect(readCalibration(JSON.stringify(calibration), "a.json")).toEqual(calibration);
  });

  it("refuses what is no calibration, and says why", async () => {
    const calibration = await calibrateTwin(createRoofline(SETUP));
    const negative = { ...calibration, coefficients: { ...calibration.coefficients, readMs: -1 } };

    for (const [text, why] of [
      ["{", "no calibration"],
      ['{"type":"other"}', "no calibration"],
      [JSON.stringify({ ...calibration, version: 2 }), "version"],
      [JSON.stringify(negative), "readMs"],
    ] as const)
      expect(() => readCalibration(text, "a.json")).toThrow(
        expect.objectContaining({ code: "config/invalid", message: expect.stringContaining(why) }),
      );
  });
});
