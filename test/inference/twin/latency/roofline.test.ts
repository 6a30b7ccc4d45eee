import { describe, expect, it } from "vitest";
import { requireGpu } from "../../../../src/inference/fleet/gpu-catalogue.ts";
import type { Quantization } from "../../../../src/inference/fleet/model.ts";
import {
  decodeBatch,
  toStepCost,
  withPrompt,
} from "../../../../src/inference/twin/latency/coefficients.ts";
import { NO_OVERHEAD } from "../../../../src/inference/twin/latency/overhead.ts";
import {
  createRoofline,
  type RooflineSetup,
  toCoefficients,
} from "../../../../src/inference/twin/latency/roofline.ts";
import { type ModelName, SHAPES } from "./measured.ts";
import { NO_BATCH } from "../../../../src/inference/twin/step-cost.ts";

function setUp(gpu: string, model: ModelName, change: Partial<RooflineSetup> = {}): RooflineSetup {
  const base = { quantization: "bf16", kvDtype: "bf16" } as const;
  return { ...base, gpu: requireGpu(gpu), shape: SHAPES[model], ...change };
}

const oneDecode = decodeBatch(1, 115);

/** The operators of Llama-3.1-8B, without overhead. */
function operatorsOf(gpu: string, change: Partial<RooflineSetup> = {}) {
  return createRoofline(setUp(gpu, "Llama-3.1-8B", { overhead: NO_OVERHEAD, ...change }));
}

function decodeOn(gpus: number): number {
  return createRoofline(setUp("H100", "Qwen3-32B", { tensorParallel: gpus }))(oneDecode);
}

describe("createRoofline", () => {
  it("decodes one sequence of Llama-3.1-8B on an H100 in 6.7 ms, of which 5.4 ms read the weights", () => {
    const setup = setUp("H100", "Llama-3.1-8B");

    expect(createRoofline(setup)(oneDecode)).toBeCloseTo(6.7, 1);
    expect(createRoofline({ ...setup, overhead: NO_OVERHEAD })(oneDecode)).toBeCloseTo(5.3, 1);
  });

  it("is bound by reading weights for few tokens and by computing for many", () => {
    const cost = createRoofline(setUp("H100", "Llama-3.1-8B", { overhead: NO_OVERHEAD }));
    const prefill = (tokens: number) => cost(withPrompt(NO_BATCH, tokens));

    expect(prefill(128) / prefill(16)).toBeLessThan(1.05);
    expect(prefill(4096) / prefill(2048)).toBeGreaterThan(2);
  });

  it("adds the decodes' keys and values to a prefill chunk, and does not read the weights twice", () => {
    const cost = createRoofline(setUp("H100", "Llama-3.1-8B", { overhead: NO_OVERHEAD }));
    const decodes = decodeBatch(32, 4000);

    const mixed = cost(withPrompt(decodes, 512));

    expect(mixed).toBeLessThan(cost(decodes) + cost(withPrompt(NO_BATCH, 512)) - 4);
    expect(mixed).toBeGreaterThan(cost(withPrompt(NO_BATCH, 512)));
    expect(mixed).toBeGreaterThan(cost(decodes));
  });

  it("reads half as much with fp8 weights, and half the keys and values with an fp8 cache", () => {
    const long = decodeBatch(64, 8192);
    const [bf16, fp8] = [operatorsOf("L40S"), operatorsOf("L40S", { quantization: "fp8" })];
    const fp8Cache = operatorsOf("L40S", { kvDtype: "fp8" });

    expect(fp8(oneDecode) / bf16(oneDecode)).toBeCloseTo(0.63, 1);
    const readMs = bf16(decodeBatch(64, 0));
    expect((fp8Cache(long) - readMs) / (bf16(long) - readMs)).toBeCloseTo(0.5, 6);
  });

  it("computes in bf16 where a GPU has no fp8 tensor cores: fp8 helps decode and not prefill", () => {
    const [bf16, fp8] = [operatorsOf("A100"), operatorsOf("A100", { quantization: "fp8" })];
    const int4 = operatorsOf("A100", { quantization: "int4" });
    const prompt = withPrompt(NO_BATCH, 2048);

    expect(fp8(prompt)).toBeCloseTo(bf16(prompt), 6);
    expect(fp8(oneDecode)).toBeLessThan(0.6 * bf16(oneDecode));
    expect(int4(oneDecode)).toBeLessThan(fp8(oneDecode));
  });

  it("gains less than twice from a second GPU: all-reduces and overhead stay", () => {
    expect(decodeOn(2)).toBeLessThan(0.7 * decodeOn(1));
    expect(decodeOn(2)).toBeGreaterThan(0.5 * decodeOn(1));
    expect(decodeOn(8)).toBeLessThan(decodeOn(4));
  });

  it("has an H100's efficiency for a GPU that nobody measured", () => {
    const gpu = { ...requireGpu("H100"), id: "X1" };

    expect(createRoofline(setUp("H100", "Llama-3.1-8B", { gpu }))(oneDecode)).toBe(
      createRoofline(setUp("H100", "Llama-3.1-8B"))(oneDecode),
    );
  });
});

