// How much fuller than an endpoint's cache its fullest moment may be, learned from its preemptions. Pure.
//
// The ledger looks ahead to the fullest moment, and mostly a cache is emptier than that: bounded by it, fewer calls run than where a server
// queues itself, and long runs pay for it. A little more costs a preemption now and then, much more costs as many as no bound at all: on
// bench/pool at load 1, 2 % too full preempts one call of 80, 3 % one of 35, 6 % one of 8. So each preemption is a step back, and each answer
// from a full cache a small part of a step on: one call of 64 is preempted in the long run, however wrong answers are expected.
// Source of the update: adaptive conformal inference, I. Gibbs and E. Candès, NeurIPS 2021.
//
// Invariants
//   V-C1  1 ≤ factor ≤ MOST.
//   V-C2  Without preemptions it never falls; without answers from a full cache, or without readings that count preemptions, it never rises.

import type { Gauges } from "./probe.ts";

export interface Overcommit {
  /** By this the tokens of the KV cache may be multiplied. 1 until there are readings. */
  readonly factor: number;
  /** An answer came to its end. @param isFull whether what is reserved there is more than the cache. */
  onReply(isFull: boolean): void;
  /** What the endpoint showed before, and now. */
  onGauges(before: Gauges, after: Gauges): void;
}

const STEP = 0.01;
/** One of so many calls may be preempted. */
const CALLS_PER_PREEMPTION = 64;
/** Beyond, a cache thrashes whatever the answers are. */
const MOST = 1.05;

export function createOvercommit(): Overcommit {
  let factor = 1;
  /** Answers from a full cache since the last reading. */
  let replies = 0;
  return {
    get factor() {
      return factor;
    },
    onReply(isFull) {
      if (isFull) replies++;
    },
    onGauges(before, after) {
      const seen = replies;
      replies = 0;
      if (before.preemptions === undefined || after.preemptions === undefined) return;
      // A counter that fell is an engine that was started anew.
      const preempted = Math.max(0, after.preemptions - before.preemptions);
      const next = factor + STEP * (seen / CALLS_PER_PREEMPTION - preempted);
      factor = Math.min(MOST, Math.max(1, next));
    },
  };
}
