// Whether and when a failed call is made again. Pure; the only place in Bosun where a model call is repeated (invariant M5).
//
// Only before the first token (the client marks an error after it as not retryable), only for what may pass: no connection, 408,
// 429, 5xx. The wait is decorrelated jitter (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015), never shorter than
// the server's Retry-After. A budget bounds what all calls together may repeat, so that retries do not feed an overload.

import { type BosunError, detailOf } from "../../error.ts";

export type RetryPolicy = {
  /** Attempts of one call at one endpoint, the first included. Default 4. */
  readonly maxAttempts: number;
  /** Shortest and longest wait in ms. Default 50 and 5,000. */
  readonly baseMs: number;
  readonly capMs: number;
  /** A server that asks for a longer wait is given up; a fallback may be tried. Default 60,000. */
  readonly maxRetryAfterMs: number;
};

export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 4,
  baseMs: 50,
  capMs: 5_000,
  maxRetryAfterMs: 60_000,
};

/** What is known when a call has failed. `waitedMs` = the wait before the failed attempt, 0 before the first. */
export type Failed = {
  readonly error: BosunError;
  readonly attempt: number;
  readonly waitedMs: number;
};

export type RetryDecision =
  | { readonly type: "retry"; readonly afterMs: number; readonly isFree: boolean }
  | { readonly type: "give-up"; readonly reason: "final" | "attempts" | "retry-after" | "budget" };

/** @param random 0 to 1. */
export function planRetry(
  { error, attempt, waitedMs }: Failed,
  policy: RetryPolicy,
  random: number,
): RetryDecision {
  if (!error.retryable || isAdmission(error)) return { type: "give-up", reason: "final" };
  if (attempt >= policy.maxAttempts) return { type: "give-up", reason: "attempts" };
  // A stale kept socket, or a request that was spelled for another server: the repetition is no load that was not meant anyway.
  if (detailOf(error, "stale") === true || detailOf(error, "adapted") !== undefined)
    return { type: "retry", afterMs: 0, isFree: true };
  const retryAfterMs = detailOf(error, "retryAfterMs");
  const floorMs = typeof retryAfterMs === "number" ? retryAfterMs : 0;
  if (floorMs > policy.maxRetryAfterMs) return { type: "give-up", reason: "retry-after" };
  const highMs = Math.max(policy.baseMs, waitedMs * 3);
  const jitterMs = Math.min(policy.capMs, policy.baseMs + random * (highMs - policy.baseMs));
  // Clients that were refused together come back apart, also after a Retry-After.
  return {
    type: "retry",
    afterMs: Math.round(floorMs + (floorMs > 0 ? random * policy.baseMs : jitterMs)),
    isFree: false,
  };
}

/** The pool's own refusals: the call has waited already, or need not wait. */
function isAdmission(error: BosunError): boolean {
  const reason = detailOf(error, "reason");
  return reason === "queue-full" || reason === "queue-time" || reason === "circuit-open";
}

/** Retries that all calls of a pool may still make: each call earns a share of one, up to a bound. */
export interface RetryBudget {
  earn(): void;
  /** False when there is nothing left. */
  spend(): boolean;
}

/** @param share retries earned by one call. Default 0.1: at most 10 % extra load once the first `burst` are used up. */
export function createRetryBudget(share = 0.1, burst = 20): RetryBudget {
  let left = burst;
  return {
    earn: () => void (left = Math.min(burst, left + share)),
    spend() {
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
