// Follows the calls of one endpoint, so that when it runs out of memory it can be said why. Bounded: MAX_RUNS runs of numbers.
//
// Costs a Map look-up a call; lines are fitted when memory has run out, never before.

import type { Growth, Load, MemoryFacts } from "./memory-fact.ts";
import { type MemoryReport, planMemoryReport } from "./memory-report.ts";
import { putNewest } from "../../newest.ts";

export interface MemoryWatch {
  /** A call starts there. */
  onStart(runId: string, promptTokens: number): void;
  /** A call with this load went well. */
  onSuccess(load: Load): void;
  /** Says why there is no memory. */
  report(failed: FailedForMemory): MemoryReport;
}

/** A call that failed for want of memory; see MemoryFacts. */
export type FailedForMemory = Pick<MemoryFacts, "said" | "isTooLarge"> & {
  readonly runId: string;
  readonly load: Load;
};

export type MemoryWatchOptions = {
  /** Tokens of the endpoint's KV cache. */
  readonly kvTokens?: number | undefined;
};

/** Runs that are looked at; the ones that began first go first. */
const MAX_RUNS = 256;
/** Prompts of one run that are looked at: the first ones. */
const MAX_PROMPTS = 64;

export function createMemoryWatch(options: MemoryWatchOptions = {}): MemoryWatch {
  const runs = new Map<string, RunPrompts>();
  let runCount = 0;
  let calls = 0;
  const best = { promptTokens: 0, tokensInFlight: 0, inFlight: 0 };
  return {
    onStart(runId, promptTokens) {
      let run = runs.get(runId);
      if (run === undefined) {
        run = { longest: 0, prompts: [] };
        putNewest(runs, [runId, run], MAX_RUNS);
        runCount++;
      }
      run.longest = Math.max(run.longest, promptTokens);
      if (run.prompts.length < MAX_PROMPTS) run.prompts.push(promptTokens);
    },
    onSuccess(load) {
      calls++;
      best.promptTokens = Math.max(best.promptTokens, load.promptTokens);
      best.tokensInFlight = Math.max(best.tokensInFlight, load.tokensInFlight);
      best.inFlight = Math.max(best.inFlight, load.inFlight);
    },
    report({ said, isTooLarge, runId, load }) {
      const facts: MemoryFacts = {
        said,
        isTooLarge,
        failed: load,
        best: { ...best },
        calls,
        runs: runCount,
        overRuns: growthOf(Array.from(runs.values(), ({ longest }) => longest)),
        inRun: growthOf(runs.get(runId)?.prompts ?? []),
        kvTokens: options.kvTokens,
      };
      return planMemoryReport(facts);
    },
  };
}

type RunPrompts = { longest: number; readonly prompts: number[] };

/** The line of least squares through `values` at 0, 1, 2, …; undefined for fewer than two. */
export function growthOf(values: readonly number[]): Growth | undefined {
  const [steps, first, last] = [values.length, values[0], values.at(-1)];
  if (steps < 2 || first === undefined || last === undefined) return undefined;
  const meanX = (steps - 1) / 2;
  const meanY = values.reduce((sum, value) => sum + value, 0) / steps;
  let [xy, xx, yy] = [0, 0, 0];
  for (const [x, y] of values.entries()) {
    xy += (x - meanX) * (y - meanY);
    xx += (x - meanX) ** 2;
    yy += (y - meanY) ** 2;
  }
  return { steps, first, last, perStep: xy / xx, fit: yy === 0 ? 0 : (xy * xy) / (xx * yy) };
}
