// What a server's refusal means: status, headers and body → BosunError. Pure.

import { BosunError, type ErrorCode } from "../../error.ts";
import { fromGatewayBody } from "./gateway.ts";
import { isJson as isPlainJson, isObject, type JsonObject, parseJson } from "../../json.ts";
import { memoryMeaning } from "./memory-failure.ts";

/** A refusal as it came. `where` names model and endpoint for messages; `secrets` are cut out of what the server says. */
export type Refusal = {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  readonly body: string;
  readonly where: string;
  readonly secrets: readonly string[];
  /** The clock's time in ms, for a Retry-After that is a date. */
  readonly now: number;
  /** It came from a Bosun gateway, whose errors have our own codes. */
  readonly isGateway?: boolean | undefined;
  /** What to do about a key that is refused and a URL where nobody answers. Default: what to do about an endpoint's. */
  readonly advice?: Advice | undefined;
};

export type Advice = { readonly key: string; readonly url: string };

const ENDPOINT_ADVICE: Advice = {
  key: "Check the key that apiKeyEnv names",
  url: "No OpenAI-compatible server answers there: the URL should be that of one, and usually ends in /v1",
};

/** The bounds that a server's message may take in ours. */
const MAX_MESSAGE = 600;

// The wordings of vLLM (three generations), OpenAI, Ollama, llama.cpp and SGLang; fixtures in test/fixtures hold one of each.
// Hosted ones differ: Gemini counts "the input token count", xAI has a "maximum prompt length", Cohere finds "too many tokens".
const CONTEXT =
  /maximum context length|context_length_exceeded|longer than the (maximum )?model|maximum model length|exceeds? the (available )?context|exceed_context_size|context (window|length|size)|prompt is too long|input is too long|longer than the model's context|max_tokens.{0,40}too large|input_tokens|input_text|token count.{0,40}exceeds|maximum prompt length|too many tokens/i;
const NO_TOOLS =
  /enable-auto-tool-choice|tool-call-parser|does not support tools|tools? (param|parameter)s? requires? --jinja|tool (use|calling|choice).{0,40}not supported/i;
const NO_FORMAT =
  /(response_format|json_schema|structured_outputs|guided_json).{0,120}(not supported|unsupported|unknown|unrecognized|unavailable|extra (inputs|fields|field)|must be one of)|(not supported|unsupported|does not support|unknown|unrecognized|extra (inputs|fields|field)).{0,120}(response_format|json_schema|structured_outputs|guided_json)/is;
