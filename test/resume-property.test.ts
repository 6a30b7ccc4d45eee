import { describe, expect, it } from "vitest";
import { checkCuts, checkSuspensions } from "./resume-check.ts";

describe("a run of any crew", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "that is cut off anywhere comes to the same, and repeats nothing that is kept (seed %i)",
    async (seed) => expect(await checkCuts(seed, 4)).toBeGreaterThan(0),
  );

  it.each([10, 11])(
    "that is given back at any model call comes to the same, and repeats none that was answered (seed %i)",
    async (seed) => expect(await checkSuspensions(seed)).toBeGreaterThan(0),
  );
});
