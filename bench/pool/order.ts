// At the capacity and a little below: how long runs of 2 and of 20 calls take when the pool orders them, and when calls come first come,
// first served.

import { formatNumber, type Section } from "../overhead/report.ts";
import { noPool } from "./contender.ts";
import type { Field } from "./field.ts";
import { CONTENDERS } from "./overload.ts";
import type { Tally } from "./tally.ts";

/** Loads, and how many times better than first come, first served the p95 of run latency per call should be. */
const LOADS = [
  { load: 0.9, target: 1.3 },
  { load: 1, target: 1.4 },
] as const;

export async function measureOrder(fields: readonly Field[]): Promise<Section> {
  const rows: Record<string, string>[] = [];
  const data: unknown[] = [];
  for (const field of fields)
    for (const { load, target } of LOADS) {
      const base = await field.at(load, () => noPool);
      for (const [index, make] of CONTENDERS.entries()) {
        const tally = index === 0 ? base : await field.at(load, make);
        rows.push({
          mix: field.profile.name,
          load: `${load}`,
          ...rowOf(tally, base),
          target: `${target}`,
        });
        data.push({ mix: field.profile.name, load, ...tally });
      }
    }
  return {
    title: "Order: p95 of run latency per call, seconds",
    note:
      "Gain: how many times lower than no pool, where vLLM takes calls first come, first served; by seed: the least and the most of one. " +
      "Per class: the p95 and the mean of its runs.",
    rows,
    data,
  };
}

function rowOf(tally: Tally, base: Tally): Record<string, string> {
  return {
    contender: tally.contender,
    "p95/call": seconds(tally.p95PerCall),
    gain: gain(tally.p95PerCall, base.p95PerCall),
    "by seed": rangeOf(tally, base),
    "short p95": seconds(tally.p95OfClass.short),
    "short gain": gain(tally.p95OfClass.short, base.p95OfClass.short),
    "long p95": seconds(tally.p95OfClass.long),
    "long gain": gain(tally.p95OfClass.long, base.p95OfClass.long),
    "short mean gain": gain(tally.meanOfClass.short, base.meanOfClass.short),
    "long mean gain": gain(tally.meanOfClass.long, base.meanOfClass.long),
    preemptions: `${tally.preemptions}`,
  };
}

/** The least and the most gain of a seed. */
export function rangeOf(tally: Tally, base: Tally): string {
  const gains = tally.p95PerCallOfSeed.map(
    (ms, index) => (base.p95PerCallOfSeed[index] ?? NaN) / ms,
  );
  return `${formatNumber(Math.min(...gains))}-${formatNumber(Math.max(...gains))}`;
}

export function seconds(ms: number): string {
  return formatNumber(ms / 1_000);
}

export function gain(own: number, other: number): string {
  return formatNumber(other / own);
}
