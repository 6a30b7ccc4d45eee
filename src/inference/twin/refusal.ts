// What vLLM refuses, in its words: BosunErrors whose details carry vLLM's status, type and param, so that HTTP and in-process callers
// see the same refusal. Texts of vLLM main of 2026-08 (docs/twin.md has the sources).

import { BosunError, type ErrorCode } from "../../error.ts";
import type { JsonObject } from "../../json.ts";

/** How a refusal stands on the wire. */
export type Refusal = {
  readonly code: ErrorCode;
  readonly status: 400 | 404 | 415 | 422 | 429 | 500 | 501 | 503;
  readonly type: string;
  readonly message: string;
  readonly param?: string | undefined;
  readonly details?: JsonObject | undefined;
  readonly retryable?: boolean | undefined;
};

/** The refusal as an error. */
export function refused({ code, status, type, message, ...more }: Refusal): BosunError {
  const { param, details = {}, retryable = false } = more;
  return new BosunError(code, message, { retryable, details: { ...details, status, type, param } });
}

/** A request that is wrong in itself. `value` follows the message as vLLM's validation has it. */
export function badRequest(message: string, param?: string, value?: string | number): BosunError {
  const suffix = value === undefined ? "" : ` (parameter=${param}, value=${value})`;
  return refused({
    code: "model/bad-request",
    status: 400,
    type: "BadRequestError",
    message: message + suffix,
    param,
  });
}

/** A body that does not have the shape of `model`, pydantic's class for it. */
export function invalidBody(model: string, message: string, param: string | undefined): BosunError {
  return refused({
    code: "model/bad-request",
    status: 400,
    type: "Bad Request",
    message: `1 validation error for ${model}: ${message}`,
    param,
  });
}

/** A model or adapter that is not served. */
export function unknownModel(name: string): BosunError {
  return refused({
    code: "model/not-found",
    status: 404,
    type: "NotFoundError",
    message: `The model \`${name}\` does not exist.`,
    param: "model",
  });
}

/** A prompt that is too long, by itself or with the answer that is wanted. */
export function tooLong(
  contextTokens: number,
  promptTokens: number,
  outputTokens: number,
): BosunError {
  const total = promptTokens + outputTokens;
  return refused({
    code: "model/context-length",
    status: 400,
    type: "BadRequestError",
    message: `This model's maximum context length is ${contextTokens} tokens. However, you requested ${outputTokens} output tokens and your prompt contains ${promptTokens} input tokens, for a total of ${total} tokens. Please reduce the length of the input prompt or the number of requested output tokens. (parameter=input_tokens, value=${promptTokens})`,
    param: "input_tokens",
    details: { contextTokens, promptTokens, outputTokens },
  });
}

/** A body that asks for what nobody has built. */
export function notImplemented(message: string): BosunError {
  return refused({
    code: "model/bad-request",
    status: 501,
    type: "NotImplementedError",
    message,
  });
}

/** More requests than --max-num-queued-reqs. */
export function queueFull(): BosunError {
  return refused({
    code: "model/overloaded",
    status: 503,
    type: "QueueOverflowError",
    message: "The request queue is full",
    retryable: true,
  });
}

/** The engine has died. */
export function engineDead(): BosunError {
  return refused({
    code: "model/server",
    status: 500,
    type: "InternalServerError",
    message: "EngineCore encountered an issue. See stack trace (above) for the root cause.",
    retryable: true,
  });
}
