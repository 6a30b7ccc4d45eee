// Durations that were measured, by what they are of: the newest few of each, for those who plan with the shortest or the longest.

import { putNewest } from "../../newest.ts";

export interface Durations {
  note(key: string, ms: number): void;
  /** The shortest of the newest; undefined before `enough` were measured. */
  shortest(key: string, enough: number): number | undefined;
  /** The longest of the newest; undefined before one was measured. */
  longest(key: string): number | undefined;
}

/** Things whose durations are kept, and how many of each. */
const MAX_KEYS = 1_024;
const MAX_EACH = 8;

export function createDurations(): Durations {
  const known = new Map<string, readonly number[]>();
  return {
    note: (key, ms) =>
      putNewest(known, [key, [...(known.get(key) ?? []), ms].slice(-MAX_EACH)], MAX_KEYS),
    shortest(key, enough) {
      const each = known.get(key);
      return each && each.length >= enough ? Math.min(...each) : undefined;
    },
    longest(key) {
      const each = known.get(key);
      return each && Math.max(...each);
    },
  };
}
