import { describe, expect, it } from "vitest";
import {
  createRandom,
  drawExponential,
  drawLognormal,
} from "../../../src/inference/twin/random.ts";

const many = (draw: () => number) => Array.from({ length: 50_000 }, draw);
const meanOf = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe("createRandom", () => {
  it("gives the same numbers for the same seed, from 0 to below 1", () => {
    const [first, second] = [createRandom(42), createRandom(42)];

    const values = many(first);

    expect(many(second)).toEqual(values);
    expect(Math.min(...values.slice(0, 1_000))).toBeGreaterThanOrEqual(0);
    expect(values.every((value) => value < 1)).toBe(true);
    expect(meanOf(values)).toBeCloseTo(0.5, 2);
  });
});

describe("drawLognormal", () => {
  it("has the mean and the coefficient of variation that were asked for", () => {
    const random = createRandom(1);

    const values = many(() => drawLognormal(random, 10, 0.3));

    const mean = meanOf(values);
    const deviation = Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
    expect(mean).toBeCloseTo(10, 1);
    expect(deviation / mean).toBeCloseTo(0.3, 2);
    expect(values.every((value) => value > 0)).toBe(true);
  });
});

describe("drawExponential", () => {
  it("has the mean that was asked for, and never happens when that is Infinity", () => {
    const random = createRandom(1);

    expect(meanOf(many(() => drawExponential(random, 3))) / 3).toBeCloseTo(1, 1);
    expect(drawExponential(random, Infinity)).toBe(Infinity);
  });
});
