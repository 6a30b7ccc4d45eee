// Order statistics of a handful of measurements. Pure.

/** A set of measurements in their unit. `spread` = (max - min) / median. */
export type Summary = {
  readonly n: number;
  readonly median: number;
  readonly p90: number;
  readonly min: number;
  readonly max: number;
  readonly spread: number;
};

/** The summary of at least one value. */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const median = quantile(sorted, 0.5);
  const min = quantile(sorted, 0);
  const max = quantile(sorted, 1);
  const spread = (max - min) / median;
  return { n: values.length, median, p90: quantile(sorted, 0.9), min, max, spread };
}

/** Median of the ratios of values that were measured in the same round: what slows a whole round falls out. */
export function pairedRatio(values: readonly number[], base: readonly number[]): number {
  return summarize(values.map((value, round) => value / (base[round] ?? NaN))).median;
}

/** Least-squares slope of y over x. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const above = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const below = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return below === 0 ? 0 : above / below;
}

/** The list turned by `by` places: each round starts with another contender. */
export function rotate<T>(items: readonly T[], by: number): readonly T[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

/** Linear interpolation between the two nearest values of a sorted list. */
function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? NaN;
  const high = sorted[Math.ceil(at)] ?? NaN;
  return low + (high - low) * (at - Math.floor(at));
}
