// What the pool itself costs, in real time: a Model that answers at once, called directly and through a pool of eight endpoints.

import { systemClock } from "../../src/clock.ts";
import type { Model } from "../../src/inference/model/model.ts";
import { formatNumber, type Section } from "../overhead/report.ts";
import { summarize } from "../overhead/statistics.ts";
import { ENDPOINTS, KNOWN, noop, poolOf, PROMPT_CHARACTERS, requestOf } from "./no-op.ts";
import { quantileOf } from "./tally.ts";

type Way = { readonly name: string; readonly model: Model };

export async function measureSpeed(rounds: number, calls: number): Promise<Section> {
  const ways: readonly Way[] = [
    { name: "no-op Model", model: noop },
    { name: "pool, capacity unknown", model: poolOf({}, 1) },
    { name: `pool, ${ENDPOINTS} endpoints, KV and max_num_seqs`, model: poolOf(KNOWN, ENDPOINTS) },
  ];
  const rows: Record<string, string>[] = [];
  const data: unknown[] = [];
  const base = new Map<number, number>();
  for (const atOnce of [1, 64])
    for (const { name, model } of ways) {
      const perSecond: number[] = [];
      const latencies: number[] = [];
      for (let round = 0; round <= rounds; round++) {
        const measured = await runCalls(model, calls, atOnce);
        if (round === 0) continue; // warms up
        perSecond.push(calls / measured.cpuSeconds);
        latencies.push(...measured.latencies);
      }
      const { median, p90, spread, n } = summarize(perSecond);
      const p99 = quantileOf(latencies, 0.99);
      if (model === noop) base.set(atOnce, p99);
      rows.push({
        way: name,
        "at once": `${atOnce}`,
        n: `${n}`,
        "calls/s/core": formatNumber(median),
        p90: formatNumber(p90),
        spread: `${Math.round(spread * 100)} %`,
        "us/call": formatNumber(1e6 / median),
        "p50 ms": formatNumber(quantileOf(latencies, 0.5)),
        "p99 ms": formatNumber(p99),
        "p99 added ms": formatNumber(p99 - (base.get(atOnce) ?? NaN)),
      });
      data.push({ name, atOnce, perSecond, p99 });
    }
  return {
    title: "Speed: what the pool costs a call, in real time",
    note:
      `Calls per second of processor time, and latency on the wall; prompts of ${PROMPT_CHARACTERS} characters, of which half is shared. ` +
      "Targets: at least 5,000 calls/s/core, p99 added at most 1 ms. With 64 at once a call's latency holds 63 others' work on the one core: the latency target is of calls that arrive by themselves (below).",
    rows,
    data,
  };
}

const NEVER = new AbortController().signal;

async function runCalls(
  model: Model,
  calls: number,
  atOnce: number,
): Promise<{ readonly cpuSeconds: number; readonly latencies: readonly number[] }> {
  const requests = Array.from({ length: calls }, (_, index) => requestOf(index));
  const left = requests.values();
  const latencies: number[] = [];
  const before = process.cpuUsage();
  const worker = async (): Promise<void> => {
    for (const request of left) {
      const startedAt = systemClock.now();
      for await (const _ of model.call(request, NEVER));
      latencies.push(systemClock.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const { user, system } = process.cpuUsage(before);
  return { cpuSeconds: (user + system) / 1e6, latencies };
}
