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

/** The sums of two engines together. */
export function addCounters(a: EngineCounters, b: EngineCounters): EngineCounters {
  return {
    steps: a.steps + b.steps,
    prefixCacheQueries: a.prefixCacheQueries + b.prefixCacheQueries,
    prefixCacheHits: a.prefixCacheHits + b.prefixCacheHits,
    preemptions: a.preemptions + b.preemptions,
    promptTokens: a.promptTokens + b.promptTokens,
    promptTokensComputed: a.promptTokensComputed + b.promptTokensComputed,
    promptTokensCached: a.promptTokensCached + b.promptTokensCached,
    generationTokens: a.generationTokens + b.generationTokens,
    requests: {
      stop: a.requests.stop + b.requests.stop,
      length: a.requests.length + b.requests.length,
      abort: a.requests.abort + b.requests.abort,
      error: a.requests.error + b.requests.error,
    },
  };
}