/** One schema that a server refuses, not schemas as such: OpenAI, vLLM's backends, llama.cpp. */
const BAD_SCHEMA =
  /(invalid|unrecognized) (json[ _]?)?schema|schema contains|in context=\(|['"](oneOf|anyOf|allOf|\$ref|additionalProperties)['"]/i;
const NO_MODEL =
  /model\b.{0,200}(not exist|not found|not loaded|is unknown)|(no such|unknown|invalid) model|model_not_found|\bmodels\/.{0,200}not found|^model: \S+$/is;

/** The typed error. `model/not-found` and refusals that a client can adapt to are completed by the client. */
export function toFailure(refusal: Refusal): BosunError {
  const told = refusal.isGateway ? fromGatewayBody(refusal.body, refusal.where) : undefined;
  if (told) return told;
  const said = messageIn(refusal);
  const {
    code,
    advice,
    retryable = false,
    details,
  } = RULES.find(({ fits }) => fits(refusal, said))?.meaning(refusal, said) ?? UNKNOWN;
  const end = advice ? `${said.replace(/[.\s]+$/, "")}. ${advice}` : said;
  const message = `${refusal.where} answered ${refusal.status}: ${end}`;
  return new BosunError(code, message, {
    retryable,
    details: { status: refusal.status, ...details },
  });
}

type Meaning = {
  readonly code: ErrorCode;
  readonly advice?: string;
  readonly retryable?: boolean;
  readonly details?: JsonObject;
};

type Rule = {
  readonly fits: (refusal: Refusal, said: string) => boolean;
  readonly meaning: (refusal: Refusal, said: string) => Meaning;
};

/** The first that fits decides. The text comes before the status: servers disagree about the status of a prompt that is too long. */
const RULES: readonly Rule[] = [
  {
    fits: ({ status }) => status >= 300 && status < 400,
    meaning: () => ({
      code: "model/protocol",
      advice: "It redirects: give the URL that it redirects to",
    }),
  },
  {
    fits: ({ status }) => status === 401 || status === 403,
    meaning: ({ advice = ENDPOINT_ADVICE }) => ({
      code: "model/unauthorized",
      advice: advice.key,
    }),
  },
  {
    // Before the context: an engine that cannot start talks about its maximum model length too.
    fits: ({ status }, said) => memoryMeaning(status, said) !== undefined,
    meaning: ({ status }, said) => memoryMeaning(status, said) ?? UNKNOWN,
  },
  {
    fits: ({ status }, said) => !TEMPORARY.has(status) && CONTEXT.test(said),
    meaning: ({ body }, said) => ({
      code: "model/context-length",
      advice: "Shorten the prompt or lower maxTokens",
      details: numbersIn(said, body),
    }),
  },
  {
    fits: ({ status }, said) => (status === 404 || status === 400) && NO_MODEL.test(said),
    meaning: () => ({ code: "model/not-found" }),
  },
  {
    fits: ({ status }) => status === 404,
    meaning: ({ advice = ENDPOINT_ADVICE }) => ({ code: "model/protocol", advice: advice.url }),
  },
  { fits: (_, said) => NO_TOOLS.test(said), meaning: () => ADAPT_TOOLS },
  {
    fits: (_, said) => NO_FORMAT.test(said) && !BAD_SCHEMA.test(said),
    meaning: () => ADAPT_FORMAT,
  },
  { fits: ({ status }) => TEMPORARY.has(status) || status >= 500, meaning: temporaryMeaning },
];

const UNKNOWN: Meaning = { code: "model/bad-request" };

/** Request time-out, too many requests. 501 is final although it is a 5xx. */
const TEMPORARY: ReadonlySet<number> = new Set([408, 429]);
const NOT_IMPLEMENTED = 501;
/** 529 is Anthropic's. */
const OVERLOADED: ReadonlySet<number> = new Set([503, 529]);

function temporaryMeaning(refusal: Refusal): Meaning {
  const { status } = refusal;
  if (status === NOT_IMPLEMENTED) return { code: "model/bad-request" };
  const code = TEMPORARY.has(status)
    ? "model/rate-limited"
    : OVERLOADED.has(status)
      ? "model/overloaded"
      : "model/server";
  const advice =
    code === "model/rate-limited"
      ? "Send it less at once, or raise its limit"
      : "Look at the server's own log; a fallback model (model: [first, second]) would go on without it";
  return { code, retryable: true, advice, details: waitDetails(refusal) };
}

const ADAPT_TOOLS: Meaning = {
  code: "model/bad-request",
  retryable: true,
  advice: "Its tools are asked for by text from now on",
  details: { adapted: "text-tools" },
};
const ADAPT_FORMAT: Meaning = {
  code: "model/bad-request",
  retryable: true,
  advice: "The schema is put into the prompt from now on",
  details: { adapted: "prompt-schema" },
};

/** Cuts secrets out of a text that may end up in events and logs. Before the text is cut: half a key is one too. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((said, secret) => said.replaceAll(secret, "[key]"), text);
}

/** Shorter values of headers are no secrets: a word of them would be cut out of every message. */
const MIN_SECRET = 6;

/** What `redact` must cut out: a key, and the values of headers with and without their scheme. Longest first. */
export function secretsOf(
  key: string | undefined,
  headers: Readonly<Record<string, string>> = {},
): readonly string[] {
  const values = Object.values(headers).flatMap((value) => [value, ...value.split(/\s+/)]);
  const long = values.filter((value) => value.length >= MIN_SECRET);
  const plain = key ? [key, ...long] : long;
  // A text that is quoted as JSON holds them escaped.
  const all = new Set(plain.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]));
  return [...all].toSorted((a, b) => b.length - a.length);
}

