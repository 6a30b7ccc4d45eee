// What a replica knows of itself at one moment: all that vLLM's /metrics say, but for the histograms, which need the hooks.

import type { EngineCounters } from "./counters.ts";
import type { Engine, EngineState } from "./engine.ts";
import type { GenerateTimings } from "./generate.ts";
import type { Sequence, SequenceFinish } from "./sequence.ts";
import type { StepBatch } from "./step-cost.ts";

/** Gauges and counters by vLLM's names (`vllm:` and `_total` left out). */
export type ReplicaStats = {
  /** engine_sleep_state, or dead. */
  readonly state: EngineState;
  /** The latest step's end that is settled, or the latest change from outside. */
  readonly numRequestsRunning: number;
  /** All that wait; those of the reason "deferred" have no LoRA slot, the others no capacity. */
  readonly numRequestsWaiting: number;
  readonly numRequestsDeferred: number;
  /** 0 to 1: blocks in use. Cached blocks that nobody uses count as free. */
  readonly kvCacheUsage: number;
  /** Blocks that hold content which can be hit, in use or free. */
  readonly kvBlocksCached: number;
  /** Names, sorted. */
  readonly runningLoras: readonly string[];
  readonly waitingLoras: readonly string[];
  readonly counters: EngineCounters;
};

/** A step that has ended. `batch` is used again: read it at once. */
export type StepReport = {
  readonly beganAtMs: number;
  readonly endedAtMs: number;
  /** iteration_tokens_total is prefillTokens + decodeSeqs. */
  readonly batch: StepBatch;
};

/** A generation that has ended: what the histograms per request need. */
export type FinishReport = {
  readonly id: string;
  readonly finish: SequenceFinish;
  readonly arrivedAtMs: number;
  /** Undefined when it ended without having run. */
  readonly startedAtMs: number | undefined;
  readonly endedAtMs: number;
  readonly timings: GenerateTimings;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly preemptions: number;
  /** The time of each token: first token, inter-token latencies. Empty when there was none. */
  readonly times: Float64Array;
};

/** The engine as it stands. O(running + waiting). */
export function readStats(engine: Engine): ReplicaStats {
  const { running, waiting, numDeferred, kv } = engine.scheduler;
  const { pool } = kv;
  const waitingSequences = waiting.toArray();
  return {
    state: engine.state,
    numRequestsRunning: running.length,
    numRequestsWaiting: waitingSequences.length,
    numRequestsDeferred: Math.min(numDeferred, waitingSequences.length),
    kvCacheUsage: 1 - pool.numFree / pool.numBlocks,
    kvBlocksCached: pool.numCached,
    runningLoras: lorasOf(running),
    waitingLoras: lorasOf(waitingSequences),
    counters: engine.counters,
  };
}

function lorasOf(sequences: readonly Sequence[]): readonly string[] {
  const names = new Set<string>();
  for (const { request } of sequences) if (request.lora !== undefined) names.add(request.lora);
  return [...names].toSorted();
}
