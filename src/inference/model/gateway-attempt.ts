// What a gateway's attempts that came to nothing have used: it repeats calls itself, and whoever is behind it pays for them too. Both ways
// of the wire. Pure.

import { BosunError, detailOf, isBosunError } from "../../error.ts";
import { isObject, type Json, type JsonObject } from "../../json.ts";
import { MAX_NAME } from "./message.ts";
import type { FailedAttempt, ModelEvent } from "./model.ts";
import { addUsage, type Usage } from "./usage.ts";

/** Most attempts that are told; further ones add to the last. A call has four at each of its models. */
const MAX_ATTEMPTS = 16;

/** The attempts with one that an event tells of, where it used anything. */
export function withAttempt(
  attempts: readonly FailedAttempt[],
  event: ModelEvent,
): readonly FailedAttempt[] {
  if ((event.type !== "retry" && event.type !== "fallback") || !event.usage) return attempts;
  const { code, usage } = event;
  const last = attempts.at(-1);
  if (attempts.length < MAX_ATTEMPTS || !last) return [...attempts, { code, usage }];
  return [...attempts.slice(0, -1), { code, usage: addUsage(last.usage, usage) }];
}

/** The call's error with what its earlier attempts used besides. */
export function withAttempts(error: unknown, attempts: readonly FailedAttempt[]): unknown {
  if (!isBosunError(error) || attempts.length === 0) return error;
  const { code, message, retryable, details, cause } = error;
  const own = readUsage(toUsageField(detailOf(error, "usage")));
  const all = [...(own ? [own] : []), ...attempts.map(({ usage }) => usage)];
  const usage = all.reduce((sum, one) => addUsage(sum, one));
  return new BosunError(code, message, { retryable, cause, details: { ...details, usage } });
}

/** As a reply's metrics tell them. */
export function toAttemptsField(attempts: readonly FailedAttempt[]): Json {
  return attempts.map(({ code, usage }) => ({ code, ...toUsageField(usage) }));
}

/** The attempts that a reply's metrics tell; none for anything else. */
export function fromAttemptsField(value: unknown): readonly FailedAttempt[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_ATTEMPTS).flatMap((one: unknown) => {
    const usage = readUsage(one);
    const code = isObject(one) ? one["code"] : undefined;
    return usage && typeof code === "string" ? [{ code: code.slice(0, MAX_NAME), usage }] : [];
  });
}

/** A usage in OpenAI's words; undefined for what is none. */
export function toUsageField(usage: Usage | Json | undefined): JsonObject | undefined {
  if (!isObject(usage) || !isObject(usage["input"]) || !isObject(usage["output"])) return undefined;
  return {
    prompt_tokens: usage["input"]["total"],
    completion_tokens: usage["output"]["total"],
    estimated: usage["source"] === "estimated",
  };
}

/** The usage that such a field tells. */
export function readUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const { prompt_tokens: input, completion_tokens: output, estimated } = value;
  if (!isCount(input) || !isCount(output)) return undefined;
  return {
    input: { total: input, cached: undefined },
    output: { total: output, reasoning: undefined },
    source: estimated === true ? "estimated" : "server",
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
