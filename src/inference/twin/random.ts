// Randomness from a seed: the same seed gives the same numbers on every machine. Whatever is random in a twin takes one of these.

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

/** A draw of the standard normal distribution (Box and Muller); two numbers of `random` each. */
export function drawNormal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

/** The sigma of a lognormal distribution whose standard deviation is `cv` times its mean. */
export function sigmaOf(cv: number): number {
  return Math.sqrt(Math.log1p(cv * cv));
}

/** A draw with this mean and coefficient of variation, lognormal: never below 0, rarely far above. */
export function drawLognormal(random: Random, mean: number, cv: number): number {
  if (cv === 0) return mean;
  const sigma = sigmaOf(cv);
  return mean * Math.exp(sigma * drawNormal(random) - (sigma * sigma) / 2);
}

/** A draw of the exponential distribution with this mean; Infinity when the mean is. */
export function drawExponential(random: Random, mean: number): number {
  return mean === Infinity ? Infinity : -Math.log(1 - random()) * mean;
}
