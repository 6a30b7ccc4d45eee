// Several replicas and shared system prompts: how soon the first token comes when calls go where their prefix is cached.

import { formatNumber, type Section } from "../overhead/report.ts";
import { bosun, type Contender, noPool, semaphore } from "./contender.ts";
import type { Field } from "./field.ts";

/** Of the capacity. */
const LOADS = [0.5, 0.9] as const;

const SPREAD: readonly Contender[] = [
  noPool,
  semaphore,
  bosun({ route: "round-robin" }),
  bosun({ route: "prefix-affinity" }),
  bosun(),
];

export async function measureAffinity(fields: readonly Field[]): Promise<Section> {
  const rows: Record<string, string>[] = [];
  const data: unknown[] = [];
  for (const field of fields)
    for (const load of LOADS) {
      const base = await field.at(load, () => noPool);
      for (const contender of SPREAD) {
        const tally = contender === noPool ? base : await field.at(load, () => contender);
        rows.push({
          replicas: `${field.replicas}`,
          load: `${load}`,
          contender: tally.contender,
          "mean TTFT ms": formatNumber(tally.meanFirstToken),
          "x lower": formatNumber(base.meanFirstToken / tally.meanFirstToken),
          "p95 TTFT ms": formatNumber(tally.p95FirstToken),
          "tokens from cache": `${formatNumber(tally.hitShare * 100)} %`,
          "p95 slowdown": formatNumber(tally.p95Slowdown),
        });
        data.push({ replicas: field.replicas, load, ...tally });
      }
    }
  return {
    title: "Affinity: time to first token with shared system prompts",
    note: "TTFT: from the call to its first token, the pool's queue included. The target is 2 times lower than round robin (no pool).",
    rows,
    data,
  };
}
