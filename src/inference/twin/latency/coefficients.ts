// The time of a step as seven numbers of physical meaning: what a measurement can determine without knowing the GPU or the model.
//
// A roofline has the same form with more parts: fitted and computed step costs can be compared number by number.

import { NO_BATCH, type StepBatch, type StepCost } from "../step-cost.ts";

/** Milliseconds. All at least 0. */
export type StepCoefficients = {
  /** Each step: the host's work, launches. */
  readonly fixedMs: number;
  /** Each step: reading all weights. Hidden behind computing when a step has many tokens. */
  readonly readMs: number;
  /** Each token in a step: computing it with all weights. Hidden behind reading when there are few. */
  readonly tokenMs: number;
  /** Each pair of tokens that attend to each other in prefill. */
  readonly pairMs: number;
  /** Each token of context that a decode reads. */
  readonly contextTokenMs: number;
  /** Each request in a step. */
  readonly requestMs: number;
  /** Each request once, before its first step (frontend.ts). No part of a step. */
  readonly frontendMs: number;
};

/** The names, in the order in which tables show them. */
export const COEFFICIENTS: readonly (keyof StepCoefficients)[] = [
  "fixedMs",
  "readMs",
  "tokenMs",
  "pairMs",
  "contextTokenMs",
  "requestMs",
  "frontendMs",
];

/**
 * fixed + max(read, token × tokens) + pair × pairs + context × context + request × requests. Where all of that is 0 it is a
 * millionth of a millisecond: no step takes no time.
 */
export function toStepCost(coefficients: StepCoefficients): StepCost {
  return (batch) => Math.max(LEAST_MS, stepMs(coefficients, batch));
}

const LEAST_MS = 1e-6;

/** As `toStepCost`, for one batch. */
export function stepMs(coefficients: StepCoefficients, batch: StepBatch): number {
  const { fixedMs, readMs, tokenMs, pairMs, contextTokenMs, requestMs } = coefficients;
  return (
    fixedMs +
    Math.max(readMs, tokenMs * (batch.prefillTokens + batch.decodeSeqs)) +
    pairMs * batch.prefillAttention +
    contextTokenMs * batch.decodeContextTokens +
    requestMs * (batch.prefillSeqs + batch.decodeSeqs)
  );
}

/** `seqs` decodes whose contexts are `context` tokens long on average. */
export function decodeBatch(seqs: number, context: number): StepBatch {
  return { ...NO_BATCH, decodeSeqs: seqs, decodeContextTokens: seqs * context, sampledSeqs: seqs };
}

/** `batch` with a whole prompt besides, of which the first `cached` tokens need no computing. */
export function withPrompt(batch: StepBatch, tokens: number, cached = 0): StepBatch {
  const computed = tokens - cached;
  return {
    ...batch,
    prefillSeqs: batch.prefillSeqs + 1,
    prefillTokens: batch.prefillTokens + computed,
    prefillAttention: batch.prefillAttention + computed * (cached + computed / 2),
    prefillContextTokens: batch.prefillContextTokens + tokens,
    sampledSeqs: batch.sampledSeqs + 1,
  };
}
