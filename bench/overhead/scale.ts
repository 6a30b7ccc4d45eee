// How much is measured: the full run for figures, the quick one to see that all works and what changed much.

import type { Writes } from "./canned.ts";

export type Scale = {
  readonly name: "full" | "quick";
  readonly pipeline: readonly {
    readonly writes: Writes;
    readonly rounds: number;
    readonly runs: number;
    readonly warmup: number;
  }[];
  readonly client: readonly {
    readonly writes: Writes;
    readonly concurrency: number;
    readonly rounds: number;
    readonly runs: number;
    readonly warmup: number;
  }[];
  readonly import: { readonly rounds: number; readonly peers: boolean };
  readonly crews: { readonly count: number; readonly repeats: number; readonly all: boolean };
  readonly loop: { readonly runs: number; readonly every: number };
};

/** Under 6 minutes on two cores. */
export const FULL: Scale = {
  name: "full",
  pipeline: [
    { writes: "each", rounds: 9, runs: 40, warmup: 120 },
    { writes: "ten", rounds: 9, runs: 40, warmup: 60 },
  ],
  client: [
    { writes: "each", concurrency: 1, rounds: 9, runs: 300, warmup: 600 },
    { writes: "each", concurrency: 64, rounds: 9, runs: 384, warmup: 768 },
    { writes: "ten", concurrency: 1, rounds: 9, runs: 400, warmup: 800 },
    { writes: "ten", concurrency: 64, rounds: 9, runs: 512, warmup: 1_024 },
    { writes: "paced", concurrency: 64, rounds: 5, runs: 128, warmup: 128 },
  ],
  import: { rounds: 11, peers: true },
  crews: { count: 1_000, repeats: 3, all: true },
  loop: { runs: 20_000, every: 2_000 },
};

/** Under a minute; five rounds of everything. */
export const QUICK: Scale = {
  name: "quick",
  pipeline: [
    { writes: "each", rounds: 5, runs: 12, warmup: 50 },
    { writes: "ten", rounds: 5, runs: 12, warmup: 20 },
  ],
  client: [
    { writes: "each", concurrency: 1, rounds: 5, runs: 100, warmup: 300 },
    { writes: "each", concurrency: 64, rounds: 5, runs: 128, warmup: 384 },
    { writes: "ten", concurrency: 1, rounds: 5, runs: 100, warmup: 300 },
    { writes: "ten", concurrency: 64, rounds: 5, runs: 128, warmup: 384 },
  ],
  import: { rounds: 5, peers: false },
  crews: { count: 1_000, repeats: 1, all: false },
  loop: { runs: 4_000, every: 400 },
};
