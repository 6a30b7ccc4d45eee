import { describe, it } from "vitest";
import { FLOWS, randomScenario } from "./flows.ts";
import { checkAgain, checkPlaces } from "./scene.ts";

describe.each(Object.entries(FLOWS))("a run of the flow %s that is given back", (_, scenario) => {
  it.each([0.2, 0.5, 0.8])(
    "when a part of its steps is kept (%d) comes to the same, and nothing that is kept is done again",
    (part) => checkPlaces(scenario, (kept) => [{ point: "kept", n: Math.ceil(kept * part) }]),
  );

  it.each([3])("again and again after %i steps comes to the same", (steps) =>
    checkAgain(scenario, steps),
  );
});

describe("a run of a random flow that is given back", () => {
  it.each([1, 2, 3, 4, 5, 6])("half way comes to the same (seed %i)", (seed) =>
    checkPlaces(randomScenario(seed), (kept) => [{ point: "kept", n: Math.ceil(kept / 2) }]),
  );
});
