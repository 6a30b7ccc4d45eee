// What an engine adds to a step, one run at a time.

import { formatNumber } from "../overhead/report.ts";
import { pairedRatio, summarize } from "../overhead/statistics.ts";
import type { Field } from "./field.ts";
import { BASE, percentile, spreadOf } from "./figure.ts";
import type { Scale } from "./scale.ts";
import type { Told } from "./target.ts";

/** @param callMs What each step's function waits; 0 = it does nothing. */
export async function measureStep(field: Field, scale: Scale, callMs: number): Promise<Told> {
  const results = await field.rounds(scale.rounds, {
    shape: { order: "row", steps: 5 },
    callMs,
    concurrency: 1,
    forMs: scale.forMs,
    runs: 2,
  });
  const medians = new Map(
    [...results].map(([name, rounds]) => [
      name,
      rounds.map(({ gapsMs }) => percentile(gapsMs, 0.5)),
    ]),
  );
  const measured = [...results].map(([name, rounds]) => {
    const gapsMs = rounds.flatMap((round) => round.gapsMs);
    const own = medians.get(name) ?? [];
    return {
      name,
      n: gapsMs.length,
      median: summarize(own),
      p99: percentile(gapsMs, 0.99),
      ratio: pairedRatio(own, medians.get(BASE) ?? []),
    };
  });
  const call = callMs === 0 ? "no work in the function" : `functions of ${callMs} ms`;
  return {
    title: `Step overhead, one run at a time, ${call}, results of 1 KiB`,
    note: "From the end of a step's function to the beginning of the next one's, in runs of five steps: ms. N = such gaps; median and spread over the rounds' medians, p99 over all gaps; ratio = median of each round's ratio to sqlite.",
    rows: measured.map(({ name, n, median, p99, ratio }) => ({
      engine: name,
      N: String(n),
      "median ms": formatNumber(median.median),
      spread: spreadOf(median),
      "p99 ms": formatNumber(p99),
      "x sqlite": formatNumber(ratio),
    })),
    data: measured,
    figures:
      callMs === 0
        ? {}
        : Object.fromEntries(measured.map(({ name, median }) => [`step ${name}`, median.median])),
  };
}
