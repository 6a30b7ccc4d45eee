// Coefficients from what was measured: the non-negative ones that bring all observations nearest, by relative error.
//
// All is linear but max(read, token × tokens), whose knee is the number of tokens from which a step is bound by computing. For a
// given knee it is linear too: some fifty knees are tried and the best one is kept.

import { strict as assert } from "node:assert";
import { BosunError } from "../../../error.ts";
import type { StepBatch } from "../step-cost.ts";
import { COEFFICIENTS, stepMs, type StepCoefficients } from "./coefficients.ts";
import { type Row, solveNonNegative } from "./least-squares.ts";

/** A time that was measured, and the steps that it is made of. */
export type Observation = {
  /** For the table of errors. */
  readonly name: string;
  /** `count` steps of each batch: 1 for a step, 0.1 for what every tenth step is. */
  readonly steps: readonly { readonly count: number; readonly batch: StepBatch }[];
  /** How often the frontend's time is in it: 1 in a time to first token, 0 between tokens. */
  readonly frontends: number;
  readonly measuredMs: number;
};

/** One observation and what the fit says of it. */
export type FitPoint = {
  readonly name: string;
  readonly measuredMs: number;
  readonly fittedMs: number;
  /** (fitted - measured) / measured. */
  readonly error: number;
};

/** The outcome of a fit. */
export type Fit = {
  readonly coefficients: StepCoefficients;
  readonly points: readonly FitPoint[];
  /** Mean of |error|. */
  readonly meanError: number;
  /** Largest |error|. */
  readonly maxError: number;
};

/** What is known before. */
export type FitOptions = {
  /**
   * Where coefficients lie that the observations do not determine, e.g. a roofline's. One of its numbers that is off by 100 %
   * counts as much as an observation that is off by 10 %. Default: none.
   */
  readonly prior?: StepCoefficients | undefined;
};

/**
 * The best coefficients. O(knees × (observations + rounds)): a tenth of a second at most for a hundred observations.
 * @throws BosunError `config/invalid` without observations, or for a time that is no positive number.
 */
export function fitStepCost(observations: readonly Observation[], { prior }: FitOptions = {}): Fit {
  if (observations.length === 0)
    throw new BosunError("config/invalid", "a fit needs observations, got none");
  for (const { name, measuredMs } of observations)
    if (!(measuredMs > 0 && measuredMs < Infinity))
      throw new BosunError("config/invalid", `${name}: expected a time above 0, got ${measuredMs}`);
  let best: { readonly fit: Fit; readonly loss: number } | undefined;
  for (const knee of kneesOf(prior)) {
    const coefficients = solveFor(knee, observations, prior);
    const fit = toFit(coefficients, observations);
    const loss = lossOf(fit, prior);
    if (!best || loss < best.loss * (1 - TIE)) best = { fit, loss };
  }
  assert(best); // there are always knees to try
  return best.fit;
}

/** Of knees that fit as well, the smallest is kept: a difference below this is none. */
const TIE = 1e-6;

/** Tokens, 1 to 4,096, in steps of a fifth of an octave: the error by the grid is below 2 % of the time near the knee. */
function kneesOf(prior: StepCoefficients | undefined): readonly number[] {
  const grid = Array.from({ length: 61 }, (_, index) => 2 ** (index / 5));
  return prior && prior.tokenMs > 0 ? [prior.readMs / prior.tokenMs, ...grid] : grid;
}

/** How strongly a prior pulls: FitOptions. */
const PRIOR_IMPORTANCE = 0.1;

function solveFor(
  knee: number,
  observations: readonly Observation[],
  prior: StepCoefficients | undefined,
): StepCoefficients {
  const rows = observations.map((observation) => toRow(observation, knee));
  const known = prior ? priorRows(prior, knee) : [];
  const [fixedMs = 0, tokenMs = 0, pairMs = 0, contextTokenMs = 0, requestMs = 0, frontendMs = 0] =
    solveNonNegative([...rows, ...known]);
  const step = { fixedMs, readMs: tokenMs * knee, tokenMs, pairMs };
  return { ...step, contextTokenMs, requestMs, frontendMs };
}

/** The unknowns: fixed, token (read is token × knee), pair, context, request, frontend. */
function toRow({ steps, frontends, measuredMs }: Observation, knee: number): Row {
  const features = [0, 0, 0, 0, 0, frontends];
  for (const { count, batch } of steps) {
    const parts = [
      1,
      Math.max(knee, batch.prefillTokens + batch.decodeSeqs),
      batch.prefillAttention,
      batch.decodeContextTokens,
      batch.prefillSeqs + batch.decodeSeqs,
    ];
    for (const [index, part] of parts.entries())
      features[index] = (features[index] ?? 0) + count * part;
  }
  return { features, target: measuredMs, importance: 1 / measuredMs };
}

/** The row of each known number; read is token × knee. */
function priorRows(prior: StepCoefficients, knee: number): readonly Row[] {
  const unknowns: readonly (readonly [index: number, times: number, known: number])[] = [
    [0, 1, prior.fixedMs],
    [1, 1, prior.tokenMs],
    [1, knee, prior.readMs],
    [2, 1, prior.pairMs],
    [3, 1, prior.contextTokenMs],
    [4, 1, prior.requestMs],
    [5, 1, prior.frontendMs],
  ];
  return unknowns
    .filter(([, , known]) => known > 0)
    .map(([index, times, known]) => {
      const features = [0, 0, 0, 0, 0, 0];
      features[index] = times;
      return { features, target: known, importance: PRIOR_IMPORTANCE / known };
    });
}

function toFit(coefficients: StepCoefficients, observations: readonly Observation[]): Fit {
  const points = observations.map(({ name, measuredMs, steps, frontends }) => {
    const fittedMs = steps.reduce(
      (sum, { count, batch }) => sum + count * stepMs(coefficients, batch),
      frontends * coefficients.frontendMs,
    );
    return { name, measuredMs, fittedMs, error: fittedMs / measuredMs - 1 };
  });
  const errors = points.map(({ error }) => Math.abs(error));
  return {
    coefficients,
    points,
    meanError: errors.reduce((sum, error) => sum + error, 0) / errors.length,
    maxError: Math.max(...errors),
  };
}

/** Squared relative errors, those of the prior included. */
function lossOf({ coefficients, points }: Fit, prior: StepCoefficients | undefined): number {
  const measured = points.reduce((sum, { error }) => sum + error ** 2, 0);
  if (!prior) return measured;
  const pulls = COEFFICIENTS.map((name) =>
    prior[name] > 0 ? PRIOR_IMPORTANCE * (coefficients[name] / prior[name] - 1) : 0,
  );
  return measured + pulls.reduce((sum, pull) => sum + pull ** 2, 0);
}
