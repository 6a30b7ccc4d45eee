// Bounds what a tool's result brings into a prompt: by bytes and by estimated tokens.
//
// A text is cut at a line or a word. Anything else is cut by its structure: lists become their count and first items, long texts
// and large objects inside are shortened, and what is left is always JSON.
//
// Invariants
//   L1  What the model reads is within both bounds.
//   L2  What the model reads is the text itself for a text, and valid JSON for anything else.
//   L3  A result within the bounds is passed on unchanged.

import { strict as assert } from "node:assert";
import { estimateTokens } from "../../inference/model/tokens.ts";
import type { Json } from "../../json.ts";
import { pruneJson } from "./prune.ts";
import { cutText } from "./text.ts";

/** The bounds. A tool's own are at least 64 bytes and 16 tokens: below that no shortened result has a meaning. */
export type Limit = { readonly maxBytes: number; readonly maxTokens: number };

/** A result within its bounds. */
export type LimitedResult = {
  readonly value: Json;
  /** What the model reads. */
  readonly content: string;
  /** Of `content`. */
  readonly bytes: number;
  /** Of `content`, estimated. */
  readonly tokens: number;
  /** True when something was left out or summarised. */
  readonly truncated: boolean;
};

/**
 * The result within its bounds.
 * @param summarise Asked first when the result is too large. What it gives is bounded too; when it rejects the result itself is cut.
 */
export async function limitResult(
  value: Json,
  limit: Limit,
  summarise?: (value: Json) => Promise<Json>,
): Promise<LimitedResult> {
  const whole = measured(value, false);
  if (isWithin(whole, limit)) return whole;
  const shorter = summarise ? await summarise(value).catch(() => value) : value; // a summary is an offer, the result is what counts
  return { ...cutResult(shorter, limit), truncated: true };
}

/** The result cut to its bounds, without a summary. */
export function cutResult(value: Json, limit: Limit): LimitedResult {
  const whole = measured(value, false);
  if (isWithin(whole, limit)) return whole;
  if (typeof value === "string") {
    const cut = cutText(value, (text) => isWithin(measured(text, true), limit));
    return measured(cut, true);
  }
  // The share that prune fills is in bytes and tokens added up piece by piece; the sum of estimates may differ from the estimate
  // of the sum, so that the whole is measured and tried again with less.
  for (let share = 1; share > 0.01; share *= 0.8) {
    const pruned = pruneJson(value, (text) => costOf(text, limit) / share);
    if (pruned === undefined) break;
    const cut = measured(pruned, true);
    if (isWithin(cut, limit)) return cut;
  }
  const nothing = measured(null, true);
  assert(
    isWithin(nothing, limit),
    `a limit of ${limit.maxBytes} bytes and ${limit.maxTokens} tokens leaves no room for anything`,
  );
  return nothing;
}

function measured(value: Json, truncated: boolean): LimitedResult {
  const content = typeof value === "string" ? value : JSON.stringify(value);
  return {
    value,
    content,
    bytes: Buffer.byteLength(content),
    tokens: estimateTokens(content),
    truncated,
  };
}

function isWithin({ bytes, tokens }: LimitedResult, { maxBytes, maxTokens }: Limit): boolean {
  return bytes <= maxBytes && tokens <= maxTokens;
}

/**
 * The part of the bounds that a piece takes: 1 is all of it. A short piece is estimated on its repetition, because estimates are
 * rounded up: a comma would count as a whole token.
 */
function costOf(text: string, { maxBytes, maxTokens }: Limit): number {
  const tokens = text.length < 64 ? estimateTokens(text.repeat(16)) / 16 : estimateTokens(text);
  return Math.max(Buffer.byteLength(text) / maxBytes, tokens / maxTokens);
}
