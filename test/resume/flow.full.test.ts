import { describe, it } from "vitest";
import { FLOWS, randomScenario } from "./flows.ts";
import { type Place, POINTS } from "./scenario-run.ts";
import { checkKills, checkPlaces } from "./scene.ts";

const everywhere = (kept: number): readonly Place[] =>
  POINTS.flatMap((point) => Array.from({ length: kept }, (_, index) => ({ point, n: index + 1 })));

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

describe("a flow's run whose process is killed with -9", () => {
  it.each(["report", "101"])(
    "comes to the same wherever it was killed, and nothing that is kept is done again (%s)",
    (name) => checkKills(name, everywhere),
    300_000,
  );
});
