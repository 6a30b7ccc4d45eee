// The embedded model without a neural network: it finds, quotes and cites what a conversation holds, calls tools, fills schemas, reviews.
//
// Deterministic: the same request gives the same answer. It knows nothing of the world and rewrites nothing; every sentence of an
// answer stands in the conversation. Bounded by its context, by MAX_SENTENCES and by MAX_UNITS: no answer takes a second.
// Invariants: A1 to A3 of model/model.ts; nothing is kept between calls.

import { type Clock, systemClock } from "../../../clock.ts";
import { BosunError } from "../../../error.ts";
import type { ToolCall } from "../../model/message.ts";
import type { Finish, Model, ModelEvent, ModelRequest, Reply } from "../../model/model.ts";
import { estimatePrompt, estimateTokens } from "../../model/tokens.ts";
import type { Usage } from "../../model/usage.ts";
import { answer } from "./answer.ts";

/** Options of the extractive model. */
export type ExtractiveOptions = {
  /** Tokens that a prompt may have, at least 1. Default 32,768. */
  readonly contextTokens?: number | undefined;
  /** Takes the time of a call. Default: the system's. */
  readonly clock?: Clock | undefined;
};

/** How the model is named in events, and where it runs. */
export const EXTRACTIVE = { model: "extractive", endpoint: "embedded" } as const;

const CONTEXT_TOKENS = 32_768;
/** As endpoint.ts states it for settings.maxTokens. */
const DEFAULT_MAX_TOKENS = 2_048;
/** Words of one delta. */
const DELTA_WORDS = 4;

/**
 * A model that answers with sentences of its prompt.
 *
 * A call throws `model/context-length` for a prompt over the context, `model/bad-request` for a schema that it cannot fill, and
 * `model/cancelled` when the signal aborts. Tool calls are never cut by maxTokens.
 */
export function createExtractive(options: ExtractiveOptions = {}): Model {
  const { contextTokens = CONTEXT_TOKENS, clock = systemClock } = options;

  async function* call(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const startedAt = clock.now();
    const promptTokens = promptTokensOf(request);
    let said = "";
    const stopIfAborted = (): void => {
      if (signal.aborted) throw cancelled(signal, said, promptTokens);
    };
    stopIfAborted();
    checkLength(promptTokens, contextTokens);
    yield { type: "start", ...EXTRACTIVE, attempt: 1 };
    const maxTokens = Math.min(
      request.settings.maxTokens ?? DEFAULT_MAX_TOKENS,
      contextTokens - promptTokens,
    );
    const { text: whole, calls } = await answer(request, maxTokens);
    const { text, finish } = cutText(whole, calls, {
      maxTokens,
      stop: request.settings.stop ?? [],
    });
    let firstTokenMs: number | undefined;
    for (const delta of request.stream === false ? [] : deltasOf(text)) {
      stopIfAborted();
      firstTokenMs ??= clock.now() - startedAt;
      said += delta;
      yield { type: "text-delta", text: delta };
    }
    stopIfAborted();
    const totalMs = clock.now() - startedAt;
    const reply: Reply = {
      text,
      reasoning: "",
      calls,
      finish,
      usage: usageOf(promptTokens, text, calls),
      timings: { queueMs: 0, firstTokenMs: firstTokenMs ?? totalMs, totalMs },
      ...EXTRACTIVE,
    };
    yield { type: "end", ...reply };
  }
  return { call, contextTokens: async () => contextTokens };
}

function promptTokensOf({ messages, tools, output }: ModelRequest): number {
  const schema = output ? estimateTokens(JSON.stringify(output.schema)) : 0;
  return estimatePrompt(messages, tools) + schema;
}

function checkLength(promptTokens: number, contextTokens: number): void {
  if (promptTokens <= contextTokens) return;
  throw new BosunError(
    "model/context-length",
    `the embedded model's maximum context length is ${contextTokens} tokens, but the prompt contains about ${promptTokens} input tokens. Shorten the prompt, or use a model with a longer context`,
    { details: { promptTokens, contextTokens } },
  );
}

/** The text up to the first stop text, and up to maxTokens. */
function cutText(
  whole: string,
  calls: readonly ToolCall[],
  bounds: { readonly maxTokens: number; readonly stop: readonly string[] },
): { readonly text: string; readonly finish: Finish } {
  if (calls.length > 0)
    return { text: whole, finish: { unified: "tool-calls", raw: "tool_calls" } };
  const ends = bounds.stop
    .filter(Boolean)
    .map((stop) => whole.indexOf(stop))
    .filter((at) => at >= 0);
  const stopped = whole.slice(0, Math.min(whole.length, ...ends));
  if (estimateTokens(stopped) <= bounds.maxTokens)
    return { text: stopped, finish: { unified: "stop", raw: "stop" } };
  let [fits, over] = [0, stopped.length];
  while (over - fits > 1) {
    const middle = Math.floor((fits + over) / 2);
    if (estimateTokens(stopped.slice(0, middle)) <= bounds.maxTokens) fits = middle;
    else over = middle;
  }
  return { text: stopped.slice(0, fits), finish: { unified: "length", raw: "length" } };
}

/** Groups of words with the white space behind them; their sum is the text. */
function deltasOf(text: string): string[] {
  return text.match(new RegExp(`\\s*(?:\\S+\\s*){1,${DELTA_WORDS}}`, "g")) ?? [];
}

function usageOf(promptTokens: number, text: string, calls: readonly ToolCall[]): Usage {
  const called = calls.reduce(
    (sum, one) => sum + estimateTokens(one.tool) + estimateTokens(one.arguments),
    0,
  );
  return {
    input: { total: promptTokens, cached: undefined },
    output: { total: estimateTokens(text) + called, reasoning: undefined },
    source: "estimated",
  };
}

function cancelled(signal: AbortSignal, text: string, promptTokens: number): BosunError {
  const { input, output, source } = usageOf(promptTokens, text, []);
  return new BosunError("model/cancelled", "the call to the embedded model was cancelled", {
    details: {
      text,
      usage: { input: { total: input.total }, output: { total: output.total }, source },
    },
    cause: signal.reason,
  });
}
