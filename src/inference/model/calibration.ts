// How far the estimate of tokens is off, learned for each model from what its server counted.
//
// A ratio and a margin: `estimate × ratio` is the middle of what was seen, and the margin covers what lay above it. Text that is all
// JSON or code has more tokens for its length than prose, so both come from many prompts, and one that was odd moves neither far.

import type { Usage } from "./usage.ts";
import { putNewest } from "../../newest.ts";

/** What an estimate is multiplied by, and the share of a context that stays free because counts are not exact. */
export type Scale = { readonly ratio: number; readonly margin: number };

/** What is assumed of a model that nothing is known of. */
export const FIRST_SCALE: Scale = { ratio: 1, margin: 0.1 };

/** Learns from replies. */
export interface Calibration {
  /** A server's count for a prompt that was estimated. Counts that no server made, and small prompts, teach nothing. */
  note(model: string, estimatedTokens: number, usage: Usage): void;
  /** The scale that covers all of these models. */
  scaleOf(models: readonly string[]): Scale;
}

/** Prompts that are kept for each model, the newest. */
const MAX_SAMPLES = 64;
/** Models that are kept; the one that was longest unused goes first. */
const MAX_MODELS = 256;
/** In a smaller prompt what the chat template adds is more than the text's own error. */
const LEAST_TOKENS = 100;
/** What a ratio may be. A server that cuts prompts in silence (Ollama) counts too few: what it says must not make prompts longer. */
const RATIO_BOUNDS = [0.75, 4] as const;
/** A count below this share of its estimate is no count of the whole prompt. */
const LEAST_RATIO = 0.5;
/** As if so many prompts had been estimated right: the first reply alone does not decide. */
const PRIOR_SAMPLES = 2;
/** The margin falls from 10 % to no less than 3 % as replies come, and rises to at most 30 % when they differ. */
const MARGIN_BOUNDS = [0.03, 0.3] as const;
/** So many replies halve what the first margin has for want of evidence. */
const HALVING_SAMPLES = 8;
/** The share of prompts that the margin covers. */
const COVERED = 0.95;

export function createCalibration(): Calibration {
  const byModel = new Map<string, readonly number[]>();
  return {
    note(model, estimatedTokens, usage) {
      const counted = usage.source === "server" ? usage.input.total : undefined;
      if (counted === undefined || counted <= 0 || estimatedTokens < LEAST_TOKENS) return;
      const ratio = Math.min(counted / estimatedTokens, RATIO_BOUNDS[1]);
      if (ratio < LEAST_RATIO) return;
      const samples = [...(byModel.get(model) ?? []), ratio].slice(-MAX_SAMPLES);
      putNewest(byModel, [model, samples], MAX_MODELS);
    },
    scaleOf: (models) => widest(models.map((model) => toScale(byModel.get(model) ?? []))),
  };
}

function toScale(samples: readonly number[]): Scale {
  if (samples.length === 0) return FIRST_SCALE;
  const prior = Array.from({ length: PRIOR_SAMPLES }, () => 1);
  const ratio = clamp(quantile([...prior, ...samples], 0.5), RATIO_BOUNDS);
  const spread = quantile(samples, COVERED) / ratio - 1;
  const doubt = FIRST_SCALE.margin / (1 + samples.length / HALVING_SAMPLES);
  return { ratio, margin: clamp(Math.max(spread, doubt), MARGIN_BOUNDS) };
}

/** The scale under which the least fits. */
function widest(scales: readonly Scale[]): Scale {
  const factor = ({ ratio, margin }: Scale): number => ratio / (1 - margin);
  return scales.reduce(
    (most, scale) => (factor(scale) > factor(most) ? scale : most),
    scales[0] ?? FIRST_SCALE,
  );
}

/** The smallest value that is not below so large a share of all. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 1;
}

function clamp(value: number, [least, most]: readonly [number, number]): number {
  return Math.min(most, Math.max(least, value));
}
