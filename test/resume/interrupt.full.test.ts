import { describe, it } from "vitest";
import { CREWS } from "./crews.ts";
import { checkAgain, checkPlaces, type Place } from "./scene.ts";

describe.each(Object.entries(CREWS))("a run of the crew %s that is given back", (_, scenario) => {
  it.each(["begun", "ended", "kept"] as const)(
    "when any of its steps is %s comes to the same, and nothing that is kept is done again",
    async (point) => {
      await checkPlaces(scenario, (kept) =>
        Array.from({ length: kept }, (_step, n): Place => ({ point, n: n + 1 })),
      );
    },
    300_000,
  );

  it.each([1, 2, 7])(
    "again and again after %i steps comes to the same",
    (steps) => checkAgain(scenario, steps),
    300_000,
  );
});
