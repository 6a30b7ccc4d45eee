// What a fault server answers, write by write: plain steps, and makers for the answers that servers usually give.
//
// A reply is a list of steps; after the last one the answer ends as HTTP wants it. Time is not a step: a reply that must wait
// waits for a promise that the test settles, so that no test sleeps. Knows nothing of sockets: fault-server.ts plays the steps.

import type { Json, JsonObject } from "../json.ts";

/**
 * One thing that a server does. Every write is an HTTP chunk of its own, and the next one leaves a turn of the event loop later:
 * a client in the same process meets the cut exactly where the test put it.
 */
export type WireStep =
  | {
      readonly type: "head";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly type: "write"; readonly data: string | Uint8Array }
  /** Goes on when `until` has resolved or the client has left. */
  | { readonly type: "wait"; readonly until: Promise<unknown> }
  /** Silence until the client leaves. */
  | { readonly type: "stall" }
  /** Closes the connection where it stands, without an end of the answer. */
  | { readonly type: "cut" }
  /** The same with a TCP reset, as a server does that was killed. */
  | { readonly type: "reset" };

/** One answer. An empty list is an empty 200. */
export type WireReply = readonly WireStep[];

/** Headers of an event stream, as vLLM sends them. */
const STREAM_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
};

/** Status and headers, sent at once. Default: those of an event stream. */
export function head(
  status = 200,
  headers: Readonly<Record<string, string>> = STREAM_HEADERS,
): WireStep {
  return { type: "head", status, headers };
}

/** One write of the body. */
export function write(data: string | Uint8Array): WireStep {
  return { type: "write", data };
}

/** A stop until `until` settles. With Promise.withResolvers a test has a gate that it opens itself. */
export function wait(until: Promise<unknown>): WireStep {
  return { type: "wait", until: until.catch(() => undefined) }; // a gate that fails opens too
}

/** Silence until the client leaves. */
export const STALL: WireStep = { type: "stall" };

/** The connection closed amid the answer. */
export const CUT: WireStep = { type: "cut" };

/** The connection reset; as the first step it comes before the headers. */
export const RESET: WireStep = { type: "reset" };

/** An event stream of these writes, sent as they are: whole events, parts of them, or garbage. */
export function streamReply(...writes: readonly (string | Uint8Array)[]): WireReply {
  return [head(), ...writes.map(write)];
}

/** A complete streamed answer: a role, one event for each delta, the finish, the usage and [DONE]. One write each. */
export function textReply(...deltas: readonly string[]): WireReply {
  return streamReply(
    chunk({ role: "assistant", content: "" }),
    ...deltas.map((content) => chunk({ content })),
    finishChunk(),
    usageChunk(),
    DONE,
  );
}

/** A body of JSON. */
export function jsonReply(
  body: Json,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): WireReply {
  return [
    head(status, { "content-type": "application/json", ...headers }),
    write(JSON.stringify(body)),
  ];
}

/** A complete answer in one JSON body, as a server sends it for `stream: false`. */
export function completionReply(message: JsonObject, finishReason = "stop"): WireReply {
  const choice = {
    index: 0,
    message: { role: "assistant", content: null, ...message },
    finish_reason: finishReason,
  };
  return jsonReply({ ...envelope("chat.completion"), choices: [choice], usage: USAGE });
}

/** A failure in the shape of vLLM and OpenAI: {"error": {message, type, param, code}}. */
export function errorReply(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): WireReply {
  return jsonReply(
    {
      error: {
        message,
        type: ERROR_TYPES[status] ?? "InternalServerError",
        param: null,
        code: status,
      },
    },
    status,
    headers,
  );
}

/** A page for people, as a proxy or a web server sends it to a URL that is no API. */
export function htmlReply(status: number): WireReply {
  return [
    head(status, { "content-type": "text/html; charset=utf-8" }),
    write(`<!doctype html><title>${status}</title><h1>nginx</h1>`),
  ];
}

/** One event of a stream. */
export function sse(value: Json): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

/** The event that holds one delta of an answer. */
export function chunk(delta: JsonObject, finishReason: string | null = null): string {
  return sse({
    ...envelope("chat.completion.chunk"),
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  });
}

/** The event that says why an answer ended. */
export function finishChunk(reason = "stop"): string {
  return chunk({}, reason);
}

/** The event with the usage and no choices, the last one before [DONE]. */
export function usageChunk(usage: JsonObject = USAGE): string {
  return sse({ ...envelope("chat.completion.chunk"), choices: [], usage });
}

/** The event that ends a stream. */
export const DONE = "data: [DONE]\n\n";

const USAGE = { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 };

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: "BadRequestError",
  401: "AuthenticationError",
  404: "NotFoundError",
  422: "UnprocessableEntityError",
  429: "RateLimitError",
  501: "NotImplementedError",
  503: "ServiceUnavailableError",
};

function envelope(object: string): JsonObject {
  return { id: "chatcmpl-0", object, created: 1_764_000_000, model: "test-model" };
}
