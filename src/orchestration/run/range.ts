// Ranges of a text's characters: what of it somebody has read. Pure.

/** Characters from the first, included, to the second, excluded. */
export type Range = readonly [from: number, to: number];

/** Most ranges that are kept: an agent reads in bounded pieces, and none reads a thousand that do not touch. */
const MAX_RANGES = 1_000;

/** The same characters as ranges that neither overlap nor touch, in their order. At most 1,000: of more, the last are left out. */
export function mergeRanges(ranges: readonly Range[]): readonly Range[] {
  const merged: [number, number][] = [];
  for (const [from, to] of ranges.toSorted(([a], [b]) => a - b)) {
    if (to <= from) continue;
    const last = merged.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged.slice(0, MAX_RANGES);
}

/** How many characters merged ranges have. */
export function lengthOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}
