// Answers by what was asked: an equal call gets the answer of an earlier one, and two at the same time are made once.
//
// Invariants
//   H1  Only whole answers are kept: finish "stop" or "tool-calls", not empty, of the first of the call's models. Never a failure.
//   H2  The key is all that can change an answer: models and where they are, messages, tools, output, settings. Never hints or time-outs.
//   H3  At most `maxEntries` answers and `maxBytes` bytes are kept; of those the ones used longest ago go first. None is older than `ttlMs`.
//   H4  A call that waits for an equal one is not failed by it: it is made itself.

import { createHash } from "node:crypto";
import { type Clock, until } from "../../clock.ts";
import { canonicalJson, type Json } from "../../json.ts";
import type { ModelRef } from "../model/endpoint.ts";
import type { CallTimings, Model, ModelEvent, ModelRequest, Reply } from "../model/model.ts";
import { NO_USAGE } from "../model/usage.ts";

/** Bounds of a cache. */
export type ResponseCacheLimits = {
  /** Default 1,000. */
  readonly maxEntries?: number | undefined;
  /** Of all answers together. Default 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** Default 24 hours. */
  readonly ttlMs?: number | undefined;
};

/** A model with a cache of answers. */
export type CachedModel = Model & {
  /** Takes over what a call of this run came to in an earlier process. @param answeredAt When it did, by the clock. */
  takeOver(request: ModelRequest, reply: Reply, answeredAt: number): void;
};

type CacheOptions = ResponseCacheLimits & { readonly clock: Clock };

/**
 * A model that answers equal calls once. What it has kept is marked `cached` and has a usage of zero. Calls with the hint
 * `cache: false` pass it by.
 */
export function withResponseCache(model: Model, options: CacheOptions): CachedModel {
  const { clock } = options;
  const answers = createAnswers(options);
  const underWay = new Map<string, Promise<Outcome>>();

  async function* lead(
    key: string,
    request: ModelRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ModelEvent> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    let outcome: Outcome = { type: "left" };
    let isFirst = true;
    underWay.set(key, promise);
    try {
      for await (const event of model.call(request, signal)) {
        if (event.type === "fallback") isFirst = false;
        if (event.type === "end") {
          const isKept = isFirst && isWhole(event);
          outcome = isKept ? { type: "answered", answer: answerOf(event) } : { type: "failed" };
          if (outcome.type === "answered") answers.keep(key, outcome.answer, clock.now());
        }
        yield event;
      }
    } catch (error) {
      outcome = { type: signal.aborted ? "left" : "failed" };
      throw error;
    } finally {
      underWay.delete(key);
      resolve(outcome);
    }
  }

  return {
    ...besides(model),
    takeOver(request, reply, answeredAt) {
      const key = keyOf(request);
      if (request.hints.cache === false || !isWhole(reply) || answers.find(key)) return;
      answers.keep(key, answerOf(reply), answeredAt);
    },
    async *call(request, signal) {
      if (request.hints.cache === false) return yield* model.call(request, signal);
      const key = keyOf(request);
      const startedAt = clock.now();
      let isQueued = false;
      // Each round ends with an answer, a failure, or an equal call that was left by its caller; callers are finitely many.
      for (;;) {
        const kept = answers.find(key);
        if (kept) return yield* tell(kept, request, clock.now() - startedAt);
        const pending = underWay.get(key);
        if (!pending) return yield* lead(key, request, signal);
        if (!isQueued) yield { type: "queued", reason: "an equal call is under way" };
        isQueued = true;
        const outcome = await until(pending, signal);
        if (outcome.type === "answered")
          return yield* tell(outcome.answer, request, clock.now() - startedAt);
        if (outcome.type === "failed") return yield* model.call(request, signal); // H4
      }
    },
  };
}

/** What a model does besides calls. */
function besides(model: Model): Omit<Model, "call"> {
  return {
    contextTokens: (models, signal) => model.contextTokens(models, signal),
    ...(model.countTokens
      ? { countTokens: async (ask, signal) => model.countTokens?.(ask, signal) }
      : {}),
    ...(model.prewarm ? { prewarm: (wish) => model.prewarm?.(wish) } : {}),
  };
}

