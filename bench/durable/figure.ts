// How figures of this benchmark are told. Pure.

import type { Summary } from "../overhead/statistics.ts";

/** What ratios are to. */
export const BASE = "sqlite";

/** The value below which that share of the values lies; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * share)] ?? NaN;
}

/** (max - min) / median, for people. */
export function spreadOf({ spread }: Summary): string {
  return `${Math.round(spread * 100)} %`;
}
