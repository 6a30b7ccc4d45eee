// The load that a calibration puts on a server, and what its times say of steps. Pure.
//
// Waves: a number of requests of one length that begin together, on a server that does nothing else. Alone, a request's first token
// is the frontend and one step of its prompt. Together, once the last of them has begun, no prompt is left and every step decodes all
// that have not ended: the time between the tokens of that last one is the time of such a step.

import { createRandom } from "../random.ts";
import { NO_BATCH, type StepBatch } from "../step-cost.ts";
import { decodeBatch, withPrompt } from "./coefficients.ts";
import type { Observation } from "./fit.ts";

/** Requests that begin together. */
export type Wave = {
  readonly concurrency: number;
  /** Asked for; how many they are the server counts. */
  readonly promptTokens: number;
  readonly outputTokens: number;
};

/** What one request of a wave took. */
export type Timing = {
  readonly promptTokens: number;
  /** Of them, those that the prefix cache held. */
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly ttftMs: number;
  /** Mean time between its tokens. */
  readonly itlMs: number;
};

/** Prompts stay below 2,048 tokens, the smallest default of max_num_batched_tokens, also where a word is more than a token: one step. */
const PROMPTS = [64, 256, 1_024, 1_600] as const;
const CONCURRENCIES = [2, 4, 8, 16, 32] as const;
const OUTPUT_TOKENS = 64;
const REPEATS = 3;

/** Waves that tell all coefficients apart: 22, about a minute on an H100 with an 8 B model. */
export const CALIBRATION_WAVES: readonly Wave[] = [
  ...Array.from({ length: REPEATS }, () =>
    PROMPTS.map((promptTokens) => ({ concurrency: 1, promptTokens, outputTokens: OUTPUT_TOKENS })),
  ).flat(),
  ...CONCURRENCIES.flatMap((concurrency) =>
    [64, 1_600].map((promptTokens) => ({ concurrency, promptTokens, outputTokens: OUTPUT_TOKENS })),
  ),
];

/**
 * What a wave's times say. Of a wave of several only the time between tokens is used, of the request that began last.
 * @param timings of all its requests; an empty list says nothing.
 */
export function toObservations(wave: Wave, timings: readonly Timing[]): readonly Observation[] {
  const [last] = timings.toSorted((a, b) => b.ttftMs - a.ttftMs);
  if (!last) return [];
  const { promptTokens, cachedTokens, ttftMs, itlMs } = last;
  const name = `${wave.concurrency} × ${promptTokens} tokens`;
  const between: Observation = {
    name: `${name}: between tokens`,
    steps: [{ count: 1, batch: decodesDuring(last, timings) }],
    frontends: 0,
    measuredMs: itlMs,
  };
  if (wave.concurrency > 1) return [between];
  const prompt = withPrompt(NO_BATCH, promptTokens, cachedTokens);
  const first: Observation = {
    name: `${name}: first token`,
    steps: [{ count: 1, batch: prompt }],
    frontends: 1,
    measuredMs: ttftMs,
  };
  return [first, between];
}

/** The mean step while `last` answered: each request counts for as long as it answered too, with its context in the middle of that. */
function decodesDuring(last: Timing, timings: readonly Timing[]): StepBatch {
  const [fromMs, toMs] = [last.ttftMs, endOf(last)];
  let [seqs, contextTokens] = [0, 0];
  for (const timing of timings) {
    const untilMs = Math.min(toMs, endOf(timing));
    const share = Math.max(0, untilMs - fromMs) / (toMs - fromMs);
    const middle = ((fromMs + untilMs) / 2 - timing.ttftMs) / timing.itlMs;
    seqs += share;
    contextTokens += share * (timing.promptTokens + middle);
  }
  return decodeBatch(seqs, contextTokens / seqs);
}

function endOf({ ttftMs, itlMs, outputTokens }: Timing): number {
  return ttftMs + itlMs * (outputTokens - 1);
}

/**
 * A text of about `tokens` tokens that no other seed gives: nothing of it is in a prefix cache. Words that most tokenizers have as
 * one token each.
 */
export function calibrationPrompt(tokens: number, seed: number): string {
  const random = createRandom(seed);
  const words = Array.from({ length: Math.max(1, tokens - TEMPLATE_TOKENS) }, () => {
    const index = Math.floor(random() * WORDS.length);
    return WORDS[index] ?? "";
  });
  return words.join(" ");
}

/** About what a chat template adds. */
const TEMPLATE_TOKENS = 20;

const WORDS =
  "time year people way day man thing woman life child world school state family student group country problem hand part place case week company system program question work government number night point home water room mother area money story fact month lot right study book eye job word business issue side kind head house service friend father power hour game line end member law car city community name president team minute idea body information back parent face level office door health person art war history party result change morning reason research girl guy moment air teacher force education".split(
    " ",
  );
