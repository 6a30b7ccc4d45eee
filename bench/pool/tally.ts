// What runs came to, as the few figures that sections compare. Pure.

import type { Played, RunRecord } from "./measure.ts";
import type { RunClass } from "./workload.ts";

/** Figures of one contender over all seeds. Times in milliseconds. */
export type Tally = {
  readonly contender: string;
  readonly runs: number;
  /** Of run latency by calls. */
  readonly p95PerCall: number;
  /** The same of each seed. */
  readonly p95PerCallOfSeed: readonly number[];
  readonly p95OfClass: Readonly<Record<RunClass, number>>;
  readonly meanOfClass: Readonly<Record<RunClass, number>>;
  readonly meanLatency: number;
  /** From a call to its first token. */
  readonly meanFirstToken: number;
  readonly p95FirstToken: number;
  /** Latency by unloaded latency. */
  readonly p95Slowdown: number;
  /** Runs that end within GOOD times their unloaded latency, by the seconds in which runs arrive: what a fleet under this load keeps up. */
  readonly goodput: number;
  readonly preemptions: number;
  readonly mostWaiting: number;
  /** Prompt tokens that came from a cache, 0 to 1. */
  readonly hitShare: number;
  /** Runs that ended in an error, by code. */
  readonly errors: Readonly<Record<string, number>>;
  readonly cpuSeconds: number;
};

/** A run is good when it takes at most so many times its unloaded latency. */
export const GOOD = 3;

/** One playing, and what each of its runs takes when nobody else is there, by id. */
export type Measured = { readonly played: Played; readonly unloaded: ReadonlyMap<string, number> };

/** All seeds of one contender together. */
export function tally(measured: readonly [Measured, ...Measured[]]): Tally {
  const runs = measured.flatMap(({ played }) => played.runs);
  const ended = runs.filter(isEnded);
  const slowdowns = measured.flatMap(({ played, unloaded }) =>
    played.runs.map((run) => slowdownOf(run, unloaded)),
  );
  const firstTokens = runs.flatMap(({ firstTokenMs }) => firstTokenMs);
  const sum = (pick: (played: Played) => number): number =>
    measured.reduce((total, { played }) => total + pick(played), 0);
  const ofClass = (of: (values: readonly number[]) => number): Record<RunClass, number> => {
    const pick = (kind: RunClass): number =>
      of(ended.filter((run) => run.kind === kind).map(perCall));
    return { short: pick("short"), long: pick("long") };
  };
  return {
    contender: measured[0].played.contender,
    runs: runs.length,
    p95PerCall: quantileOf(ended.map(perCall), 0.95),
    p95PerCallOfSeed: measured.map(({ played }) =>
      quantileOf(played.runs.filter(isEnded).map(perCall), 0.95),
    ),
    p95OfClass: ofClass((values) => quantileOf(values, 0.95)),
    meanOfClass: ofClass(meanOf),
    meanLatency: meanOf(ended.map(({ latencyMs }) => latencyMs)),
    meanFirstToken: meanOf(firstTokens),
    p95FirstToken: quantileOf(firstTokens, 0.95),
    p95Slowdown: quantileOf(slowdowns, 0.95),
    goodput: slowdowns.filter((slowdown) => slowdown <= GOOD).length / sum(secondsOf),
    preemptions: sum(({ preemptions }) => preemptions),
    mostWaiting: Math.max(...measured.map(({ played }) => played.mostWaiting)),
    hitShare:
      runs.reduce((total, { cachedTokens }) => total + cachedTokens, 0) /
      runs.reduce((total, { promptTokens }) => total + promptTokens, 0),
    errors: countErrors(runs),
    cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
  };
}

/** Latency by unloaded latency; Infinity for a run that failed. */
function slowdownOf(
  { id, latencyMs, error }: RunRecord,
  unloaded: ReadonlyMap<string, number>,
): number {
  return error === undefined ? latencyMs / (unloaded.get(id) ?? NaN) : Infinity;
}

/** Until the last arrival. */
function secondsOf({ runs }: Played): number {
  return Math.max(...runs.map(({ startedAt }) => startedAt)) / 1_000;
}

function isEnded({ error }: RunRecord): boolean {
  return error === undefined;
}

function perCall({ latencyMs, calls }: RunRecord): number {
  return latencyMs / calls;
}

function countErrors(runs: readonly RunRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { error } of runs) if (error !== undefined) counts[error] = (counts[error] ?? 0) + 1;
  return counts;
}

/** The value that `share` of them do not exceed; NaN of none. */
export function quantileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