describe("toCoefficients", () => {
  it("gives the roofline's times within 6 %", () => {
    for (const model of ["Llama-3.1-8B", "Qwen3-32B"] as const) {
      const setup = setUp("H100", model, { tensorParallel: 2 });
      const [cost, approximate] = [createRoofline(setup), toStepCost(toCoefficients(setup))];

      for (const batch of [
        oneDecode,
        decodeBatch(64, 2000),
        withPrompt(NO_BATCH, 300),
        withPrompt(decodeBatch(20, 1000), 2048),
      ])
        expect(Math.abs(approximate(batch) / cost(batch) - 1)).toBeLessThan(0.06);
    }
  });
});

/**
 * Milliseconds of all operators of a step, without overhead, summed from the operator tables that AIConfigurator measured with vLLM
 * (August 2026): decodes of 1, 8, 32, 64 and 128 sequences at a context of 2,048; prefills of 2,048 and 8,192 tokens. The sums took
 * the nearest entry of each table: they are good to about 15 %.
 */
const OPERATORS: readonly (readonly [string, ModelName, Quantization, readonly number[]])[] = [
  ["H100-SXM", "Llama-3.1-8B", "bf16", [5.95, 6.77, 9.4, 12.2, 17.5, 37.4, 187]],
  ["H100-SXM", "Llama-3.1-8B", "fp8", [4.27, 5.13, 7.24, 10.1, 15.6, 29.7, 130]],
  ["H100-SXM", "Qwen3-14B", "bf16", [10.5, 12.4, 15.6, 18.8, 26.3, 73.6, 339]],
  ["H100-SXM", "Qwen3-14B", "fp8", [7, 8.2, 11.2, 14.1, 21.9, 51, 232]],
  ["H100-SXM", "Qwen3-32B", "bf16", [23.4, 27, 31.5, 37.7, 49, 172, 823]],
  ["H100-SXM", "Qwen3-32B", "fp8", [15.2, 17, 21.5, 26.8, 38.9, 118, 546]],
  ["H200", "Llama-3.1-8B", "bf16", [4.55, 5.19, 6.98, 9.09, 13.4, 37.6, 185]],
  ["H200", "Qwen3-32B", "fp8", [11.9, 12.9, 18.1, 20.7, 29.6, 106, 496]],
  ["L40S", "Llama-3.1-8B", "bf16", [21.1, 22.7, 37, 51, 73, 133, 657]],
  ["L40S", "Llama-3.1-8B", "fp8", [14.2, 15, 27.6, 40, 63, 89.5, 440]],
  ["L40S", "Qwen3-14B", "fp8", [24.8, 24.8, 42, 58, 87, 167, 787]],
  ["L40S", "Qwen3-32B", "fp8", [55, 55, 83, 107, 157, 377, 1847]],
  ["A100-80", "Llama-3.1-8B", "bf16", [11.6, 12.7, 18.5, 22.3, 33.4, 117, 551]],
  ["A100-80", "Qwen3-32B", "bf16", [45.9, 46.9, 57.6, 68.8, 95, 473, 2168]],
  ["B200", "Llama-3.1-8B", "bf16", [3.2, 3.2, 4.5, 5.7, 8.2, 19.6, 95]],
];

const OPERATOR_BATCHES = [
  ...[1, 8, 32, 64, 128].map((seqs) => decodeBatch(seqs, 2048)),
  ...[2048, 8192].map((tokens) => withPrompt(NO_BATCH, tokens)),
];

function operatorErrors(
  gpu: string,
  model: ModelName,
  quantization: Quantization,
  measured: readonly number[],
): readonly number[] {
  const cost = createRoofline(setUp(gpu, model, { quantization, overhead: NO_OVERHEAD }));
  return OPERATOR_BATCHES.map((batch, index) => cost(batch) / (measured[index] ?? 0) - 1);
}

describe("the roofline against summed operator tables", () => {
  for (const [gpu, model, quantization, measured] of OPERATORS)
    it(`is within 20 % of each time of ${model} in ${quantization} on ${gpu}`, () => {
      const errors = operatorErrors(gpu, model, quantization, measured);

      expect(Math.max(...errors.map(Math.abs)), errors.join(" ")).toBeLessThan(0.2);
    });

  it("is off by 7 % on average, and too quick rather than too slow for one sequence", () => {
    const errors = OPERATORS.flatMap((row) => operatorErrors(...row));

    expect(errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length).toBeLessThan(
      0.07,
    );
  });
});
