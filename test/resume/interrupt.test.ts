import { describe, it } from "vitest";
import { CREWS } from "./crews.ts";
import { checkAgain, checkPlaces } from "./scene.ts";

describe.each(Object.entries(CREWS))("a run of the crew %s that is given back", (_, scenario) => {
  it.each([0.1, 0.5, 0.8])(
    "when a part of its steps is kept (%d) comes to the same, and nothing that is kept is done again",
    (part) => checkPlaces(scenario, (kept) => [{ point: "kept", n: Math.ceil(kept * part) }]),
  );

  it.each([17])("again and again after %i steps comes to the same", (steps) =>
    checkAgain(scenario, steps),
  );
});
