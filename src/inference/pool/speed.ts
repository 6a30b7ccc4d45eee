// How fast an endpoint is, learned from its replies: tokens of prompt computed per second, and milliseconds between two tokens at a batch.

import type { Reply } from "../model/model.ts";

export interface Speed {
  /** Milliseconds until so many tokens of prompts are computed. */
  prefillMs(tokens: number): number;
  /** Milliseconds of an answer's tokens among `batch` calls in flight. */
  decodeMs(tokens: number, batch: number): number;
  /** Milliseconds of a whole call as it was lately; undefined before the first. */
  readonly callMs: number | undefined;
  learn(reply: Reply, seen: { readonly computedTokens: number; readonly batch: number }): void;
}

/** A reply moves an average by this share. */
const WEIGHT = 0.1;
/** Before anything was seen: an 8B model on a mid-range GPU (serving.md 4.6 has 2,000 to 20,000 and 7 to 60). */
const UNSEEN = { prefillTokensPerMs: 8, interTokenMs: 20 } as const;
/** No engine is faster: an answer that is was held back on its way, by a proxy or a parser of tool calls, and tells nothing. */
const LEAST_TOKEN_MS = 0.1;
/** A batch of so many takes twice as long for a token as one call alone: decode reads the weights once for all of them. */
const BATCH_OF_DOUBLE = 64;

export function createSpeed(): Speed {
  let prefillTokensPerMs: number | undefined;
  /** Of one call alone. */
  let interTokenMs: number | undefined;
  let callMs: number | undefined;
  return {
    prefillMs: (tokens) => tokens / (prefillTokensPerMs ?? UNSEEN.prefillTokensPerMs),
    decodeMs: (tokens, batch) => tokens * (interTokenMs ?? UNSEEN.interTokenMs) * slowdown(batch),
    get callMs() {
      return callMs;
    },
    learn({ usage, timings }, { computedTokens, batch }) {
      const { firstTokenMs, totalMs } = timings;
      callMs = average(callMs, totalMs);
      if (firstTokenMs === undefined) return;
      // Short prompts tell the network's time, not the GPU's.
      if (computedTokens >= 256 && firstTokenMs > 0)
        prefillTokensPerMs = average(prefillTokensPerMs, computedTokens / firstTokenMs);
      const decoded = usage.output.total - 1;
      const tokenMs = (totalMs - firstTokenMs) / decoded;
      if (decoded >= 8 && tokenMs >= LEAST_TOKEN_MS)
        interTokenMs = average(interTokenMs, tokenMs / slowdown(batch));
    },
  };
}

function slowdown(batch: number): number {
  return 1 + Math.max(0, batch - 1) / BATCH_OF_DOUBLE;
}

function average(known: number | undefined, next: number): number {
  return known === undefined ? next : known + WEIGHT * (next - known);
}
