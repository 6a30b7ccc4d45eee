// Which attempt of a call comes after one that failed: the same model again, the next one, or none. Pure but for the budget.

import type { Clock } from "../../clock.ts";
import { type BosunError, detailOf } from "../../error.ts";
import { isObject } from "../../json.ts";
import { type ModelRef, nameOf } from "../model/endpoint.ts";
import type { ModelEvent } from "../model/model.ts";
import type { Usage } from "../model/usage.ts";
import { planRetry, type RetryBudget, type RetryPolicy } from "./retry.ts";

export type Repeating = {
  readonly clock: Clock;
  readonly random: () => number;
  readonly policy: RetryPolicy;
  readonly budget: RetryBudget;
};

/** One attempt of a call: the how many-th of its models, the how many-th time there, and how long was waited before it. */
export type Trial = {
  readonly ref: ModelRef;
  readonly index: number;
  readonly attempt: number;
  readonly waitedMs: number;
};

type Failed = {
  readonly at: Trial;
  readonly error: BosunError;
  readonly signal: AbortSignal;
  readonly fallback: ModelRef | undefined;
};

/** What is tried after a failure, and the event that says so. @throws the error when nothing is. */
export function planNext(
  { at, error, signal, fallback }: Failed,
  { policy, budget, random }: Repeating,
): { readonly at: Trial; readonly event: ModelEvent } {
  const { ref, index, attempt } = at;
  const { code, message } = error;
  const usage = usageIn(error);
  const decision = planRetry({ error, ...at }, policy, random());
  if (signal.aborted) throw error;
  if (decision.type === "retry" && (decision.isFree || budget.spend())) {
    const { afterMs } = decision;
    return {
      at: { ref, index, attempt: attempt + 1, waitedMs: afterMs },
      event: { type: "retry", attempt, afterMs, code, message, usage },
    };
  }
  if (fallback === undefined) throw error;
  return {
    at: { ref: fallback, index: index + 1, attempt: 1, waitedMs: 0 },
    event: { type: "fallback", from: nameOf(ref), to: nameOf(fallback), code, usage },
  };
}

/** What a failed attempt cost, so that it is counted. */
function usageIn(error: BosunError): Usage | undefined {
  const usage = detailOf(error, "usage");
  return isObject(usage) ? (usage as Usage) : undefined; // `as`: the client put it there (A3)
}
