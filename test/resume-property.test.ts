import { describe, it } from "vitest";
import { checkCuts, checkSuspensions } from "./resume-check.ts";

describe("a run of any crew", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "that is cut off anywhere comes to the same, and repeats nothing that is kept (seed %i)",
    (seed) => checkCuts(seed, 4),
  );

  it.each([9, 10, 11])(
    "that is given back at any model call comes to the same, and repeats none that was answered (seed %i)",
    (seed) => checkSuspensions(seed),
  );
});
