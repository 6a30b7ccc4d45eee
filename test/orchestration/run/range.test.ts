import { describe, expect, it } from "vitest";
import { lengthOf, mergeRanges, type Range } from "../../../src/orchestration/run/range.ts";
import { seeded } from "./scenario.ts";

describe("mergeRanges", () => {
  it("joins ranges that overlap or touch, in their order", () => {
    const ranges: Range[] = [
      [10, 20],
      [0, 5],
      [15, 30],
      [5, 7],
    ];

    expect(mergeRanges(ranges)).toEqual([
      [0, 7],
      [10, 30],
    ]);
  });

  it("leaves out what is empty, and is the same when it is done twice", () => {
    const merged = mergeRanges([
      [3, 3],
      [9, 4],
      [1, 2],
    ]);

    expect(merged).toEqual([[1, 2]]);
    expect(mergeRanges(merged)).toEqual(merged);
  });

  it("covers each character that any of the ranges has, once", () => {
    const random = seeded(5);
    const ranges = Array.from({ length: 200 }, (): Range => {
      const from = Math.floor(random() * 2_000);
      return [from, from + Math.floor(random() * 20)];
    });
    const characters = new Set(
      ranges.flatMap(([from, to]) => Array.from({ length: to - from }, (_, n) => from + n)),
    );

    expect(lengthOf(mergeRanges(ranges))).toBe(characters.size);
  });

  it("has at most 1,000 ranges", () => {
    const ranges = Array.from({ length: 5_000 }, (_, n): Range => [n * 10, n * 10 + 1]);

    expect(mergeRanges(ranges)).toHaveLength(1_000);
  });
});
