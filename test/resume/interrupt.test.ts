import { describe, it } from "vitest";
import { CREWS } from "./crews.ts";
import { checkPlaces, type Place } from "./scene.ts";

describe("a run that is given back", () => {
  it.each(Object.keys(CREWS))(
    "at a kept step comes to the same, and nothing that is kept is done again (%s)",
    async (name) => {
      await checkPlaces(scenarioOf(name), (kept) => every(Math.ceil(kept / 5), kept));
    },
  );
});

function scenarioOf(name: string) {
  const found = CREWS[name];
  if (!found) throw new Error(`no crew ${name}`);
  return found;
}

function every(step: number, kept: number): readonly Place[] {
  const count = Math.ceil(kept / step);
  return Array.from({ length: count }, (_, n) => ({ point: "kept", n: 1 + n * step }));
}
