import { describe, expect, it } from "vitest";
import { solveNonNegative } from "../../../../src/inference/twin/latency/least-squares.ts";

const row = (features: readonly number[], target: number) => ({ features, target, importance: 1 });

describe("solveNonNegative", () => {
  it("solves what has one solution, also where features differ by ten orders of magnitude", () => {
    const rows = [row([1, 1e7], 5), row([1, 4e7], 8), row([2, 2e7], 10)];

    const [a = 0, b = 0] = solveNonNegative(rows);

    expect(a).toBeCloseTo(4, 6);
    expect(b * 1e7).toBeCloseTo(1, 6);
  });

  it("gives 0 where a negative weight would be best, and the best of the rest", () => {
    const rows = [row([1, 1], 3), row([1, 2], 2), row([1, 3], 1)];

    const [a = 0, b = 1] = solveNonNegative(rows);

    expect(b).toBe(0);
    expect(a).toBeCloseTo(2, 9);
  });

  it("gives 0 to a feature that is in no row, and nothing for nothing", () => {
    expect(solveNonNegative([row([1, 0], 3)])).toEqual([3, 0]);
    expect(solveNonNegative([])).toEqual([]);
  });
});
