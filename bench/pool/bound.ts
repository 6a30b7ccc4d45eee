// How much of run latency is a queue at all: what any order and any admission could gain, by load.

import { formatNumber, type Section } from "../overhead/report.ts";
import { bosun, noPool } from "./contender.ts";
import type { Field } from "./field.ts";
import { oracle } from "./oracle.ts";
import { gain, rangeOf, seconds } from "./order.ts";
import { L40S_ENDLESS } from "./profile.ts";
import type { Tally } from "./tally.ts";

const LOADS = [0.8, 0.9, 1, 1.1] as const;

export async function measureBound(fields: readonly Field[]): Promise<Section> {
  const rows: Record<string, string>[] = [];
  const data: unknown[] = [];
  for (const field of fields)
    for (const load of LOADS) {
      const base = await field.at(load, () => noPool);
      const endless = {
        ...(await field.at(load, () => noPool, L40S_ENDLESS)),
        contender: "never full",
      };
      const others = [
        await field.at(load, () => bosun({ order: "fcfs" })),
        await field.at(load, () => bosun()),
        await field.at(load, oracle),
      ];
      for (const tally of [base, ...others, endless]) {
        rows.push({ mix: field.profile.name, load: `${load}`, ...rowOf(tally, base) });
        data.push({ mix: field.profile.name, load, ...tally });
      }
      rows.push({
        mix: field.profile.name,
        load: `${load}`,
        contender: "each run alone",
        "p95/call": seconds(field.aloneP95PerCall),
        gain: gain(field.aloneP95PerCall, base.p95PerCall),
      });
    }
  return {
    title: "Bound: what could be gained at most, by load",
    note:
      "Never full: no pool before a cache that is so large that no call waits or is preempted; who only chooses which call begins when gains no more " +
      "unless it keeps the batch narrower than the load asks for. Each run alone: a GPU of its own for each, which no order gains.",
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
    "short gain": gain(tally.p95OfClass.short, base.p95OfClass.short),
    "long gain": gain(tally.p95OfClass.long, base.p95OfClass.long),
    "long mean gain": gain(tally.meanOfClass.long, base.meanOfClass.long),
    preemptions: formatNumber(tally.preemptions),
    "vLLM queue": formatNumber(tally.mostWaiting),
  };
}
