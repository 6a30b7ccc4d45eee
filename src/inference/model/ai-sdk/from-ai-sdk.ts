// A language model of the AI SDK as a Bosun Model: any hosted provider that has an AI SDK package. One call is one attempt.
//
// Data's way: request → call-option.ts (options) → the provider → part-reader.ts (assembly) → the caller's loop; sdk-error.ts says what
// a failure means, watch.ts ends a call that takes too long.

import type { LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { type Clock, systemClock } from "../../../clock.ts";
import { BosunError, detailOf } from "../../../error.ts";
import { estimateUsage, withCost } from "../cost.ts";
import type { Timeouts } from "../endpoint.ts";
import { checkFields, isCount, isText, isTimeouts } from "../endpoint-option.ts";
import { cancelled, resolveTimeouts } from "../http.ts";
import type { Model, ModelEvent, ModelRequest, Reply } from "../model.ts";
import { MAX_REPLY } from "../reply.ts";
import { toCallOptions } from "./call-option.ts";
import { createPartReader, type PartReader, partsOf } from "./part-reader.ts";
import { toModelError } from "./sdk-error.ts";
import { type AiSdkModel, checkSpec } from "./spec.ts";
import { createTurnMemory, type TurnMemory } from "./turn-memory.ts";
import { createWatch, type Watch } from "./watch.ts";

/** Options of a model that comes from the AI SDK. */
export type FromAiSdkOptions = {
  /** The model's context in tokens; prompts are cut to fit it. Unset = unknown: nothing is cut. */
  readonly contextTokens?: number | undefined;
  /** The endpoint's name in events and errors. Default: the provider's, as `openai.responses`. */
  readonly name?: string | undefined;
  /** Under which key of `providerOptions` the settings' extraBody is sent. Default: the provider's name up to its first dot. */
  readonly providerKey?: string | undefined;
  /** Where the request says nothing. `queueMs` and `connectMs` have no effect: the wait for the first token begins with the call. */
  readonly timeouts?: Timeouts | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
};

/**
 * A model of an AI SDK provider, for `createBosun({ models: { fast: fromAiSdk(openai("gpt-5-mini")) } })`.
 *
 * It makes one attempt for each call: the pool repeats and falls back. `thinking` is said as the SDK's `reasoning`, which v4 models know.
 * @throws BosunError `config/invalid` for what is no model of specification v2, v3 or v4, and for options that are unknown or wrong.
 */
export function fromAiSdk(model: AiSdkModel, options: FromAiSdkOptions = {}): Model {
  const sdk = checkSpec(model);
  checkFields("fromAiSdk", options, CHECKS);
  const { contextTokens, name = sdk.provider, clock = systemClock } = options;
  const { providerKey = sdk.provider.split(".")[0] ?? sdk.provider } = options;
  const source: Source = {
    sdk,
    name,
    where: `${sdk.modelId} at ${name}`,
    providerKey,
    turns: createTurnMemory(),
    timeouts: options.timeouts,
    clock,
  };
  return {
    call: (request, signal) => runCall(source, request, signal),
    contextTokens: async () => contextTokens,
  };
}

const CHECKS = {
  contextTokens: isCount,
  name: isText,
  providerKey: isText,
  timeouts: isTimeouts,
  clock: (value: unknown) =>
    typeof value === "object" && value !== null && "timer" in value ? undefined : "a Clock",
};

/** What all calls of one model share. */
type Source = {
  readonly sdk: LanguageModelV4;
  readonly name: string;
  /** Names the model for messages. */
  readonly where: string;
  readonly providerKey: string;
  readonly turns: TurnMemory;
  readonly timeouts: Timeouts | undefined;
  readonly clock: Clock;
};

async function* runCall(
  source: Source,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  const { sdk, name, where, clock } = source;
  if (signal.aborted) throw cancelled(where, signal.reason);
  const startedAt = clock.now();
  let firstTokenAt: number | undefined;
  const timeouts = resolveTimeouts(request.timeouts, source.timeouts);
  const reader = createPartReader();
  const progress = { isAnswering: false };
  using watch = createWatch({ clock, timeouts, where }, signal); // A2: leaving the loop aborts the provider's call
  yield { type: "start", endpoint: name, model: sdk.modelId, attempt: 1 };
  try {
    for await (const part of receive(source, { request, watch, progress })) {
      if (part.type === "error") throw part.error;
      const added = reader.add(part);
      if (added === "too-long")
        throw new BosunError(
          "model/protocol",
          `${where}: the answer is over ${MAX_REPLY} characters`,
        );
      if (!added.isToken) continue;
      watch.touch();
      firstTokenAt ??= clock.now();
      if (added.reasoning !== "") yield { type: "reasoning-delta", text: added.reasoning };
      if (added.text !== "") yield { type: "text-delta", text: added.text };
    }
    const reply = toReply(source, request, reader);
    const totalMs = clock.now() - startedAt;
    const firstTokenMs = firstTokenAt === undefined ? undefined : firstTokenAt - startedAt;
    yield { type: "end", ...reply, timings: { queueMs: 0, firstTokenMs, totalMs } };
  } catch (error) {
    const thrown = { where, now: clock.now(), isAnswering: progress.isAnswering };
    const failure = signal.aborted
      ? cancelled(where, signal.reason)
      : toModelError({ ...thrown, error: watch.signal.aborted ? watch.signal.reason : error });
    throw withPrice(failure, request, reader);
  }
}

type Receiving = {
  readonly request: ModelRequest;
  readonly watch: Watch;
  /** Set as soon as the server answers. */
  readonly progress: { isAnswering: boolean };
};

/** The parts of the answer, whether it is streamed or whole. Leaving the loop ends the stream. */
async function* receive(
  { sdk, providerKey, turns }: Source,
  { request, watch, progress }: Receiving,
): AsyncGenerator<LanguageModelV4StreamPart> {
  const asked = toCallOptions(request, { providerKey, turns });
  const options = { ...asked, abortSignal: watch.signal };
  if (request.stream === false) {
    yield* partsOf(await watch.wait(sdk.doGenerate(options)));
    return;
  }
  const { stream } = await watch.wait(sdk.doStream(options));
  progress.isAnswering = true;
  const parts = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await watch.wait(parts.read());
      if (done) return;
      yield value;
    }
  } finally {
    parts.cancel().catch(() => undefined); // a stream that failed has nothing left to cancel
  }
}

