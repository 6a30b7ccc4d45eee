// One run of thousands of steps: what an engine adds when a run is long.

import { formatNumber, type Section } from "../overhead/report.ts";
import { pairedRatio, summarize } from "../overhead/statistics.ts";
import type { Field } from "./field.ts";
import { BASE, spreadOf } from "./figure.ts";
import type { Scale } from "./scale.ts";

export async function measureLong(field: Field, scale: Scale): Promise<Section> {
  const { longSteps: steps, longRounds } = scale;
  const results = await field.rounds(longRounds, {
    shape: { order: "row", steps },
    callMs: 0,
    concurrency: 1,
    forMs: 0,
    runs: 1,
  });
  const timesOf = (name: string): readonly number[] =>
    (results.get(name) ?? []).map(({ wallMs }) => wallMs);
  const measured = field.names.map((name) => {
    const times = timesOf(name);
    return { name, wallMs: summarize(times), ratio: pairedRatio(times, timesOf(BASE)) };
  });
  return {
    title: `One run of ${formatNumber(steps)} steps without work, results of 1 KiB`,
    note: `${longRounds} runs of each after one that is not counted, interleaved; whole run, its start and end included.`,
    rows: measured.map(({ name, wallMs, ratio }) => ({
      engine: name,
      ms: formatNumber(wallMs.median),
      spread: spreadOf(wallMs),
      "us/step": formatNumber((wallMs.median * 1_000) / steps),
      "x sqlite": formatNumber(ratio),
    })),
    data: measured,
  };
}
