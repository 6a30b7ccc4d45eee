// What an engine has counted since it was started.

import type { SequenceFinish } from "./sequence.ts";

/** Sums since the engine was started, as vLLM's counters. Lookups are in tokens. */
export type EngineCounters = {
  readonly steps: number;
  readonly prefixCacheQueries: number;
  readonly prefixCacheHits: number;
  readonly preemptions: number;
  /** Prompt tokens of requests that have their first token: computed + cached. */
  readonly promptTokens: number;
  readonly promptTokensComputed: number;
  readonly promptTokensCached: number;
  readonly generationTokens: number;
  readonly requests: Readonly<Record<SequenceFinish, number>>;
};

/** The sums that the engine itself keeps; the scheduler keeps the rest. */
export type MutableCounters = {
  steps: number;
  promptTokens: number;
  promptTokensComputed: number;
  promptTokensCached: number;
  generationTokens: number;
  requests: Record<SequenceFinish, number>;
};

export function zeroCounters(): MutableCounters {
  return {
    steps: 0,
    promptTokens: 0,
    promptTokensComputed: 0,
    promptTokensCached: 0,
    generationTokens: 0,
    requests: { stop: 0, length: 0, abort: 0, error: 0 },
  };
}
