// A Bosun Model as a language model of the AI SDK (specification v4): for generateText, streamText and every framework that takes one.
//
// Data's way: call options → call-option.ts (request) → the Model → sdk-part.ts (parts) → the SDK. Knows nothing of retries: an error
// is Bosun's own, which the SDK does not repeat; a pool does.
//
// Invariants
//   A4  A failure before the first token rejects the call; after it, it is an "error" part, and "finish" still comes with the usage.
//   A5  Aborting the signal or cancelling the stream ends the model's call at once.

import { randomUUID } from "node:crypto";
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import { BosunError } from "../../../error.ts";
import { isObject } from "../../../json.ts";
import { type ModelRef, nameOf, type Timeouts } from "../endpoint.ts";
import { checkFields, isText, isTimeouts } from "../endpoint-option.ts";
import type { Model, ModelEvent, ModelRequest, Reply } from "../model.ts";
import { BOSUN, fromCallOptions } from "./call-option.ts";
import { createPartMaker, failedParts, toResult } from "./sdk-part.ts";

/** Options of a model that goes to the AI SDK. */
export type ToAiSdkOptions = {
  /** What the Model is asked for: a pool finds its endpoints by it, in order; a single endpoint needs none. Default "default". */
  readonly model?: ModelRef | readonly [ModelRef, ...ModelRef[]] | undefined;
  /** The `modelId` that the SDK shows. Default: the first model's name. */
  readonly name?: string | undefined;
  /** Bounds of each call. Default: the Model's own. */
  readonly timeouts?: Timeouts | undefined;
};

/**
 * The Model for the AI SDK: text, reasoning, tools and JSON by a schema. Fields for the server's body go under `providerOptions.bosun`.
 *
 * Its calls reject with BosunErrors, an aborted one with an AbortError whose cause is the BosunError. Files and images in a prompt are
 * `model/bad-request`.
 * @throws BosunError `config/invalid` for what is no Model, and for options that are unknown or wrong.
 */
export function toAiSdk(model: Model, options: ToAiSdkOptions = {}): LanguageModelV4 {
  if (!isObject(model) || typeof model["call"] !== "function")
    throw new BosunError(
      "config/invalid",
      "toAiSdk: takes a Model: what createEndpointModel and fromAiSdk give, or a Bosun's pool",
    );
  checkFields("toAiSdk", options, CHECKS);
  const models = modelsOf(options.model);
  const { name: modelId = nameOf(models[0]), timeouts } = options;
  const start = (asked: LanguageModelV4CallOptions): Started => {
    const { request, warnings } = fromCallOptions(asked);
    const hints = { runId: `ai-sdk-${randomUUID()}`, path: [], purpose: "work" as const };
    const whole: ModelRequest = {
      ...request,
      models,
      ...(timeouts ? { timeouts } : {}),
      hints: { ...hints, remainingCalls: undefined },
    };
    const left = new AbortController();
    const signal = AbortSignal.any([
      left.signal,
      ...(asked.abortSignal ? [asked.abortSignal] : []),
    ]);
    const events = model.call(whole, signal)[Symbol.asyncIterator]();
    return { events, signal, warnings, leave: () => left.abort(new Error("the stream was left")) };
  };
  return {
    specificationVersion: "v4",
    provider: BOSUN,
    modelId,
    // Every URL is "supported", so that the SDK does not download a file that is refused anyway.
    supportedUrls: { "*/*": [/^/] },
    async doGenerate(asked) {
      const started = start(asked);
      return toResult(await replyOf(started), started.warnings);
    },
    async doStream(asked) {
      const started = start(asked);
      return { stream: toStream(started, await firstToken(started)) };
    },
  };
}

const CHECKS = {
  model: (value: unknown) =>
    isModels(value) ? undefined : "a model's name, an endpoint, or a list",
  name: isText,
  timeouts: isTimeouts,
};

function isModels(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every(isModels);
  return isText(value) === undefined || (isObject(value) && value["type"] === "endpoint");
}

function modelsOf(model: ToAiSdkOptions["model"]): readonly [ModelRef, ...ModelRef[]] {
  if (model === undefined) return ["default"];
  return typeof model === "string" || "type" in model ? [model] : model;
}

type Started = {
  readonly events: AsyncIterator<ModelEvent>;
  readonly signal: AbortSignal;
  readonly warnings: ReturnType<typeof fromCallOptions>["warnings"];
  /** Ends the call, whatever it waits for. */
  readonly leave: () => void;
};

async function replyOf(started: Started): Promise<Reply> {
  for (;;) {
    const event = await nextOf(started);
    if (event.type !== "end") continue;
    await started.events.return?.(); // the model tidies up behind its end
    return event;
  }
}

/** The first event that is a part of an answer, so that whatever fails before it rejects (A4). */
async function firstToken(started: Started): Promise<ModelEvent> {
  for (;;) {
    const event = await nextOf(started);
    if (TOKENS.has(event.type)) return event;
  }
}

const TOKENS: ReadonlySet<ModelEvent["type"]> = new Set(["text-delta", "reasoning-delta", "end"]);

/** @throws what the SDK knows as an abort when the call was aborted, else the BosunError. */
async function nextOf({ events, signal }: Started): Promise<ModelEvent> {
  try {
    const next = await events.next();
    if (!next.done) return next.value;
  } catch (cause) {
    if (!signal.aborted) throw cause;
    throw new DOMException("the call was aborted", { name: "AbortError", cause });
  }
  throw new BosunError("model/cut", "toAiSdk: the model ended its events without an end");
}

/** The rest of the events as parts. Nothing is taken before the reader asks: a slow one slows the model. */
function toStream(started: Started, first: ModelEvent): ReadableStream<LanguageModelV4StreamPart> {
  const maker = createPartMaker(started.warnings);
  let taken: ModelEvent | undefined = first;
  return new ReadableStream<LanguageModelV4StreamPart>(
    {
      async pull(controller) {
        try {
          const event = taken ?? (await nextOf(started));
          taken = undefined;
          for (const part of maker.add(event)) controller.enqueue(part);
          if (event.type !== "end") return;
          await started.events.return?.();
          controller.close();
        } catch (error) {
          if (started.signal.aborted) throw error; // the SDK looks for it when it has aborted
          for (const part of failedParts(error)) controller.enqueue(part);
          controller.close();
        }
      },
      async cancel() {
        started.leave(); // A5
        await started.events.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
