// The way of an answer through HTTP: the choices as one sequence of events, a status for what fails before the first token, a stream
// or one body, and faults that break the connection or its JSON. Used by both generating routes.
//
// Invariants
//   H1  A failure before the first token has its status; after it, it is an event of the stream, and [DONE] still comes.
//   H2  A client that leaves aborts all choices at once.

import type { JsonObject } from "../../../json.ts";
import { sseEvent, toStream } from "../../facade/event-stream.ts";
import type { TwinAsk } from "../ask.ts";
import type { Twin, TwinEvent } from "../twin.ts";
import { merge } from "./merge.ts";
import { toVllmError } from "./vllm-error.ts";

/** Events of an answer that say something. */
export type Said = Extract<TwinEvent, { type: "tokens" | "end" }>;

/** Breaks the client's connection; undefined where there is none. */
export type BreakConnection = (() => void) | undefined;

/** An answer that has begun. */
export type Answering = {
  readonly events: AsyncGenerator<readonly [place: number, event: TwinEvent]>;
  /** Ends it (H2). */
  readonly leave: () => void;
  readonly breakConnection: BreakConnection;
};

/** Who asks. */
export type Client = { readonly signal: AbortSignal; readonly breakConnection: BreakConnection };

/** Begins all asks and waits for the first token. @throws whatever fails before it (H1). */
export async function startAnswer(
  twin: Twin,
  asks: readonly TwinAsk[],
  { signal: client, breakConnection }: Client,
): Promise<Answering> {
  const left = new AbortController();
  const abort = (): void => left.abort(new Error("the client has left"));
  const signal = AbortSignal.any([client, left.signal]);
  const events = merge(
    asks.map((ask) => twin.answer(ask, signal)),
    abort,
  );
  // Returned too: a client may leave before anything of the stream was read, and nobody else would then end what has begun.
  const leave = (): void => {
    abort();
    void events.return(undefined);
  };
  let first = await events.next();
  while (!first.done && first.value[1].type === "start") first = await events.next();
  return { events: resume(first, events, leave), leave, breakConnection };
}

async function* resume<T>(
  first: IteratorResult<T>,
  rest: AsyncGenerator<T>,
  leave: () => void,
): AsyncGenerator<T> {
  try {
    if (first.done) return;
    yield first.value;
    yield* rest;
  } finally {
    leave(); // ends what the sources wait for; a no-op behind their end
    await rest.return(undefined);
  }
}

/** What makes the chunks of a stream. */
export type Chunks = {
  begin(): readonly JsonObject[];
  chunk(place: number, event: Said): readonly JsonObject[];
  end(): readonly JsonObject[];
};

/** The answer as server-sent events. */
export function streamAnswer(answering: Answering, chunks: Chunks): Response {
  const body = toStream(textsOf(answering, chunks), answering.leave);
  return new Response(body, { headers: STREAM_HEADERS });
}

const STREAM_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
};

async function* textsOf(
  { events, breakConnection }: Answering,
  chunks: Chunks,
): AsyncGenerator<string> {
  for (const chunk of chunks.begin()) yield sseEvent(JSON.stringify(chunk));
  try {
    for await (const [place, event] of events) {
      if (event.type === "start") continue;
      if (event.type === "broken") {
        if (event.how === "cut") await cut(breakConnection);
        else yield sseEvent(half({ object: "chat.completion.chunk", choices: [{ index: place }] }));
        return;
      }
      for (const chunk of chunks.chunk(place, event)) yield sseEvent(JSON.stringify(chunk));
    }
    for (const chunk of chunks.end()) yield sseEvent(JSON.stringify(chunk));
  } catch (error) {
    if (error instanceof Cut) throw error; // the stream's failure is the connection's
    yield sseEvent(JSON.stringify(toVllmError(error).body)); // H1
  }
  yield sseEvent("[DONE]");
}

/** Breaks the connection behind what has been written. @throws Cut where there is none to break: the body fails instead. */
async function cut(breakConnection: BreakConnection): Promise<void> {
  // Two turns of the event loop: what was written leaves the process first, as it would have left a server that dies.
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
  if (!breakConnection) throw new Cut();
  breakConnection();
}

/** A body that must fail. Not BosunError: nobody sees it. */
class Cut extends Error {}

/** What puts a whole answer together. */
export type Collector = { add(place: number, event: Said): void; completion(): JsonObject };

/** The answer as one body. */
export async function wholeAnswer(
  { events, breakConnection }: Answering,
  collector: Collector,
): Promise<Response> {
  for await (const [place, event] of events) {
    if (event.type === "start") continue;
    if (event.type !== "broken") collector.add(place, event);
    else {
      const text = half(collector.completion());
      return event.how === "cut" ? cutResponse(text, breakConnection) : halfResponse(text);
    }
  }
  return Response.json(collector.completion());
}

function half(body: JsonObject): string {
  const text = JSON.stringify(body);
  return text.slice(0, Math.ceil(text.length / 2));
}

function halfResponse(text: string): Response {
  return new Response(text, { headers: { "content-type": "application/json" } });
}

/** Some bytes, then a broken connection. */
function cutResponse(text: string, breakConnection: BreakConnection): Response {
  async function* texts(): AsyncGenerator<string> {
    yield text;
    await cut(breakConnection);
  }
  const body = toStream(texts(), () => undefined);
  return new Response(body, { headers: { "content-type": "application/json" } });
}
