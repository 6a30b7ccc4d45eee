import { describe, it } from "vitest";
import { FLOWS, randomScenario } from "./flows.ts";
import { checkPlaces, type Place } from "./scene.ts";

const everywhere = (kept: number): readonly Place[] =>
  (["begun", "ended", "kept"] as const).flatMap((point) =>
    Array.from({ length: kept }, (_, index) => ({ point, n: index + 1 })),
  );

describe.each(Object.entries(FLOWS))("a run of the flow %s", (_, scenario) => {
  it("comes to the same wherever it is given back, and nothing that is kept is done again", () =>
    checkPlaces(scenario, everywhere));
});

describe("a run of a random flow", () => {
  it.each(Array.from({ length: 20 }, (_, n) => 100 + n))(
    "comes to the same wherever it is given back, and nothing that is kept is done again (seed %i)",
    (seed) => checkPlaces(randomScenario(seed), everywhere),
  );
});
