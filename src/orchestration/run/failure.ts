// An error as events carry it, and as the body of a child run throws it.

import { BosunError, detailOf, type ErrorData, isBosunError, toBosunError } from "../../error.ts";

/** The error without its partial text and usage: events stay small, both stand elsewhere in them. */
export function withoutText(error: BosunError): ErrorData {
  const { details, ...data } = error.toJSON();
  if (details === undefined) return data;
  const { text: _text, usage: _usage, ...rest } = details;
  return Object.keys(rest).length > 0 ? { ...data, details: rest } : data;
}

/** The reason of an abort wins over what it made fail; the text that there was stays with it. */
export function failureOf(signal: AbortSignal, error: unknown, where: string): BosunError {
  const reason: unknown = signal.aborted && isBosunError(signal.reason) ? signal.reason : error;
  const failure = toBosunError(reason, "run/failed", where);
  const text = detailOf(error, "text");
  if (failure === error || text === undefined) return failure;
  return new BosunError(failure.code, failure.message, {
    retryable: failure.retryable,
    cause: error,
    details: { ...failure.details, text },
  });
}
