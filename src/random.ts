// Random numbers from a seed: the same seed gives the same numbers on every machine.

/** The next number, at least 0 and below 1. */
export type Random = () => number;

/**
 * A generator of its own: two with one seed give the same numbers. 2^32 numbers until they repeat, enough for noise and not for
 * secrets. Source: mulberry32, T. Ettinger, public domain, 2017.
 */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A seed from a text. Source: FNV-1a, 32 bits, G. Fowler, L. C. Noll, K.-P. Vo, 1991. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return hash;
}
