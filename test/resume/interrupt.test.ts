import { describe, it } from "vitest";
import { CREWS } from "./crews.ts";
import { checkAgain, checkPlaces, type Place } from "./scene.ts";

describe.each(Object.entries(CREWS))("a run of the crew %s that is given back", (_, scenario) => {
  it("at some of its kept steps comes to the same, and nothing that is kept is done again", async () => {
    await checkPlaces(scenario, (kept) =>
      [0.1, 0.5, 0.8].map((part): Place => ({ point: "kept", n: Math.ceil(kept * part) })),
    );
  });

  it("again and again comes to the same", async () => {
    await checkAgain(scenario, 17);
  });
});
