// At one and a half times the capacity: what preempts, what fails, and how many runs still end in time.

import { formatNumber, type Section } from "../overhead/report.ts";
import { bosun, type Contender, noPool, semaphore } from "./contender.ts";
import type { Field } from "./field.ts";
import { oracle } from "./oracle.ts";
import { GOOD, type Tally } from "./tally.ts";
import type { Workload } from "./workload.ts";

export const OVERLOAD = 1.5;

/** All contenders that sections compare, the plain ones first. */
export const CONTENDERS: readonly ((workload: Workload) => Contender)[] = [
  () => noPool,
  () => semaphore,
  () => bosun(),
  (workload) => oracle(workload),
];

/** Each field at the overload. */
export async function measureOverload(fields: readonly Field[]): Promise<Section> {
  const tallies: { readonly field: Field; readonly tally: Tally; readonly base: Tally }[] = [];
  for (const field of fields) {
    const base = await field.at(OVERLOAD, () => noPool);
    tallies.push({ field, tally: base, base });
    for (const make of CONTENDERS.slice(1))
      tallies.push({ field, tally: await field.at(OVERLOAD, make), base });
  }
  return {
    title: `Overload: ${OVERLOAD} times the capacity`,
    note:
      `Goodput: runs per second that end within ${GOOD} times their unloaded latency. Fewer preemptions: against no pool; the target is 90 %. ` +
      "The semaphore is max_num_seqs (256), which a KV cache of this size never lets it reach. The oracle is no part of Bosun.",
    rows: tallies.map(({ field, tally, base }) => ({
      workload: `${field.profile.name}, ${field.replicas} GPU`,
      contender: tally.contender,
      runs: `${tally.runs}`,
      preemptions: `${tally.preemptions}`,
      fewer: `${formatNumber((1 - tally.preemptions / base.preemptions) * 100)} %`,
      "runs/s in time": formatNumber(tally.goodput),
      "x no pool": formatNumber(tally.goodput / base.goodput),
      "out of memory": countOf(tally, "model/out-of-memory"),
      "context errors": countOf(tally, "model/context-length"),
      "other errors": `${otherErrors(tally)}`,
      "vLLM queue": `${tally.mostWaiting}`,
    })),
    data: tallies.map(({ field, tally }) => ({ workload: field.profile.name, ...tally })),
  };
}

function countOf({ errors }: Tally, code: string): string {
  return `${errors[code] ?? 0}`;
}

function otherErrors({ errors }: Tally): number {
  return Object.entries(errors)
    .filter(([code]) => code !== "model/out-of-memory" && code !== "model/context-length")
    .reduce((sum, [, count]) => sum + count, 0);
}
