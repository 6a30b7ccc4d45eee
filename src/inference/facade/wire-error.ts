// What an HTTP client is told when something goes wrong: a status, OpenAI's error body, and when to come again. Pure.

import { detailOf, type ErrorCode, isBosunError } from "../../error.ts";
import type { JsonObject } from "../../json.ts";

/** Statuses that errors have here. 499: the client has left (nginx's number). */
export type ErrorStatus = 400 | 401 | 403 | 404 | 413 | 429 | 499 | 500 | 502 | 503 | 504 | 507;

/** A failure as HTTP says it. */
export type WireError = {
  readonly status: ErrorStatus;
  readonly body: { readonly error: JsonObject };
  readonly headers: Readonly<Record<string, string>>;
};

type Said = { readonly status: ErrorStatus; readonly type: string; readonly code?: string };

/** Seconds after which an overloaded server may be asked again when nobody said so. */
const DEFAULT_RETRY_SECONDS = 1;

/**
 * The error in OpenAI's form; `details.param` becomes its `param`. Messages of a BosunError are meant for whoever called. Those of
 * any other error stay here, because nobody has looked at what they tell.
 */
export function toWireError(error: unknown, requestId: string): WireError {
  if (!isBosunError(error)) {
    const message = `internal error; the request was ${requestId}`;
    return wireError({ status: 500, type: "server_error", code: "internal_error" }, message, null);
  }
  const said = SAID[error.code] ?? { status: 500, type: "server_error" };
  const param = detailOf(error, "param");
  const wire = wireError(
    { code: error.code, ...said },
    error.message,
    typeof param === "string" ? param : (PARAMS[error.code] ?? null),
  );
  return said.status === 429 || said.status === 503
    ? { ...wire, headers: { "retry-after": retryAfter(detailOf(error, "retryAfterMs")) } }
    : wire;
}

function wireError(
  { status, type, code }: Required<Said>,
  message: string,
  param: string | null,
): WireError {
  return { status, body: { error: { message, type, param, code } }, headers: {} };
}

/** Whole seconds, at least 1: a client that reads 0 comes back at once. */
function retryAfter(ms: unknown): string {
  const seconds = typeof ms === "number" ? Math.ceil(ms / 1_000) : DEFAULT_RETRY_SECONDS;
  return String(Math.max(1, seconds));
}

const INVALID = "invalid_request_error";

/** Codes are OpenAI's where it has one, else ours. */
const SAID: Partial<Readonly<Record<ErrorCode, Said>>> = {
  "server/bad-request": { status: 400, type: INVALID, code: "invalid_request" },
  "server/unauthorized": { status: 401, type: INVALID, code: "invalid_api_key" },
  "server/forbidden": { status: 403, type: INVALID, code: "forbidden" },
  "server/not-found": { status: 404, type: INVALID, code: "unknown_url" },
  "server/too-large": { status: 413, type: INVALID, code: "request_too_large" },
  "server/closing": { status: 503, type: "overloaded_error", code: "closing" },
  "model/bad-request": { status: 400, type: INVALID, code: "invalid_request" },
  "model/context-length": { status: 400, type: INVALID, code: "context_length_exceeded" },
  "model/unknown": { status: 404, type: INVALID, code: "model_not_found" },
  "model/not-found": { status: 404, type: INVALID, code: "model_not_found" },
  "model/rate-limited": { status: 429, type: "rate_limit_error", code: "rate_limit_exceeded" },
  "model/overloaded": { status: 503, type: "overloaded_error", code: "overloaded" },
  "model/out-of-memory": { status: 507, type: "overloaded_error", code: "out_of_memory" },
  "worker/out-of-memory": { status: 507, type: "overloaded_error", code: "out_of_memory" },
  "model/cancelled": { status: 499, type: "cancelled", code: "cancelled" },
  "model/timed-out": { status: 504, type: "timeout_error" },
  // The server behind this one failed, not the caller: its key, its address, its protocol.
  "model/unreachable": { status: 502, type: "upstream_error" },
  "model/unauthorized": { status: 502, type: "upstream_error" },
  "model/protocol": { status: 502, type: "upstream_error" },
  "model/cut": { status: 502, type: "upstream_error" },
  "model/truncated": { status: 502, type: "upstream_error" },
};

const PARAMS: Partial<Readonly<Record<ErrorCode, string>>> = {
  "model/context-length": "messages",
  "model/unknown": "model",
  "model/not-found": "model",
};
