// What one engine's metrics count of the requests that went through it. The engine's own gauges come from its stats.

import type { GenerateEvent } from "../generate.ts";
import {
  CHOICES,
  createHistogram,
  FIRST_TOKEN_S,
  type Histogram,
  observe,
  REQUEST_S,
  TOKEN_S,
  tokenBounds,
} from "./histogram.ts";

/** Reasons that vLLM counts from its start. */
export const FINISHED = ["stop", "length", "abort", "error", "repetition"] as const;

/** Sums and histograms of an engine. */
export type Recorded = {
  promptTokens: number;
  cachedTokens: number;
  generationTokens: number;
  readonly finished: Record<(typeof FINISHED)[number], number>;
  readonly histograms: { readonly [Name in HistogramName]: Histogram };
};

/** Names without `vllm:`. */
export type HistogramName =
  | "time_to_first_token_seconds"
  | "inter_token_latency_seconds"
  | "request_time_per_output_token_seconds"
  | "e2e_request_latency_seconds"
  | "request_queue_time_seconds"
  | "request_inference_time_seconds"
  | "request_prefill_time_seconds"
  | "request_decode_time_seconds"
  | "request_prompt_tokens"
  | "request_generation_tokens"
  | "request_max_num_generation_tokens"
  | "request_params_n"
  | "request_params_max_tokens"
  | "request_prefill_kv_computed_tokens";

/** Nothing yet. */
export function createRecorded(maxModelLen: number): Recorded {
  const tokens = (): Histogram => createHistogram(tokenBounds(maxModelLen));
  return {
    promptTokens: 0,
    cachedTokens: 0,
    generationTokens: 0,
    finished: { stop: 0, length: 0, abort: 0, error: 0, repetition: 0 },
    histograms: {
      time_to_first_token_seconds: createHistogram(FIRST_TOKEN_S),
      inter_token_latency_seconds: createHistogram(TOKEN_S),
      request_time_per_output_token_seconds: createHistogram(TOKEN_S),
      e2e_request_latency_seconds: longTimes(),
      request_queue_time_seconds: longTimes(),
      request_inference_time_seconds: longTimes(),
      request_prefill_time_seconds: longTimes(),
      request_decode_time_seconds: longTimes(),
      request_prompt_tokens: tokens(),
      request_generation_tokens: tokens(),
      request_max_num_generation_tokens: tokens(),
      request_params_n: createHistogram(CHOICES),
      request_params_max_tokens: tokens(),
      request_prefill_kv_computed_tokens: tokens(),
    },
  };
}

/** What is known of a request when it comes. */
export type Arrival = {
  readonly atMs: number;
  readonly promptTokens: number;
  readonly maxTokens: number;
};

/** Follows one request. */
export type RequestRecorder = {
  follow(event: GenerateEvent): void;
  /** Nobody reads it any more: counted as aborted when it has not ended. */
  leave(): void;
};

/** Counts a request as its events come. */
export function followRequest(recorded: Recorded, arrival: Arrival): RequestRecorder {
  const { histograms } = recorded;
  let lastMs: number | undefined;
  let tokens = 0;
  const countTokens = (times: Float64Array): void => {
    for (const atMs of times) {
      if (lastMs === undefined)
        observe(histograms.time_to_first_token_seconds, (atMs - arrival.atMs) / 1_000);
      else observe(histograms.inter_token_latency_seconds, (atMs - lastMs) / 1_000);
      lastMs = atMs;
    }
    tokens += times.length;
    recorded.generationTokens += times.length;
  };
  let hasEnded = false;
  return {
    follow(event) {
      if (event.type === "tokens") countTokens(event.times);
      if (event.type !== "end") return;
      hasEnded = true;
      countEnd(recorded, { arrival, tokens, event });
    },
    leave() {
      if (hasEnded) return;
      recorded.finished.abort++;
      recorded.promptTokens += arrival.promptTokens;
    },
  };
}

type Ended = {
  readonly arrival: Arrival;
  readonly tokens: number;
  readonly event: Extract<GenerateEvent, { type: "end" }>;
};

function countEnd(recorded: Recorded, { arrival, tokens, event }: Ended): void {
  const { histograms, finished } = recorded;
  const { timings, cachedTokens, finish } = event;
  finished[finish]++;
  recorded.promptTokens += arrival.promptTokens;
  recorded.cachedTokens += cachedTokens;
  observe(histograms.e2e_request_latency_seconds, seconds(event.atMs - arrival.atMs));
  observe(histograms.request_queue_time_seconds, seconds(timings.queueMs));
  observe(histograms.request_inference_time_seconds, seconds(timings.prefillMs + timings.decodeMs));
  observe(histograms.request_prefill_time_seconds, seconds(timings.prefillMs));
  observe(histograms.request_decode_time_seconds, seconds(timings.decodeMs));
  if (tokens > 1)
    observe(
      histograms.request_time_per_output_token_seconds,
      seconds(timings.decodeMs) / (tokens - 1),
    );
  observe(histograms.request_prompt_tokens, arrival.promptTokens);
  observe(histograms.request_generation_tokens, tokens);
  observe(histograms.request_max_num_generation_tokens, tokens);
  observe(histograms.request_params_n, 1);
  observe(histograms.request_params_max_tokens, arrival.maxTokens);
  observe(histograms.request_prefill_kv_computed_tokens, arrival.promptTokens - cachedTokens);
}

function seconds(ms: number): number {
  return ms / 1_000;
}

function longTimes(): Histogram {
  return createHistogram(REQUEST_S);
}
