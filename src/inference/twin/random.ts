// Draws of distributions from random numbers. Whatever is random in a twin takes a Random from a seed.

import type { Random } from "../../random.ts";

export { createRandom, type Random } from "../../random.ts";

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
