// Errors of a run: how events carry them, which of them end the run, and what a child hands over of them.

import { BosunError, detailOf, type ErrorData, isBosunError, toBosunError } from "../../error.ts";
import type { Durable } from "../durable/durable.ts";

/** The error without its partial text and usage: events stay small, both stand elsewhere in them. */
export function withoutText(error: BosunError): ErrorData {
  const { details, ...data } = error.toJSON();
  if (details === undefined) return data;
  const { text: _text, usage: _usage, ...rest } = details;
  return Object.keys(rest).length > 0 ? { ...data, details: rest } : data;
}

/** True for an error that nobody inside the run may go on after: it was aborted, a hook blocked, its budget is used up. */
export function isFatal(d: Durable, error: unknown): boolean {
  return (
    d.signal.aborted ||
    isOverBudget(error) ||
    (isBosunError(error) && error.code === "hook/blocked")
  );
}

/** True for a call that was not made, because it could have passed a limit of its run. */
export function isOverBudget(error: unknown): boolean {
  return isBosunError(error) && error.code === "run/over-budget";
}

/** Faults of the configuration: no coworker and no other brief mends them. */
const OF_CONFIGURATION: ReadonlySet<string> = new Set([
  "config/invalid",
  "model/unknown",
  "model/not-found",
  "model/unauthorized",
]);

/** True for an error that a manager could only pay for again. */
export function isFinal(error: unknown): boolean {
  return isBosunError(error) && OF_CONFIGURATION.has(error.code);
}

/** What a child run fails with. The reason of an abort wins over what it made fail; the text that there was stays with it. */
export function failureOf(d: Durable, error: unknown, where: string): BosunError {
  const reason: unknown =
    d.signal.aborted && isBosunError(d.signal.reason) ? d.signal.reason : error;
  const failure = toBosunError(reason, "run/failed", where);
  const text = detailOf(error, "text");
  if (failure === error || text === undefined) return failure;
  return new BosunError(failure.code, failure.message, {
    retryable: failure.retryable,
    cause: error,
    details: { ...failure.details, text },
  });
}

/** The text that an error carries from a call that did not end. */
export function textOf(error: unknown): string {
  const text = detailOf(error, "text");
  return typeof text === "string" ? text : "";
}
