// How much is measured: the full run for figures, the quick one to see that all works and what changed much.

import type { Writes } from "./canned.ts";

/** Rounds; `concurrency` runs at once; in each round, every contender runs for `ms` milliseconds and at least `runs` times, after `warmupMs` at the start. */
export type Bursts = {
  readonly writes: Writes;
  readonly rounds: number;
  readonly runs: number;
  readonly ms: number;
  readonly warmupMs: number;
  readonly concurrency: number;
};

export type Scale = {
  readonly name: "full" | "quick";
  readonly pipeline: readonly Bursts[];
  readonly client: readonly Bursts[];
  readonly import: { readonly rounds: number; readonly peers: boolean };
  /** false: only Bosun's source with its store on. true: the bare loop, the built package and the default of 256 sockets too. */
  readonly crews: { readonly count: number; readonly repeats: number; readonly all: boolean };
  readonly loop: { readonly runs: number; readonly every: number };
};

/** Under 6 minutes on two cores, with colleagues at work on them. */
export const FULL: Scale = {
  name: "full",
  pipeline: [
    { writes: "each", concurrency: 1, rounds: 9, runs: 10, ms: 400, warmupMs: 2_500 },
    { writes: "ten", concurrency: 1, rounds: 9, runs: 10, ms: 400, warmupMs: 1_000 },
    { writes: "each", concurrency: 16, rounds: 5, runs: 16, ms: 400, warmupMs: 500 },
  ],
  client: [
    { writes: "each", concurrency: 1, rounds: 7, runs: 300, ms: 0, warmupMs: 1_000 },
    { writes: "each", concurrency: 64, rounds: 7, runs: 384, ms: 0, warmupMs: 1_000 },
    { writes: "ten", concurrency: 1, rounds: 7, runs: 500, ms: 0, warmupMs: 1_000 },
    { writes: "ten", concurrency: 64, rounds: 7, runs: 640, ms: 0, warmupMs: 1_000 },
    { writes: "paced", concurrency: 64, rounds: 5, runs: 128, ms: 0, warmupMs: 500 },
  ],
  import: { rounds: 7, peers: true },
  crews: { count: 1_000, repeats: 2, all: true },
  loop: { runs: 20_000, every: 2_000 },
};

/** Under a minute; five rounds of everything. */
export const QUICK: Scale = {
  name: "quick",
  pipeline: [
    { writes: "each", concurrency: 1, rounds: 5, runs: 3, ms: 120, warmupMs: 900 },
    { writes: "ten", concurrency: 1, rounds: 5, runs: 3, ms: 120, warmupMs: 300 },
  ],
  client: [
    { writes: "each", concurrency: 1, rounds: 5, runs: 100, ms: 0, warmupMs: 400 },
    { writes: "each", concurrency: 64, rounds: 5, runs: 128, ms: 0, warmupMs: 400 },
    { writes: "ten", concurrency: 1, rounds: 5, runs: 150, ms: 0, warmupMs: 300 },
    { writes: "ten", concurrency: 64, rounds: 5, runs: 192, ms: 0, warmupMs: 300 },
  ],
  import: { rounds: 5, peers: false },
  crews: { count: 1_000, repeats: 1, all: false },
  loop: { runs: 2_000, every: 200 },
};
