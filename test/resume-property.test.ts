import { describe, expect, it } from "vitest";
import {
  asSet,
  type Came,
  cutOff,
  ID,
  keptKeys,
  openKept,
  tempFolder,
  timeless,
  toEnd,
} from "./resume-scene.ts";
import { seeded } from "./orchestration/run/scenario.ts";
import { type RichCrew, richCrew } from "./rich-crew.ts";

const SEEDS = Array.from(
  { length: Number(process.env["SEEDS"] ?? 4) },
  (_, n) => n + Number(process.env["SEED0"] ?? 1),
);
/** Places at which each run is cut off. */
const CUTS = Number(process.env["CUTS"] ?? 6);

async function whole(rich: RichCrew, data: string): Promise<Came> {
  const opened = openKept(data, rich);
  const { crew, inputs, onAsk } = rich;
  return toEnd(await opened.bosun.start(crew, { inputs, onAsk, runId: ID }), opened);
}

async function resumed(rich: RichCrew, data: string): Promise<Came> {
  const opened = openKept(data, rich);
  return toEnd(await opened.bosun.resume(rich.crew, ID, { onAsk: rich.onAsk }), opened);
}

describe("a run of any crew that is cut off anywhere", () => {
  it.each(SEEDS)("comes to the same, and repeats nothing that is kept (seed %i)", async (seed) => {
    using folder = tempFolder();
    const rich = richCrew(seed);
    const expected = await whole(rich, folder.path);
    const keys = keptKeys(folder.path);
    const random = seeded(seed);
    for (let cut = 0; cut < CUTS; cut++) {
      const steps = Math.round(random() * keys.length);
      const events = Math.floor(random() * expected.events.length);
      using copy = tempFolder();
      cutOff(folder.path, copy.path, { steps, events });

      const came = await resumed(richCrew(seed), copy.path);

      const where = `seed ${seed} cut after ${steps} of ${keys.length} steps, ${events} events`;
      const done = new Set(keys.slice(0, steps));
      expect(
        came.calls.filter((call) => done.has(call)),
        where,
      ).toEqual([]);
      expect(timeless(came.state), where).toEqual(timeless(expected.state));
      expect(asSet(came.events), where).toEqual(asSet(expected.events));
    }
  });
});
