// Runs per second: five steps in a row, or twenty at once.

import { formatNumber, type Section } from "../overhead/report.ts";
import { pairedRatio, summarize } from "../overhead/statistics.ts";
import type { Shape } from "./contender.ts";
import type { Field } from "./field.ts";
import { BASE, percentile, spreadOf } from "./figure.ts";
import type { Scale } from "./scale.ts";
import type { Told } from "./target.ts";
import type { BurstResult } from "./worker.ts";

const CALL_MS = 5;

export async function measureThroughput(field: Field, scale: Scale): Promise<readonly Told[]> {
  const sections: Told[] = [];
  for (const concurrency of scale.inFlight) {
    const results = await roundsOf(field, scale, { order: "row", steps: 5 }, concurrency);
    const told = tell(results, { "run p99 ms": ({ runMs }) => percentile(runMs, 0.99) });
    sections.push({
      title: `Runs of five steps of ${CALL_MS} ms, results of 1 KiB, ${concurrency} in flight`,
      note: "",
      ...told,
      figures: concurrency === 64 ? told.rates : {},
    });
  }
  const last = sections.pop();
  return last ? [...sections, { ...last, note: NOTE }] : [];
}

export async function measureFan(field: Field, scale: Scale): Promise<readonly Section[]> {
  const sections: Section[] = [];
  for (const concurrency of [1, 64]) {
    const results = await roundsOf(field, scale, { order: "fan", steps: 20 }, concurrency);
    sections.push({
      title: `Runs of twenty parallel steps of ${CALL_MS} ms, results of 1 KiB, ${concurrency} in flight`,
      note: "rest = a run's time, from its start until its end is kept, less its slowest function's.",
      ...tell(results, {
        "rest ms": ({ restMs }) => percentile(restMs, 0.5),
        "rest p99 ms": ({ restMs }) => percentile(restMs, 0.99),
      }),
    });
  }
  return sections;
}

const NOTE =
  "Each lane starts a run when its last one's end is kept. Medians over rounds, N = runs in all; ratio = median of each round's ratio to sqlite; CPU of the contender's process alone, without a server's.";

function roundsOf(
  field: Field,
  { rounds, forMs }: Scale,
  shape: Shape,
  concurrency: number,
): ReturnType<Field["rounds"]> {
  return field.rounds(rounds, { shape, callMs: CALL_MS, concurrency, forMs, runs: concurrency });
}

type Figures = Readonly<Record<string, (round: BurstResult) => number>>;

/** Runs per second and whatever else is told of them. */
function tell(
  results: ReadonlyMap<string, readonly BurstResult[]>,
  figures: Figures,
): Pick<Section, "rows" | "data"> & { readonly rates: Readonly<Record<string, number>> } {
  const ratesOf = (name: string): readonly number[] =>
    (results.get(name) ?? []).map(({ runs, wallMs }) => (runs * 1_000) / wallMs);
  const measured = [...results].map(([name, rounds]) => ({
    name,
    runs: rounds.reduce((sum, { runs }) => sum + runs, 0),
    rate: summarize(ratesOf(name)),
    ratio: pairedRatio(ratesOf(name), ratesOf(BASE)),
    cpuMs: summarize(rounds.map(({ cpuMs, runs }) => cpuMs / runs)),
    others: Object.entries(figures).map(
      ([title, figureOf]) => [title, summarize(rounds.map(figureOf)).median] as const,
    ),
  }));
  return {
    rows: measured.map(({ name, runs, rate, ratio, cpuMs, others }) => ({
      engine: name,
      N: String(runs),
      "runs/s": formatNumber(rate.median),
      spread: spreadOf(rate),
      "x sqlite": formatNumber(ratio),
      ...Object.fromEntries(others.map(([title, value]) => [title, formatNumber(value)])),
      "CPU ms/run": formatNumber(cpuMs.median),
    })),
    data: measured,
    rates: Object.fromEntries(measured.map(({ name, rate }) => [`runs ${name}`, rate.median])),
  };
}
