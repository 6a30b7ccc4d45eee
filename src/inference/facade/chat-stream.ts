// A streamed answer: the call is followed to its first token before anything is sent, then its events become chunks.
//
// F1 and F2 of facade.ts.

import type { Clock } from "../../clock.ts";
import { BosunError } from "../../error.ts";
import { withAttempt, withAttempts } from "../model/gateway-attempt.ts";
import type { FailedAttempt, Model, ModelEvent, ModelRequest } from "../model/model.ts";
import { sseEvent } from "./event-stream.ts";
import type { WireError } from "./wire-error.ts";
import { createChunker, type Envelope } from "./wire-reply.ts";

/** A call whose answer has begun. */
type Started = {
  readonly events: AsyncIterable<ModelEvent>;
  /** Aborts when the client has left, however that was noticed (F2). */
  readonly signal: AbortSignal;
  readonly abort: () => void;
  /** Until it was sent to an endpoint. */
  readonly queueMs: number;
  readonly endpoint: string | undefined;
};

/** Waits for the first token, so that whatever fails before it has its status (F1). */
export async function startStream(
  model: Model,
  request: ModelRequest,
  { client, clock }: { readonly client: AbortSignal; readonly clock: Clock },
): Promise<Started> {
  const left = new AbortController();
  const signal = AbortSignal.any([client, left.signal]);
  const call = model.call(request, signal);
  const events = call[Symbol.asyncIterator]();
  const askedAt = clock.now();
  let sent: { readonly queueMs: number; readonly endpoint?: string } = { queueMs: 0 };
  let failed: readonly FailedAttempt[] = [];
  const next = async (): Promise<IteratorResult<ModelEvent>> => {
    try {
      return await events.next();
    } catch (error) {
      throw withAttempts(error, failed);
    }
  };
  let first = await next();
  while (!first.done && !TOKENS.has(first.value.type)) {
    if (first.value.type === "start")
      sent = { queueMs: clock.now() - askedAt, endpoint: first.value.endpoint };
    failed = withAttempt(failed, first.value);
    first = await next();
  }
  const abort = (): void => {
    left.abort(new Error("the client has left"));
    events.return?.().catch(() => undefined); // a body that nobody has read from would never end its call
  };
  client.addEventListener("abort", abort, { once: true });
  if (client.aborted) abort();
  return { events: resume(first, events, failed), signal, abort, endpoint: undefined, ...sent };
}

const TOKENS: ReadonlySet<ModelEvent["type"]> = new Set(["text-delta", "reasoning-delta", "end"]);

/** An iteration that goes on behind an event that was taken already; its end tells of the attempts before. Leaving it ends the call. */
async function* resume(
  first: IteratorResult<ModelEvent>,
  rest: AsyncIterator<ModelEvent>,
  failed: readonly FailedAttempt[],
): AsyncGenerator<ModelEvent> {
  try {
    for (let next = first; !next.done; next = await rest.next())
      yield next.value.type === "end" && failed.length > 0 ? { ...next.value, failed } : next.value;
  } finally {
    await rest.return?.();
  }
}

type StreamOptions = {
  readonly includeUsage: boolean;
  readonly onError: (error: unknown) => void;
  readonly errorOf: (error: unknown) => WireError;
};

/** The events of the answer; a failure is the last but one (F1). */
export async function* streamTexts(
  events: AsyncIterable<ModelEvent>,
  envelope: Envelope,
  { includeUsage, onError, errorOf: toError }: StreamOptions,
): AsyncGenerator<string> {
  const chunker = createChunker(envelope, includeUsage);
  let hasEnded = false;
  try {
    for await (const event of events) {
      hasEnded ||= event.type === "end";
      for (const chunk of chunker.chunksOf(event)) yield sseEvent(JSON.stringify(chunk));
    }
    if (!hasEnded) throw new BosunError("model/cut", "the model ended without an end");
  } catch (error) {
    onError(error);
    yield sseEvent(JSON.stringify(toError(error).body)); // F1
  }
  yield sseEvent("[DONE]");
}
