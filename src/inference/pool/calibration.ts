// Calibration: how many tokens a server counts for what was estimated as one. Each reply's usage corrects it.

export interface Calibration {
  /** Tokens as the server will count them. */
  tokens(estimated: number): number;
  learn(estimated: number, counted: number): void;
}

/** A reply moves the average by this share. */
const WEIGHT = 0.1;
/** No tokenizer is further from four characters a token, in any language; what says so counts something else. */
const LEAST = 0.25;
const MOST = 4;

export function createCalibration(): Calibration {
  let factor: number | undefined;
  return {
    tokens: (estimated) => Math.ceil(estimated * (factor ?? 1)),
    learn(estimated, counted) {
      if (estimated <= 0 || counted <= 0) return;
      const seen = Math.min(MOST, Math.max(LEAST, counted / estimated));
      factor = factor === undefined ? seen : factor + WEIGHT * (seen - factor);
    },
  };
}
