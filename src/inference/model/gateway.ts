// What a Bosun gateway and a Bosun behind it tell each other besides OpenAI's protocol, both ways: errors with our codes, and what
// a call met behind the gateway. Pure. Hints have a file of their own (hint-header.ts).

import { BosunError, detailOf, type ErrorCode, isBosunError } from "../../error.ts";
import { isJson, isObject, type Json, type JsonObject, parseJson } from "../../json.ts";
import { fromAttemptsField, readUsage, toAttemptsField, toUsageField } from "./gateway-attempt.ts";
import { MAX_NAME } from "./message.ts";
import type { ModelRequest, Reply } from "./model.ts";

/** Says how long a call may wait for admission, in milliseconds. */
export const QUEUE_HEADER = "x-bosun-queue-ms";
/** "false" from a Bosun, which falls back by itself, so that its run shows it. */
export const FALLBACK_HEADER = "x-bosun-fallback";
/** Of an error: the gateway has repeated the call already. */
export const FINAL_HEADER = "x-bosun-final";
/** The body's field of `settings.thinking`: the gateway knows how its server is told. */
export const THINKING_FIELD = "bosun_thinking";

/** Codes that go over the wire by their own names. */
const CODES: ReadonlySet<string> = new Set<ErrorCode>([
  "model/unknown",
  "model/not-found",
  "model/unreachable",
  "model/protocol",
  "model/unauthorized",
  "model/bad-request",
  "model/context-length",
  "model/truncated",
  "model/rate-limited",
  "model/overloaded",
  "model/out-of-memory",
  "worker/out-of-memory",
  "model/server",
  "model/timed-out",
  "model/cut",
  "model/cancelled",
]);

/** Details that mean the same on both sides. Texts are each side's own; usage has a field of its own. */
const DETAILS = [
  "reason",
  "retryAfterMs",
  "contextTokens",
  "promptTokens",
  "outputTokens",
  "served",
  "phase",
  "status",
  "memory",
] as const;

/** Longest message that is taken over. */
const MAX_MESSAGE = 2_000;

/** What an error's body has for a Bosun, beside OpenAI's fields; undefined for an error that is no model's. */
export function toGatewayField(error: unknown): JsonObject | undefined {
  if (!isBosunError(error) || !CODES.has(error.code)) return undefined;
  const details = Object.fromEntries(
    DETAILS.flatMap((key): [string, Json][] => {
      const value = error.details?.[key];
      return value === undefined ? [] : [[key, value]];
    }),
  );
  const usage = toUsageField(error.details?.["usage"]);
  const said = { code: error.code, message: error.message.slice(0, MAX_MESSAGE), details };
  return usage === undefined ? said : { ...said, usage };
}

/** The gateway's error as it was there. Never retryable: the gateway has done that. Undefined for any other body. */
export function fromGatewayBody(body: string, where: string): BosunError | undefined {
  const parsed = parseJson(body);
  const error = isObject(parsed) ? parsed["error"] : undefined;
  const field = isObject(error) ? error["bosun"] : undefined;
  if (!isObject(field)) return undefined;
  const { code, message, details } = field;
  if (typeof code !== "string" || !CODES.has(code)) return undefined;
  const said = typeof message === "string" ? message.slice(0, MAX_MESSAGE) : code;
  const kept = isObject(details)
    ? DETAILS.flatMap((key) => (isJson(details[key]) ? [[key, details[key]] as const] : []))
    : [];
  // What the gateway's attempts used. Where tokens came, the client counts them itself (cost.ts).
  const usage = readUsage(field["usage"]);
  // `as`: CODES holds nothing else
  return new BosunError(code as ErrorCode, `${where}: ${said}`, {
    details: { ...Object.fromEntries(kept), ...(usage ? { usage } : {}), isFinal: true },
  });
}

/** Whether an error is one of behind a gateway: it says nothing about the gateway itself. */
export function isBehindGateway(error: BosunError): boolean {
  return detailOf(error, "isFinal") === true;
}

/** What a reply's `metrics` say of the call behind the gateway, after the server's own. */
export function toGatewayMetrics({ timings, endpoint, model, failed = [] }: Reply): JsonObject {
  return {
    ...(isObject(timings.server) ? timings.server : {}),
    bosun_queue_ms: Math.round(timings.queueMs),
    bosun_endpoint: endpoint,
    bosun_model: model,
    ...(failed.length > 0 ? { bosun_failed: toAttemptsField(failed) } : {}),
  };
}

/** The reply with what its metrics say: who answered behind the gateway, and how long the call waited there. */
export function throughGateway(reply: Reply): Reply {
  const { timings } = reply;
  const metrics = isObject(timings.server) ? timings.server : {};
  const { bosun_queue_ms: queueMs, bosun_endpoint: endpoint, bosun_model: model } = metrics;
  if (typeof queueMs !== "number" || !(queueMs >= 0)) return reply;
  const { firstTokenMs } = timings;
  const failed = fromAttemptsField(metrics["bosun_failed"]);
  const server = Object.entries(metrics).filter(([key]) => !key.startsWith(OURS));
  return {
    ...reply,
    endpoint: nameIn(endpoint) ?? reply.endpoint,
    model: nameIn(model) ?? reply.model,
    ...(failed.length > 0 ? { failed } : {}),
    timings: {
      queueMs: timings.queueMs + queueMs,
      firstTokenMs: firstTokenMs === undefined ? undefined : Math.max(0, firstTokenMs - queueMs),
      totalMs: Math.max(0, timings.totalMs - queueMs),
      ...(server.length === 0 ? {} : { server: Object.fromEntries(server) }),
    },
  };
}

/** How our fields of a server's metrics begin. */
const OURS = "bosun_";

function nameIn(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, MAX_NAME) : undefined;
}

/** How a call may wait: the bounds that its request's headers say. @throws BosunError `server/bad-request` that names the header. */
export function fromQueueHeader(text: string | null): ModelRequest["timeouts"] {
  if (text === null) return undefined;
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return { queueMs: Number(text) };
  throw new BosunError(
    "server/bad-request",
    `the header ${QUEUE_HEADER} must be milliseconds, a whole number above 0`,
    { details: { param: QUEUE_HEADER } },
  );
}
