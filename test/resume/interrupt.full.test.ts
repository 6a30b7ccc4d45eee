import { describe, it } from "vitest";
import { CREWS, SLOW_CREWS } from "./crews.ts";
import type { Place } from "./scenario-run.ts";
import { checkAgain, checkPlaces } from "./scene.ts";

const everyStep = (kept: number): readonly Place["n"][] =>
  Array.from({ length: kept }, (_, n) => n + 1);
const all = [...Object.entries(CREWS), ...Object.entries(SLOW_CREWS)];

describe.each(all)("a run of the crew %s that is given back", (_, scenario) => {
  it.each(["begun", "ended", "kept"] as const)(
    "when any of its steps is %s comes to the same, and nothing that is kept is done again",
    (point) => checkPlaces(scenario, (kept) => everyStep(kept).map((n) => ({ point, n }))),
    300_000,
  );

  it.each([1, 2, 7])(
    "again and again after %i steps comes to the same",
    (steps) => checkAgain(scenario, steps),
    300_000,
  );
});
