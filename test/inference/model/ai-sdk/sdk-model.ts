// A provider's model as a test wants it: parts and failures in order, without a network.

import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";
import { BosunError } from "../../../../src/error.ts";
import type { Model, ModelEvent, ModelRequest } from "../../../../src/inference/model/model.ts";

/** A call that asks for nothing special. */
export const REQUEST: ModelRequest = {
  models: ["m"],
  messages: [{ role: "user", content: "Hi" }],
  settings: {},
  hints: { runId: "r", path: [], purpose: "work", remainingCalls: undefined },
};

/** Usage with every part of it. */
export const USAGE: LanguageModelV4Usage = {
  inputTokens: { total: 12, noCache: 8, cacheRead: 4, cacheWrite: undefined },
  outputTokens: { total: 9, text: 4, reasoning: 5 },
  raw: { prompt_tokens: 12 },
};
export const STOP: LanguageModelV4FinishReason = { unified: "stop", raw: "end_turn" };
export const FINISH: LanguageModelV4StreamPart = {
  type: "finish",
  finishReason: STOP,
  usage: USAGE,
};

/** A provider's model, and the options of its calls. */
export type Sdk = LanguageModelV4 & { readonly asked: readonly LanguageModelV4CallOptions[] };

/** A provider's model that streams these parts and fails where there is an Error; its stream never ends by itself after "stall". */
export function sdkModel(
  ...answers: readonly (readonly (LanguageModelV4StreamPart | Error | "stall")[])[]
): Sdk {
  const asked: LanguageModelV4CallOptions[] = [];
  return {
    asked,
    specificationVersion: "v4",
    provider: "acme.chat",
    modelId: "acme-1",
    supportedUrls: {},
    async doGenerate(options) {
      asked.push(options);
      return { content: [], finishReason: STOP, usage: USAGE, warnings: [] };
    },
    async doStream(options) {
      const steps = [...(answers[asked.length] ?? [])];
      asked.push(options);
      if (steps[0] instanceof Error) throw steps[0];
      const stream = new ReadableStream<LanguageModelV4StreamPart>({
        pull(controller) {
          const step = steps.shift();
          if (step instanceof Error) controller.error(step);
          else if (step === undefined) controller.close();
          else if (step !== "stall") controller.enqueue(step);
          return step === "stall" ? new Promise(() => undefined) : undefined;
        },
      });
      return { stream };
    },
  };
}

/** One piece of text. */
export const said = (delta: string): LanguageModelV4StreamPart => ({
  type: "text-delta",
  id: "0",
  delta,
});

/** All events of a call. */
export function listen(
  model: Model,
  request: ModelRequest = REQUEST,
  signal: AbortSignal = new AbortController().signal,
): Promise<ModelEvent[]> {
  return Array.fromAsync(model.call(request, signal));
}

/** The BosunError that a call fails with. */
export async function failure(call: Promise<unknown>): Promise<BosunError> {
  const error = await call.catch((reason: unknown) => reason);
  if (!(error instanceof BosunError)) throw new Error("it did not fail as it should");
  return error;
}

/** An error as the SDK's providers throw it. */
export function apiError(status: number | undefined, message: string, extra: object = {}): Error {
  const fields = { statusCode: status, responseBody: JSON.stringify({ error: { message } }) };
  return Object.assign(new Error(message), { name: "AI_APICallError", ...fields, ...extra });
}
