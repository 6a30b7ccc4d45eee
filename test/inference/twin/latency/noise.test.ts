import { describe, expect, it } from "vitest";
import { withNoise } from "../../../../src/inference/twin/latency/noise.ts";
import { constantStepCost, NO_BATCH } from "../../../../src/inference/twin/step-cost.ts";

const draw = (cv: number, seed: number) => {
  const cost = withNoise(constantStepCost(10), { cv, seed });
  return Array.from({ length: 20_000 }, () => cost(NO_BATCH));
};

describe("withNoise", () => {
  it("keeps the mean and has the variation that was asked for", () => {
    const times = draw(0.04, 1);

    const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
    const variance = times.reduce((sum, ms) => sum + (ms - mean) ** 2, 0) / times.length;
    expect(mean).toBeCloseTo(10, 1);
    expect(Math.sqrt(variance) / mean).toBeCloseTo(0.04, 2);
  });

  it("repeats itself by its seed", () => {
    expect(draw(0.04, 1)).toEqual(draw(0.04, 1));
    expect(draw(0.04, 1)).not.toEqual(draw(0.04, 2));
  });

  it("changes nothing at 0", () => {
    const cost = constantStepCost(10);

    expect(withNoise(cost, { cv: 0, seed: 1 })).toBe(cost);
  });
});
