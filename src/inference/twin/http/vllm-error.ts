// An error as vLLM's HTTP surface says it: status, body, headers. Pure.

import { detailOf, type ErrorCode, isBosunError } from "../../../error.ts";
import type { JsonObject } from "../../../json.ts";

/** A failure as HTTP says it. */
export type VllmError = {
  readonly status: number;
  readonly body: JsonObject;
  readonly headers: Readonly<Record<string, string>>;
};

/**
 * The error in vLLM's form: `{"error":{"message","type","param","code"}}`, code being the status. An error that is not Bosun's is
 * an internal one, and says nothing of itself.
 */
export function toVllmError(error: unknown): VllmError {
  if (!isBosunError(error)) return vllmError(500, "InternalServerError", "Internal server error");
  const [ownStatus, ownType] = [detailOf(error, "status"), detailOf(error, "type")];
  const [status, type] =
    typeof ownStatus === "number" && typeof ownType === "string"
      ? [ownStatus, ownType]
      : (SAID[error.code] ?? [500, "InternalServerError"]);
  const param = detailOf(error, "param");
  const told = vllmError(status, type, error.message, typeof param === "string" ? param : null);
  const waitMs = detailOf(error, "retryAfterMs");
  if (typeof waitMs !== "number" || waitMs <= 0) return told;
  return { ...told, headers: { "retry-after": String(Math.ceil(waitMs / 1_000)) } };
}

/** An error by its parts. */
export function vllmError(
  status: number,
  type: string,
  message: string,
  param: string | null = null,
): VllmError {
  return { status, body: { error: { message, type, param, code: status } }, headers: {} };
}

/** Errors of what is shared with the other façade. */
const SAID: Partial<Readonly<Record<ErrorCode, readonly [number, string]>>> = {
  "server/bad-request": [400, "Bad Request"],
  "server/too-large": [413, "Request Entity Too Large"],
  "model/bad-request": [400, "BadRequestError"],
  "config/invalid": [400, "BadRequestError"], // a fault's header that is none
};
