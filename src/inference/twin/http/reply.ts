// What the generating routes share of their answers: headers of the stream, usage, metrics.

import type { JsonObject } from "../../../json.ts";
import type { ServingFlags } from "../flag.ts";
import type { GenerateTimings } from "../generate.ts";
import { toServerMetrics } from "../server-metrics.ts";
import type { TwinUsage } from "../twin.ts";

/** What all objects of one answer share. */
export type Envelope = {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** The model's name as it was asked for. */
  readonly model: string;
};

/** The sum over the choices of one prompt, which is counted once, and over prompts. */
export type Tally = {
  promptTokens: number;
  completionTokens: number;
  cachedTokens: number;
  timings: GenerateTimings | undefined;
};

/** Nothing yet. */
export function createTally(promptTokens = 0): Tally {
  return { promptTokens, completionTokens: 0, cachedTokens: 0, timings: undefined };
}

/** Counts a choice that has ended. Of several, the last one's times are told. */
export function addChoice(tally: Tally, usage: TwinUsage, timings: GenerateTimings): void {
  tally.completionTokens += usage.completionTokens;
  tally.cachedTokens = Math.max(tally.cachedTokens, usage.cachedTokens);
  tally.timings = timings;
}

/** vLLM's usage. Whole answers have null where streams have no details. */
export function toUsage(
  tally: Tally,
  { enablePromptTokensDetails }: ServingFlags,
  form: "whole" | "stream",
): JsonObject {
  const { promptTokens, completionTokens, cachedTokens } = tally;
  return {
    prompt_tokens: promptTokens,
    total_tokens: promptTokens + completionTokens,
    completion_tokens: completionTokens,
    ...(enablePromptTokensDetails
      ? { prompt_tokens_details: { cached_tokens: cachedTokens } }
      : form === "whole"
        ? { prompt_tokens_details: null }
        : {}),
  };
}

/** `{ metrics }` where the flag says so, else nothing. */
export function toMetrics(
  { timings, completionTokens }: Tally,
  { enablePerRequestMetrics }: ServingFlags,
): JsonObject {
  if (!enablePerRequestMetrics || !timings) return {};
  return { metrics: toServerMetrics(timings, completionTokens) };
}