/** @throws BosunError when the answer has no end of its own. */
function toReply(
  { sdk, name, where, turns }: Source,
  request: ModelRequest,
  reader: PartReader,
): Omit<Reply, "timings"> {
  const end = reader.end();
  if (end === "failed")
    throw new BosunError("model/server", `${where}: an error ended the answer`, {
      retryable: true,
    });
  if (end === undefined || end === "cut")
    throw new BosunError("model/cut", `${where}: the stream ended without a finish`, {
      retryable: true,
    });
  const read = reader.read();
  const { text, reasoning, calls } = read;
  const [first] = calls;
  if (first) turns.keep(first, reader.turn());
  const hasCalls = first !== undefined && end.unified === "stop";
  return {
    text,
    reasoning,
    calls,
    finish: hasCalls ? { ...end, unified: "tool-calls" } : end,
    usage: read.usage ?? estimateUsage(request, read),
    endpoint: name,
    model: read.model ?? sdk.modelId,
  };
}

/** A3. A refusal costs nothing; an error that says itself what it cost comes from a Model of our own. */
function withPrice(error: BosunError, request: ModelRequest, reader: PartReader): BosunError {
  if (detailOf(error, "usage") !== undefined) return error;
  const isSent = detailOf(error, "status") === undefined && !FREE.has(error.code);
  return withCost(error, { request, read: reader.read(), isSent });
}

/** Errors of calls that no server has read. */
const FREE: ReadonlySet<string> = new Set([
  "config/invalid",
  "model/bad-request",
  "model/not-found",
  "model/unreachable",
]);
