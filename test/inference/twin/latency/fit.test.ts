import { describe, expect, it } from "vitest";
import {
  decodeBatch,
  type StepCoefficients,
  stepMs,
  toStepCost,
  withPrompt,
} from "../../../../src/inference/twin/latency/coefficients.ts";
import { fitStepCost, type Observation } from "../../../../src/inference/twin/latency/fit.ts";
import { createRandom, drawLognormal } from "../../../../src/inference/twin/random.ts";
import { NO_BATCH, type StepBatch } from "../../../../src/inference/twin/step-cost.ts";

/** About an 8 B model on an H100. */
const TRUE: StepCoefficients = {
  fixedMs: 1.2,
  readMs: 5.3,
  tokenMs: 0.0187,
  pairMs: 1.3e-6,
  contextTokenMs: 5e-5,
  requestMs: 0.01,
  frontendMs: 5,
};

function observe(name: string, batch: StepBatch, frontends: number): Observation {
  const measuredMs = stepMs(TRUE, batch) + frontends * TRUE.frontendMs;
  return { name, steps: [{ count: 1, batch }], frontends, measuredMs };
}

const OBSERVATIONS: readonly Observation[] = [
  ...[64, 256, 512, 1024, 2048, 8192].map((tokens) =>
    observe(`prompt of ${tokens}`, withPrompt(NO_BATCH, tokens), 1),
  ),
  ...[1, 4, 16, 64].flatMap((seqs) =>
    [200, 1000, 4000].map((context) =>
      observe(`${seqs} decodes at ${context}`, decodeBatch(seqs, context), 0),
    ),
  ),
];

describe("fitStepCost", () => {
  it("finds the coefficients that times were made with", () => {
    const { coefficients, maxError } = fitStepCost(OBSERVATIONS);

    expect(maxError).toBeLessThan(0.01);
    expect(coefficients.readMs + coefficients.fixedMs).toBeCloseTo(6.5, 1);
    expect(coefficients.tokenMs / TRUE.tokenMs).toBeCloseTo(1, 1);
    expect(coefficients.contextTokenMs / TRUE.contextTokenMs).toBeCloseTo(1, 1);
    expect(coefficients.frontendMs / TRUE.frontendMs).toBeCloseTo(1, 1);
  });

  it("reports the error of each point, and predicts others within the noise of the measurement", () => {
    const random = createRandom(3);
    const noisy = OBSERVATIONS.map((one) => ({
      ...one,
      measuredMs: drawLognormal(random, one.measuredMs, 0.03),
    }));

    const { coefficients, points, meanError } = fitStepCost(noisy);

    expect(points.map(({ name }) => name)).toEqual(OBSERVATIONS.map(({ name }) => name));
    expect(meanError).toBeGreaterThan(0.005);
    expect(meanError).toBeLessThan(0.03);
    const unseen = withPrompt(decodeBatch(32, 1500), 700);
    expect(toStepCost(coefficients)(unseen) / stepMs(TRUE, unseen)).toBeCloseTo(1, 1);
  });

  it("keeps to a prior where nothing was measured", () => {
    const decodes = OBSERVATIONS.filter(({ frontends }) => frontends === 0);

    const { coefficients } = fitStepCost(decodes, { prior: { ...TRUE, readMs: 6 } });

    expect(coefficients.frontendMs).toBeCloseTo(TRUE.frontendMs, 3);
    expect(coefficients.pairMs / TRUE.pairMs).toBeCloseTo(1, 3);
    expect(coefficients.fixedMs + coefficients.readMs).toBeCloseTo(6.5, 1);
  });

  it("never gives a negative coefficient", () => {
    const falling = [1, 2, 3].map((seqs) => ({
      name: `${seqs}`,
      steps: [{ count: 1, batch: decodeBatch(seqs, 100) }],
      frontends: 0,
      measuredMs: 10 - seqs,
    }));

    const { coefficients } = fitStepCost(falling);

    expect(Object.values(coefficients).every((value) => value >= 0)).toBe(true);
  });

  it("refuses nothing, and times that are none", () => {
    const [one] = OBSERVATIONS;
    expect(() => fitStepCost([])).toThrow(expect.objectContaining({ code: "config/invalid" }));
    expect(() => fitStepCost(one ? [{ ...one, measuredMs: Number.NaN }] : [])).toThrow(
      expect.objectContaining({ code: "config/invalid" }),
    );
  });
});
