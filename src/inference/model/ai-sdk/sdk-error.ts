// What an AI SDK provider throws → BosunError. Pure. Errors are told apart by name and fields: their classes are not imported.

import { BosunError, type ErrorCode, isBosunError, messageOf } from "../../../error.ts";
import { isJson, isObject } from "../../../json.ts";
import { type Advice, redact, toFailure } from "../failure.ts";
import { brokenOff } from "../http.ts";

export type Thrown = {
  readonly error: unknown;
  /** Names the model for messages. */
  readonly where: string;
  /** The clock's time in ms. */
  readonly now: number;
  /** The server had begun to answer. */
  readonly isAnswering: boolean;
};

/** The typed error. Where the server answered with a status, its words decide, as for our own client. */
export function toModelError(thrown: Thrown): BosunError {
  const { error, where, isAnswering } = thrown;
  const own = [error, causeOf(error)].find(isBosunError); // a model that was made by toAiSdk
  if (own) return own;
  const status = statusOf(error);
  if (status !== undefined && status >= 300) return refused(thrown, status);
  if (isNetwork(error) || isUnfinished(error))
    return isAnswering || status !== undefined
      ? brokenOff(where, error)
      : unreachable(where, error);
  // A call that came to no status: a name that is not known, a certificate that is not trusted.
  if (isNamed(error, "AI_APICallError") && status === undefined) return unreachable(where, error);
  const code = error instanceof Error ? CODES[error.name] : undefined;
  if (code !== undefined || status !== undefined)
    return new BosunError(code ?? "model/protocol", `${where}: ${safeMessage(error)}`, {
      cause: error,
    });
  if (error instanceof Error) return unknown(where, error);
  return refused(thrown, streamedStatus(error));
}

/** A refusal by its status: 4xx and 5xx as our own client reads them. It cannot be spelled anew here, so what asks for that is final. */
function refused({ error, where, now }: Thrown, status: number): BosunError {
  const fields = isObject(error) ? error : {};
  const headers = isObject(fields["responseHeaders"]) ? fields["responseHeaders"] : {};
  const body = bodyOf(error);
  const failure = toFailure({
    status,
    contentType: textOr(headers["content-type"], ""),
    retryAfter: waitOf(headers),
    body,
    where,
    secrets: keysIn(body),
    now,
    advice: ADVICE,
  });
  const { adapted, ...details } = failure.details ?? {};
  return new BosunError(failure.code, failure.message, {
    retryable: failure.retryable && adapted === undefined,
    details,
    cause: error,
  });
}

const ADVICE: Advice = {
  key: "Check the key of the provider",
  url: "Check the model's name and the base URL of the provider",
};

function bodyOf(error: unknown): string {
  if (typeof error === "string") return error;
  const body = isObject(error) ? error["responseBody"] : undefined;
  if (typeof body === "string" && body !== "") return body;
  if (error instanceof Error) return messageOf(error);
  // An error that was sent inside the stream comes as the server wrote it, with or without its envelope.
  if (!isObject(error) || !isJson(error)) return messageOf(error);
  return JSON.stringify("error" in error ? error : { error });
}

/** OpenAI and Azure give the wait in milliseconds too. */
function waitOf(headers: Readonly<Record<string, unknown>>): string | undefined {
  const ms = headers["retry-after-ms"];
  if (typeof ms === "string" && /^\d+(\.\d+)?$/.test(ms)) return String(Number(ms) / 1_000);
  return typeof headers["retry-after"] === "string" ? headers["retry-after"] : undefined;
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

function statusOf(error: unknown): number | undefined {
  const status = isObject(error) ? error["statusCode"] : undefined;
  return typeof status === "number" ? status : undefined;
}

/** The status that an error inside a stream would have had: its code's, or what its words say. */
function streamedStatus(error: unknown): number {
  const inner = isObject(error) && isObject(error["error"]) ? error["error"] : error;
  const codes = isObject(inner) ? [inner["code"], inner["status"]] : [];
  const status = codes.find((code) => typeof code === "number" && code >= 400 && code <= 599);
  if (typeof status === "number") return status;
  const said = bodyOf(error);
  return WORDS.find(([pattern]) => pattern.test(said))?.[1] ?? 500;
}

const WORDS: readonly (readonly [RegExp, number])[] = [
  [/overloaded/i, 503],
  [/rate.?limit|too many requests/i, 429],
  [/invalid_request|bad.?request/i, 400],
];

/** Errors of the AI SDK that have no status. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  AI_LoadAPIKeyError: "config/invalid",
  AI_LoadSettingError: "config/invalid",
  AI_NoSuchModelError: "model/not-found",
  AI_NoSuchProviderError: "model/not-found",
  AI_UnsupportedFunctionalityError: "model/bad-request",
  AI_InvalidPromptError: "model/bad-request",
  AI_InvalidArgumentError: "model/bad-request",
  AI_EmptyResponseBodyError: "model/protocol",
  AI_InvalidResponseDataError: "model/protocol",
  AI_JSONParseError: "model/protocol",
  AI_NoContentGeneratedError: "model/protocol",
  AI_TypeValidationError: "model/protocol",
};

/** Most errors of a chain of causes that are looked at. */
const MAX_CAUSES = 8;

/** A failure of the connection: fetch says it by a code somewhere in the chain, or by its own words. */
function isNetwork(error: unknown): boolean {
  let at = error;
  for (let depth = 0; depth < MAX_CAUSES && at instanceof Error; depth++) {
    const code = "code" in at ? at.code : undefined;
    if (typeof code === "string" && /^(E[A-Z]{3,}|EAI_|UND_ERR_)/.test(code)) return true;
    if (at instanceof TypeError && /^(fetch failed|terminated)$/.test(at.message)) return true;
    at = at.cause;
  }
  return false;
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}

/** openai-compatible's own word for a stream that just ended. */
function isUnfinished(error: unknown): boolean {
  return error instanceof Error && /stream ended without a finish/i.test(error.message);
}

function unreachable(where: string, cause: unknown): BosunError {
  return new BosunError("model/unreachable", `${where} cannot be reached: ${safeMessage(cause)}`, {
    retryable: true,
    cause,
  });
}

function unknown(where: string, error: Error): BosunError {
  return new BosunError("model/server", `${where}: ${safeMessage(error)}`, { cause: error });
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

/** Most characters of a provider's message that ours repeats. */
const MAX_MESSAGE = 600;

function safeMessage(error: unknown): string {
  const said = messageOf(error);
  return redact(said, keysIn(said)).slice(0, MAX_MESSAGE);
}

/** The provider holds its key, so that it is not known here: keys are found by how the providers write them. */
function keysIn(text: string): readonly string[] {
  return text.match(KEYS)?.slice(0, 100) ?? [];
}

const KEYS = /\b(?:sk|pk|gsk|xai|hf|r8|fw|pplx|nvapi)[-_][\w-]{12,}|\bAIza[\w-]{20,}/g;
