// The twin against real servers: the engine with the roofline, in virtual time, under the loads of measured.ts.

import { describe, expect, it } from "vitest";
import { requireGpu } from "../../../../src/inference/fleet/gpu-catalogue.ts";
import { toKvBytesPerToken } from "../../../../src/inference/fleet/kv.ts";
import { GIB } from "../../../../src/inference/fleet/unit.ts";
import { toWeightBytes } from "../../../../src/inference/fleet/weights.ts";
import {
  decodeBatch,
  toStepCost,
  withPrompt,
} from "../../../../src/inference/twin/latency/coefficients.ts";
import {
  type Fit,
  fitStepCost,
  type Observation,
} from "../../../../src/inference/twin/latency/fit.ts";
import {
  createRoofline,
  type RooflineSetup,
  toCoefficients,
} from "../../../../src/inference/twin/latency/roofline.ts";
import { type LoadServer, runLoad } from "./load.ts";
import { type MeasuredRow, S2R_ROWS, S2R_STARTS, SHAPES, YOBITEL_ROWS } from "./measured.ts";
import { NO_BATCH } from "../../../../src/inference/twin/step-cost.ts";

/** Relative errors of one row. */
type Errors = { readonly itl: number; readonly ttft: number; readonly e2e: number };

async function errorsOf(row: MeasuredRow, server: LoadServer): Promise<Errors> {
  const seen = await runLoad(row.load, server);
  return {
    itl: seen.itlMs / row.itlMs - 1,
    ttft: seen.ttftMs / row.ttftMs - 1,
    e2e: seen.e2eMs / row.e2eMs - 1,
  };
}

function setupOf({ model, gpu, tensorParallel }: MeasuredRow): RooflineSetup {
  const same = { quantization: "bf16", kvDtype: "bf16" } as const;
  return { ...same, shape: SHAPES[model], gpu: requireGpu(gpu), tensorParallel };
}

function serverOf(row: MeasuredRow): LoadServer {
  const { shape, gpu } = setupOf(row);
  const weights = toWeightBytes(shape, "bf16", row.tensorParallel);
  const poolBytes = 0.9 * gpuBytes(gpu.id) - weights - 2 * GIB;
  const blockBytes = 16 * toKvBytesPerToken(shape, "bf16", row.tensorParallel);
  const numGpuBlocks = Math.floor(poolBytes / blockBytes);
  return { stepCost: createRoofline(setupOf(row)), numGpuBlocks };
}

const gpuBytes = (id: string): number => requireGpu(id).memoryBytes;

function labelOf({ model, gpu, tensorParallel, load }: MeasuredRow): string {
  const pace = load.type === "open" ? `${load.rate} requests/s` : `${load.concurrency} at once`;
  return `${model} on ${tensorParallel} ${gpu}, ${load.promptTokens} tokens in, ${pace}`;
}

/** The bounds that a twin promises: ITL and end to end within 10 %, TTFT within 20 %. */
function isWithin({ itl, ttft, e2e }: Errors): boolean {
  return Math.abs(itl) <= 0.1 && Math.abs(e2e) <= 0.1 && Math.abs(ttft) <= 0.2;
}

