// What the journal adds to a crew: the same runs with nothing kept, with events, and with events and the journal.

import { type Child, startChild } from "../overhead/child.ts";
import { formatNumber, type Section } from "../overhead/report.ts";
import { pairedRatio, rotate, summarize } from "../overhead/statistics.ts";
import type { CrewBurst, CrewResult, Keeping } from "./crew-worker.ts";
import { spreadOf } from "./figure.ts";
import type { Scale } from "./scale.ts";

/** Ratios are to the second: what there was before the journal. */
const KEEPINGS: readonly [Keeping, Keeping, ...Keeping[]] = [
  "nothing",
  "events",
  "journal",
  "journal, power",
];

export async function measureCrew(scale: Scale): Promise<Section> {
  const children = new Map<Keeping, Child>();
  const rows: Record<string, string>[] = [];
  const data: unknown[] = [];
  try {
    for (const keeping of KEEPINGS) {
      const child = startChild("../durable/crew-worker.ts");
      await child.ask("open", keeping);
      children.set(keeping, child);
    }
    for (const concurrency of [1, 16]) {
      const results = await compare(children, scale, concurrency);
      const cpuOf = (keeping: Keeping): readonly number[] =>
        (results.get(keeping) ?? []).map(({ cpuMs }) => cpuMs);
      for (const [keeping, own] of results) {
        const cpuMs = summarize(cpuOf(keeping));
        const ratio = pairedRatio(cpuOf(keeping), cpuOf(KEEPINGS[1]));
        const steps = await children.get(keeping)?.ask<number>("steps");
        rows.push({
          kept: keeping,
          "at once": String(concurrency),
          "CPU ms/run": formatNumber(cpuMs.median),
          spread: spreadOf(cpuMs),
          "x events": formatNumber(ratio),
          "wall ms/run": formatNumber(summarize(own.map(({ wallMs }) => wallMs)).median),
          "kept steps/run": String(steps),
        });
        data.push({ keeping, concurrency, cpuMs, ratio, steps });
      }
    }
  } finally {
    for (const child of children.values()) child.stop();
  }
  return {
    title: "A crew of three agents through `bosun`, on a model in process that answers at once",
    note: `${scale.rounds} rounds of ${scale.crews} runs, after one round that is not counted; ratio = median of each round's ratio to events (\`engine: "inline"\` with a data folder). CPU = user + system of the whole process.`,
    rows,
    data,
  };
}

async function compare(
  children: ReadonlyMap<Keeping, Child>,
  { rounds, crews }: Scale,
  concurrency: number,
): Promise<ReadonlyMap<Keeping, readonly CrewResult[]>> {
  const results = new Map<Keeping, CrewResult[]>(KEEPINGS.map((keeping) => [keeping, []]));
  const burst: CrewBurst = { runs: crews, concurrency };
  for (const child of children.values()) await child.ask("burst", burst);
  for (let round = 0; round < rounds; round++)
    for (const keeping of rotate(KEEPINGS, round)) {
      const result = await children.get(keeping)?.ask<CrewResult>("burst", burst);
      if (result) results.get(keeping)?.push(result);
    }
  return results;
}
