// An error as events carry it.

import type { BosunError, ErrorData } from "../../error.ts";

/** The error without its partial text and usage: events stay small, both stand elsewhere in them. */
export function withoutText(error: BosunError): ErrorData {
  const { details, ...data } = error.toJSON();
  if (details === undefined) return data;
  const { text: _text, usage: _usage, ...rest } = details;
  return Object.keys(rest).length > 0 ? { ...data, details: rest } : data;
}
