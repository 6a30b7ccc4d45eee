// vLLM's per-request metrics (--enable-per-request-metrics), in vLLM's names. Pure.

import type { GenerateTimings } from "./generate.ts";

/** Milliseconds and rates of one answer. `mean_itl_ms` is null for an answer of one token. */
export type ServerMetrics = {
  readonly time_to_first_token_ms: number;
  readonly generation_time_ms: number;
  readonly queue_time_ms: number;
  readonly mean_itl_ms: number | null;
  readonly tokens_per_second: number | null;
};

/** Generation is prefill and decode; tokens per second are of the generation. Source: vLLM docs/features/per_request_metrics.md. */
export function toServerMetrics(timings: GenerateTimings, tokens: number): ServerMetrics {
  const { queueMs, prefillMs, decodeMs } = timings;
  const generationMs = prefillMs + decodeMs;
  return {
    time_to_first_token_ms: rounded(queueMs + prefillMs),
    generation_time_ms: rounded(generationMs),
    queue_time_ms: rounded(queueMs),
    mean_itl_ms: tokens > 1 ? rounded(decodeMs / (tokens - 1)) : null,
    tokens_per_second: generationMs > 0 ? rounded((tokens / generationMs) * 1_000) : null,
  };
}

/** A microsecond is finer than any engine step. */
function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
