import { describe, expect, it } from "vitest";
import { checkCuts, checkSuspensions } from "./resume-check.ts";

const from = (first: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, n) => first + n);

describe("a run of any crew, many times", () => {
  it.each(from(1_000, 80))(
    "that is cut off anywhere comes to the same, and repeats nothing that is kept (seed %i)",
    async (seed) => expect(await checkCuts(seed, 8)).toBeGreaterThan(0),
  );

  it.each(from(2_000, 30))(
    "that is given back at any model call comes to the same, and repeats none that was answered (seed %i)",
    async (seed) => expect(await checkSuspensions(seed)).toBeGreaterThan(0),
  );
});
