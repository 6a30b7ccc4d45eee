// Billed seconds of workers and what they cost. Pure.
//
// Runpod bills a worker from its start (container and model load) over execution to the end of its idle time, rounded up to the
// second; image pull and provisioning are free. Source: Runpod documentation, serverless pricing, 2026-08-20.

import { findPrice, type GpuPrice, PRICES } from "../../fleet/price.ts";

/** What an hour of a worker costs, each with who says so and when: a worker that comes and goes, and one that always runs. */
export type WorkerPrice = { readonly flex: GpuPrice; readonly active: GpuPrice };

/** Milliseconds of one stretch from a start to a stop, by what the worker did. */
export type Stretch = {
  readonly startMs: number;
  readonly executionMs: number;
  readonly idleMs: number;
};

/** Stretches added up. `billedSeconds` is larger than the rest together: each stretch is rounded up. */
export type BilledTime = Stretch & { readonly stretches: number; readonly billedSeconds: number };

/** What an endpoint has cost until now. */
export type Bill = {
  readonly flex: BilledTime;
  readonly active: BilledTime;
  readonly billedSeconds: number;
  readonly usd: number;
  readonly price: WorkerPrice;
};

/** The prices of a GPU of the catalogue, undefined where the table lacks one of them. */
export function findWorkerPrice(
  gpu: string,
  prices: readonly GpuPrice[] = PRICES,
): WorkerPrice | undefined {
  const [flex, active] = [findPrice(gpu, "flex", prices), findPrice(gpu, "active", prices)];
  return flex && active ? { flex, active } : undefined;
}

/** Nothing yet. */
export const NO_TIME: BilledTime = {
  startMs: 0,
  executionMs: 0,
  idleMs: 0,
  stretches: 0,
  billedSeconds: 0,
};

/** `time` with one stretch more. @example 7.2 s start, 20 s execution and 5 s idle are 33 billed seconds. */
export function addStretch(time: BilledTime, stretch: Stretch): BilledTime {
  const totalMs = stretch.startMs + stretch.executionMs + stretch.idleMs;
  return {
    startMs: time.startMs + stretch.startMs,
    executionMs: time.executionMs + stretch.executionMs,
    idleMs: time.idleMs + stretch.idleMs,
    stretches: time.stretches + 1,
    billedSeconds: time.billedSeconds + toBilledSeconds(totalMs),
  };
}

/** The times of several workers together. */
export function sumTimes(times: readonly BilledTime[]): BilledTime {
  return times.reduce(
    (sum, time) => ({
      startMs: sum.startMs + time.startMs,
      executionMs: sum.executionMs + time.executionMs,
      idleMs: sum.idleMs + time.idleMs,
      stretches: sum.stretches + time.stretches,
      billedSeconds: sum.billedSeconds + time.billedSeconds,
    }),
    NO_TIME,
  );
}

/** The sum at a price. */
export function toBill(
  time: { readonly flex: BilledTime; readonly active: BilledTime },
  price: WorkerPrice,
): Bill {
  const { flex, active } = time;
  return {
    flex,
    active,
    billedSeconds: flex.billedSeconds + active.billedSeconds,
    usd:
      (flex.billedSeconds * price.flex.usdPerHour +
        active.billedSeconds * price.active.usdPerHour) /
      3_600,
    price,
  };
}

/** A sum of floating-point milliseconds may lie a hair above the second that it means. */
const HAIR_MS = 1e-6;

function toBilledSeconds(ms: number): number {
  return Math.ceil((ms - HAIR_MS) / 1_000);
}