/** An answer, without what it cost. */
type Answer = Pick<Reply, "text" | "reasoning" | "calls" | "finish" | "endpoint" | "model">;

/** How a call ended that others wait for. "left": its caller went away, and it says nothing about the answer. */
type Outcome =
  | { readonly type: "answered"; readonly answer: Answer }
  | { readonly type: "failed" | "left" };

function isWhole({ finish, text, calls }: Reply): boolean {
  const isSaid = text.trim() !== "" || calls.length > 0;
  return isSaid && (finish.unified === "stop" || finish.unified === "tool-calls");
}

function answerOf({ text, reasoning, calls, finish, endpoint, model }: Reply): Answer {
  return { text, reasoning, calls, finish, endpoint, model };
}

/** The events of an answer that was kept. */
function* tell(answer: Answer, { hints }: ModelRequest, waitedMs: number): Generator<ModelEvent> {
  const { endpoint, model, text, reasoning } = answer;
  const isWatched = hints.isWatched?.() ?? true;
  yield { type: "start", endpoint, model, attempt: 1 };
  if (isWatched && reasoning !== "") yield { type: "reasoning-delta", text: reasoning };
  if (isWatched && text !== "") yield { type: "text-delta", text };
  const timings: CallTimings = { queueMs: waitedMs, firstTokenMs: waitedMs, totalMs: waitedMs };
  yield { type: "end", ...answer, usage: NO_USAGE, timings, cached: true };
}

/** Equal for calls that are equal (H2). A hash, so that a key takes 64 characters whatever was asked. */
function keyOf({ models, messages, tools, toolChoice, output, ...rest }: ModelRequest): string {
  const { settings, defaults } = rest;
  const asked: Json = { messages, tools, toolChoice, output, settings, defaults };
  const text = canonicalJson([models.map(placeOf), asked]);
  return createHash("sha256").update(text).digest("hex");
}

/** Which model is asked, where and how, without how its connection is kept and what it costs. */
function placeOf(ref: ModelRef): Json {
  if (typeof ref === "string") return ref;
  const { timeouts: _, maxConnections: __, caFile: ___, stream: ____, ...kept } = ref;
  const { usdPerMillionTokens: _____, maxModelLen: ______, ...place } = kept;
  return place;
}

type Answers = {
  find(key: string): Answer | undefined;
  keep(key: string, answer: Answer, keptAt: number): void;
};

const DEFAULTS = { maxEntries: 1_000, maxBytes: 64 * 1_024 * 1_024, ttlMs: 24 * 3_600_000 };

/** The answers that are kept (H3). */
function createAnswers({
  clock,
  maxEntries = DEFAULTS.maxEntries,
  maxBytes = DEFAULTS.maxBytes,
  ttlMs = DEFAULTS.ttlMs,
}: ResponseCacheLimits & { readonly clock: Clock }): Answers {
  type Entry = { readonly answer: Answer; readonly bytes: number; readonly keptAt: number };
  // A Map keeps the order of insertion: an entry that is used is put at the end again, the first one is the oldest.
  const entries = new Map<string, Entry>();
  let bytes = 0;
  const drop = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    entries.delete(key);
    bytes -= entry?.bytes ?? 0;
    return entry;
  };
  const put = (key: string, entry: Entry): void => {
    drop(key);
    entries.set(key, entry);
    bytes += entry.bytes;
  };
  return {
    find(key) {
      const entry = drop(key);
      if (!entry || clock.now() - entry.keptAt >= ttlMs) return undefined;
      put(key, entry);
      return entry.answer;
    },
    keep(key, answer, keptAt) {
      const size = key.length + Buffer.byteLength(JSON.stringify(answer));
      if (size > maxBytes) return;
      put(key, { answer, bytes: size, keptAt });
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries && bytes <= maxBytes) break;
        drop(oldest);
      }
    },
  };
}
