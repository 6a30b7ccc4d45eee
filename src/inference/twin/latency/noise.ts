// Step times that vary as those of a real GPU do. Seeded: the same steps get the same times.

import { createRandom, drawLognormal } from "../random.ts";
import type { StepCost } from "../step-cost.ts";

/** How much steps vary. */
export type Noise = {
  /** Standard deviation over mean of one step's time. 0 = none. Measured on servers that do nothing else: 0.03 to 0.05. */
  readonly cv: number;
  readonly seed: number;
};

/**
 * `cost` times a lognormal factor with mean 1: the mean of many steps stays what it was.
 * Each call makes a generator of its own, so that replicas do not take numbers from each other.
 */
export function withNoise(cost: StepCost, { cv, seed }: Noise): StepCost {
  if (cv === 0) return cost;
  const random = createRandom(seed);
  return (batch) => drawLognormal(random, cost(batch), cv);
}
