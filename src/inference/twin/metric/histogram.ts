// A histogram as Prometheus has it: counts by upper bound, a sum.

/** Counts of values. */
export type Histogram = {
  readonly bounds: readonly number[];
  /** Values up to each bound that are above the one before; the last is of those above all bounds. */
  readonly counts: Float64Array;
  sum: number;
};

/** An empty histogram. Bounds ascend. */
export function createHistogram(bounds: readonly number[]): Histogram {
  return { bounds, counts: new Float64Array(bounds.length + 1), sum: 0 };
}

/** Counts a value `times` times. */
export function observe(histogram: Histogram, value: number, times = 1): void {
  const { bounds, counts } = histogram;
  let at = 0;
  while (at < bounds.length && value > (bounds[at] ?? 0)) at++;
  counts[at] = (counts[at] ?? 0) + times;
  histogram.sum += value * times;
}

// Bounds of vLLM's histograms. Source: vllm/v1/metrics/loggers.py, main of 2026-08-17.
export const FIRST_TOKEN_S: readonly number[] = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
  160, 640, 2560,
];
export const TOKEN_S: readonly number[] = [
  0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
];
export const REQUEST_S: readonly number[] = [
  0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680,
];
export const ITERATION_TOKENS: readonly number[] = [
  1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384,
];
export const CHOICES: readonly number[] = [1, 2, 5, 10, 20];

/** 1, 2, 5, 10, … up to `most`: vLLM's bounds for tokens, of which max_model_len is the most. */
export function tokenBounds(most: number): readonly number[] {
  const bounds: number[] = [];
  for (let power = 1; ; power *= 10) {
    for (const step of [1, 2, 5]) {
      if (step * power > most) return bounds;
      bounds.push(step * power);
    }
  }
}
