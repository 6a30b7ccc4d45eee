// What a model call tells while it is made: its starts, retries and fallbacks, with what the attempts that failed cost.
//
// It is in the log at once, and in what the call's step comes to: where that is replayed, the body says it again. The log drops what
// was stored, and what a crash kept from being stored is there after all (C2).

import { BosunError, detailOf, isBosunError } from "../../error.ts";
import { isObject, type Json } from "../../json.ts";
import type { Path } from "../../inference/model/model.ts";
import type { CallCost } from "../../inference/model/price.ts";
import { type Amount, NOTHING } from "./budget.ts";
import type { RunFact } from "./event.ts";
import type { RunLog } from "./log.ts";

/** Plain JSON. */
export type Told = {
  readonly attempt: number;
  readonly facts: readonly RunFact[];
  /** What the attempts that failed used. */
  readonly failed: Amount;
  /** Of the last attempt; undefined where its model has no price. */
  readonly cost: CallCost | undefined;
};

export const NOTHING_TOLD: Told = { attempt: 1, facts: [], failed: NOTHING, cost: undefined };

/** One execution's telling of one call. */
export interface Telling {
  /** By the step's function. */
  say(fact: RunFact, attempt: number): void;
  /** By the body: what the step came to was told by an earlier execution. Nothing where this one has told it. */
  again(told: Told): void;
  /** What this execution has told. */
  readonly said: Pick<Told, "attempt" | "facts">;
}

export function createTelling(log: RunLog, path: Path): Telling {
  const facts: RunFact[] = [];
  let attempt = 1;
  return {
    say(fact, ofAttempt) {
      attempt = ofAttempt;
      facts.push(fact);
      log.emit(path, fact, attempt);
    },
    again(told) {
      if (facts.length === 0) for (const fact of told.facts) log.emit(path, fact, told.attempt);
    },
    get said() {
      return { attempt, facts };
    },
  };
}

/** The error with what its call has told, for the journal. */
export function withTold(error: unknown, told: Told): unknown {
  return isBosunError(error) ? withDetail(error, told) : error;
}

/** What the call that failed so has told; undefined for an error that is not the call's own. */
export function toldIn(error: unknown): Told | undefined {
  const told = detailOf(error, TOLD);
  return isObject(told) && Array.isArray(told["facts"]) ? (told as unknown as Told) : undefined; // `as`: withTold made it
}

/** The error as it was before `withTold`. */
export function withoutTold(error: unknown): unknown {
  return isBosunError(error) && toldIn(error) ? withDetail(error, undefined) : error;
}

const TOLD = "told";

function withDetail(error: BosunError, told: Json | undefined): BosunError {
  const { code, message, retryable, cause } = error;
  const { [TOLD]: _, ...rest } = error.details ?? {};
  const details = told === undefined ? rest : { ...rest, [TOLD]: told };
  const isBare = Object.keys(details).length === 0;
  return new BosunError(code, message, { retryable, cause, ...(isBare ? {} : { details }) });
}
