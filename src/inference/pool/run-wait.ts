// How long the calls of each run have waited for admission so far: a run ages, not a call, because it is the run that is late.

import { putNewest } from "../../newest.ts";

export interface RunWaits {
  /** Milliseconds of the run's calls that were let in; 0 for a run that nobody knows. */
  of(runId: string): number;
  add(runId: string, ms: number): void;
}

/** Runs remembered; the longest without a wait go first. */
const MAX_RUNS = 16_384;

export function createRunWaits(): RunWaits {
  const waits = new Map<string, number>();
  return {
    of: (runId) => waits.get(runId) ?? 0,
    add(runId, ms) {
      if (ms <= 0) return;
      const sum = (waits.get(runId) ?? 0) + ms;
      putNewest(waits, [runId, sum], MAX_RUNS);
    },
  };
}