/** Of the roofline; each load is run once. */
const rooflineErrors = new Map<MeasuredRow, Promise<Errors>>();
function rooflineErrorsOf(row: MeasuredRow): Promise<Errors> {
  const errors = rooflineErrors.get(row) ?? errorsOf(row, serverOf(row));
  rooflineErrors.set(row, errors);
  return errors;
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length;

/** The page itself takes 64 at once for the client's limit. 16 at once give the same tokens a second: the client's limit too. */
const isClientBound = ({ model, load }: MeasuredRow): boolean =>
  model === "Llama-3.1-8B" && load.type === "closed" && load.concurrency >= 16;

const FAIR_ROWS = [...YOBITEL_ROWS.filter((row) => !isClientBound(row)), ...S2R_ROWS];

/**
 * Rows out of the bounds, and by how much. Of the first two models it is not known why: with the load they slow down less than any
 * other. The last server was near its capacity, where a small error of a step is a large one of waiting.
 */
const MISSES: readonly { readonly of: (row: MeasuredRow) => boolean; readonly bound: Errors }[] = [
  {
    of: ({ model, gpu, load }) =>
      model === "CodeLlama-34B" &&
      load.type === "open" &&
      load.rate >= 6 &&
      (gpu === "A100-80" || load.promptTokens > 547),
    bound: { itl: 0.16, ttft: 0.3, e2e: 0.16 },
  },
  {
    of: ({ model, load }) =>
      model === "Mistral-Nemo-12B" && load.type === "open" && load.rate === 10,
    bound: { itl: 0.14, ttft: 0.2, e2e: 0.14 },
  },
  {
    of: ({ model, gpu, load }) =>
      model === "Qwen3-14B" && gpu === "L40S" && load.type === "open" && load.rate === 6,
    bound: { itl: 0.12, ttft: 0.7, e2e: 0.13 },
  },
];
const missOf = (row: MeasuredRow) => MISSES.find(({ of }) => of(row));

describe("the roofline, of which two numbers are fitted to Llama-3.1-8B on one H100", () => {
  for (const row of FAIR_ROWS.filter((one) => !missOf(one)))
    it(`predicts ${labelOf(row)}: ITL and end to end within 10 %, TTFT within 20 %`, async () => {
      const errors = await rooflineErrorsOf(row);

      expect(isWithin(errors), JSON.stringify(errors)).toBe(true);
    });

  for (const row of FAIR_ROWS) {
    const miss = missOf(row);
    if (!miss) continue;
    const { bound } = miss;
    it(`misses ${labelOf(row)}: ITL by up to ${Math.round(bound.itl * 100)} %, TTFT by up to ${Math.round(bound.ttft * 100)} %`, async () => {
      const errors = await rooflineErrorsOf(row);

      expect(Math.abs(errors.itl)).toBeLessThan(bound.itl);
      expect(Math.abs(errors.e2e)).toBeLessThan(bound.e2e);
      expect(Math.abs(errors.ttft)).toBeLessThan(bound.ttft);
    });
  }

  for (const { name, stages } of S2R_STARTS)
    it(`predicts the first minutes of "${name}" of Llama-3.1-8B on an H100: ITL and end to end within 10 %, TTFT within 20 %`, async () => {
      const all = await Promise.all(stages.map(rooflineErrorsOf));

      // What was measured is the mean over both stages: so is the error.
      const requests = stages.map(({ load }) => (load.type === "open" ? load.rate : 1));
      const mean = (of: (one: Errors) => number): number =>
        all.reduce((sum, one, index) => sum + of(one) * (requests[index] ?? 0), 0) /
        requests.reduce((sum, one) => sum + one, 0);
      const errors = {
        itl: mean((one) => one.itl),
        ttft: mean((one) => one.ttft),
        e2e: mean((one) => one.e2e),
      };
      expect(isWithin(errors), JSON.stringify(errors)).toBe(true);
    });

  it("is off by less than 6 % in ITL and end to end and by less than 9 % in TTFT on average", async () => {
    const errors = await Promise.all(FAIR_ROWS.map(rooflineErrorsOf));

    expect(meanOf(errors.map(({ itl }) => itl))).toBeLessThan(0.06);
    expect(meanOf(errors.map(({ e2e }) => e2e))).toBeLessThan(0.06);
    expect(meanOf(errors.map(({ ttft }) => ttft))).toBeLessThan(0.09);
  });

  it("does not predict a client that cannot read more than 1,384 tokens a second: 36 % low", async () => {
    const row = YOBITEL_ROWS.find(isClientBound);
    const errors = row && (await rooflineErrorsOf(row));

    expect(errors?.itl).toBeGreaterThan(-0.4);
    expect(errors?.itl).toBeLessThan(-0.3);
  });
});

/** What a row says of steps: the mean step of its load, and the steps that a first token waits for. */
function toObservations(row: MeasuredRow): readonly Observation[] {
  const { load, itlMs, ttftMs, e2eMs } = row;
  const perMs = load.type === "open" ? load.rate / 1_000 : load.concurrency / e2eMs;
  const seqs = perMs * e2eMs;
  const context = load.promptTokens + load.outputTokens / 2;
  const decode = decodeBatch(seqs, context);
  const mixed = withPrompt(
    seqs > 1 ? decodeBatch(seqs - 1, context) : NO_BATCH,
    load.promptTokens,
    load.shared,
  );
  const isAlone = load.type === "closed" && load.concurrency === 1;
  const share = isAlone ? 0 : perMs * itlMs; // of steps with a prompt in them
  const steady = (count: number) => [
    { count: count * (1 - share), batch: decode },
    { count: count * share, batch: mixed },
  ];
  const name = labelOf(row);
  return [
    { name: `${name}: ITL`, frontends: 0, measuredMs: itlMs, steps: steady(1) },
    {
      name: `${name}: TTFT`,
      frontends: 1,
      measuredMs: ttftMs,
      // Half a step until the running one ends, one that is scheduled already, then its own (frontend.ts).
      steps: [...steady(isAlone ? 0 : 1.5), { count: 1, batch: mixed }],
    },
  ];
}

/** Llama-3.1-8B on one H100, measured by both. */
const isCommon = (row: MeasuredRow): boolean =>
  row.model === "Llama-3.1-8B" && row.gpu === "H100-SXM" && row.tensorParallel === 1;
const YOBITEL = YOBITEL_ROWS.filter((row) => isCommon(row) && !isClientBound(row));
const S2R = S2R_ROWS.filter(isCommon);

function fitTo(rows: readonly MeasuredRow[]): Fit {
  const prior = rows[0] && toCoefficients(setupOf(rows[0]));
  return fitStepCost(rows.flatMap(toObservations), { prior });
}

function predict(rows: readonly MeasuredRow[], { coefficients }: Fit): Promise<readonly Errors[]> {
  const server = {
    stepCost: toStepCost(coefficients),
    frontend: { frontendMs: coefficients.frontendMs },
  };
  return Promise.all(rows.map((row) => errorsOf(row, server)));
}

describe("coefficients that are fitted to one source", () => {
  it("describe the rows that they were fitted to within 4 %", () => {
    expect(fitTo(YOBITEL).meanError).toBeLessThan(0.04);
    expect(fitTo(S2R).meanError).toBeLessThan(0.04);
  });

  it("predict S2R from yobitelcomm: ITL and end to end within 10 %, TTFT within 20 %", async () => {
    const errors = await predict(S2R, fitTo(YOBITEL));

    expect(errors.filter((one) => !isWithin(one))).toEqual([]);
  });

  it("predict yobitelcomm from S2R: end to end within 10 %, TTFT within 20 %, ITL only within 11 %: vLLM became faster", async () => {
    const errors = await predict(YOBITEL, fitTo(S2R));

    expect(errors.filter((one) => !isWithin({ ...one, itl: one.itl / 1.1 }))).toEqual([]);
  });
});
