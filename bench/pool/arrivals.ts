// What the pool adds to the latency of calls that arrive by themselves, in real time: an open loop. Each call's time begins when it was to
// arrive, so a loop that is late (coordinated omission) is not left out.

import { systemClock } from "../../src/clock.ts";
import { createRandom, drawExponential } from "../../src/inference/twin/random.ts";
import type { Model } from "../../src/inference/model/model.ts";
import { formatNumber, type Section } from "../overhead/report.ts";
import { rotate, summarize } from "../overhead/statistics.ts";
import { ENDPOINTS, KNOWN, noop, poolOf, requestOf } from "./no-op.ts";
import { quantileOf } from "./tally.ts";

const RATES = [1_000, 2_500, 5_000];
/** Of arrivals, in each round and of each way. */
const ROUND_MS = 2_000;

type Way = { readonly name: string; readonly model: Model };
/** Latencies of one round in milliseconds. */
type Round = readonly number[];

/** @param rounds Of each way at each rate, in turn; the first one besides warms up. */
export async function measureArrivals(rounds: number): Promise<Section> {
  const direct = { name: "no-op Model", model: noop };
  const pooled = {
    name: `pool, ${ENDPOINTS} endpoints, KV and max_num_seqs`,
    model: poolOf(KNOWN, ENDPOINTS),
  };
  const rows: Record<string, string>[] = [];
  const data: unknown[] = [];
  for (const rate of RATES) {
    const measured = new Map<Way, Round[]>([
      [direct, []],
      [pooled, []],
    ]);
    for (let round = 0; round <= rounds; round++)
      for (const way of rotate([direct, pooled], round)) {
        const latencies = await play(way.model, arrivalsOf(rate, round));
        if (round > 0) measured.get(way)?.push(latencies);
      }
    const base = measured.get(direct) ?? [];
    for (const [way, own] of measured) {
      const added = (share: number): readonly number[] =>
        own.map(
          (latencies, at) => quantileOf(latencies, share) - quantileOf(base[at] ?? [], share),
        );
      const p99 = summarize(added(0.99));
      const all = own.flat();
      const isBase = way === direct;
      rows.push({
        way: way.name,
        "calls/s": formatNumber(rate),
        calls: formatNumber(all.length),
        "p50 ms": formatNumber(quantileOf(all, 0.5)),
        "p99 ms": formatNumber(quantileOf(all, 0.99)),
        "p50 added ms": isBase ? "-" : formatNumber(summarize(added(0.5)).median),
        "p99 added ms": isBase ? "-" : formatNumber(p99.median),
        least: isBase ? "-" : formatNumber(p99.min),
        most: isBase ? "-" : formatNumber(p99.max),
      });
      data.push({ name: way.name, rate, p99OfRounds: own.map((one) => quantileOf(one, 0.99)) });
    }
  }
  return {
    title: "Speed: what the pool adds to calls that arrive by themselves, in real time",
    note:
      `Poisson arrivals (seeds 1 to ${rounds}), ${ROUND_MS / 1_000} s a round, both ways in turn with the same arrivals; a call's latency begins when it was to arrive. ` +
      `Added: the median over ${rounds} rounds of the difference within a round, and its least and most. Target: p99 added at most 1 ms.`,
    rows,
    data,
  };
}

/** When calls arrive, in milliseconds from the start. */
function arrivalsOf(rate: number, seed: number): readonly number[] {
  const random = createRandom(seed);
  const arrivals: number[] = [];
  for (let at = 0; at < ROUND_MS; at += drawExponential(random, 1_000 / rate)) arrivals.push(at);
  return arrivals;
}

/** @returns each call's latency from when it was to arrive. */
async function play(model: Model, arrivals: readonly number[]): Promise<Round> {
  const latencies = new Float64Array(arrivals.length);
  const calls: { open: number; failure: unknown } = { open: 0, failure: undefined };
  const answered = async (index: number, dueAt: number): Promise<void> => {
    calls.open++;
    try {
      for await (const _ of model.call(requestOf(index), NEVER));
      latencies[index] = systemClock.now() - dueAt;
    } catch (error) {
      calls.failure = error; // thrown below: no call of a Model that does nothing may fail
    }
    calls.open--;
  };
  const startedAt = systemClock.now();
  for (const [index, at] of arrivals.entries()) {
    // Timers are too coarse for 5,000 a second, and a turn of the loop makes garbage of its own: with nothing under way it looks at the clock.
    while (systemClock.now() - startedAt < at) if (calls.open > 0) await turn();
    void answered(index, startedAt + at);
    await turn();
  }
  while (calls.open > 0) await turn();
  if (calls.failure !== undefined) throw calls.failure;
  return [...latencies];
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const NEVER = new AbortController().signal;