function messageIn({ body, contentType, secrets }: Refusal): string {
  if (/html/i.test(contentType)) return "a web page";
  const text = redact(textOf(parseJson(body)) ?? body, secrets);
  return (
    text.replace(/\s+/g, " ").trim().slice(0, MAX_MESSAGE) ||
    `nothing (${contentType || "no content type"})`
  );
}

/** The server's own words. FastAPI's lists repeat the request beside each fault: only place and fault are read, never the prompt. */
function textOf(body: unknown): string | undefined {
  if (!isObject(body)) return undefined;
  const error = body["error"] ?? body["detail"] ?? body["message"];
  if (typeof error === "string") return error;
  if (Array.isArray(error)) return error.filter(isObject).map(faultOf).join("; ");
  if (!isObject(error)) return undefined;
  const words = [error["message"], error["code"], error["param"]].filter(
    (part) => typeof part === "string",
  );
  if (words.length > 0) return words.join(" ");
  return isPlainJson(error) ? JSON.stringify(error) : undefined; // stringify dies of what is too deep
}

function faultOf({ loc, msg }: Readonly<Record<string, unknown>>): string {
  const steps: readonly unknown[] = Array.isArray(loc) ? loc : [];
  const place = steps.filter((step) => typeof step === "string" || typeof step === "number");
  return `${place.join(".")}: ${typeof msg === "string" ? msg : "invalid"}`;
}

/** Token numbers of a context error, where the server names them: in its text, or in fields beside it (llama.cpp). */
function numbersIn(said: string, body: string): JsonObject {
  return {
    contextTokens: firstNumber(said, CONTEXT_TOKENS) ?? fieldIn(body, "n_ctx"),
    promptTokens: firstNumber(said, PROMPT_TOKENS) ?? fieldIn(body, "n_prompt_tokens"),
    outputTokens: firstNumber(said, OUTPUT_TOKENS),
  };
}

const CONTEXT_TOKENS = [
  /maximum context length (?:is|of) (\d+)/i,
  /maximum model length of (\d+)/i,
  /context (?:length|size)(?: is only)? \(?(\d+)/i,
];
const PROMPT_TOKENS = [
  /prompt contains (?:at least )?(\d+) input tokens/i,
  /(?:passed|request has) (\d+) input tokens/i,
  /(\d+) in the messages/i,
  /(\d+) tokens from the input messages/i,
  /messages resulted in (\d+)/i,
  /(?:prompt \(length|request \(|input \() ?(\d+)/i,
];
const OUTPUT_TOKENS = [
  /requested (\d+) output tokens/i,
  /(\d+) in the completion/i,
  /(\d+) tokens for the completion/i,
  /too large: (\d+)/i,
];

function firstNumber(said: string, patterns: readonly RegExp[]): number | undefined {
  const found = patterns
    .map((pattern) => pattern.exec(said)?.[1])
    .find((digits) => digits !== undefined);
  return found === undefined ? undefined : Number(found);
}

function fieldIn(body: string, name: string): number | undefined {
  const parsed = parseJson(body);
  const error = isObject(parsed) && isObject(parsed["error"]) ? parsed["error"] : parsed;
  const value = isObject(error) ? error[name] : undefined;
  return typeof value === "number" ? value : undefined;
}

function waitDetails({ retryAfter, now }: Refusal): JsonObject {
  if (retryAfter === undefined) return {};
  // Digits are seconds; anything else that is no date says nothing. Number("") would be 0.
  const ms = /^\s*\d+(\.\d+)?\s*$/.test(retryAfter)
    ? Number(retryAfter) * 1_000
    : Date.parse(retryAfter) - now;
  return Number.isFinite(ms) ? { retryAfterMs: Math.max(0, Math.round(ms)) } : {};
}
