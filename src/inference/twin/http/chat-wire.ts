// TwinEvents → what vLLM sends for a chat completion: whole, or chunk by chunk. Pure.

import type { Json, JsonObject } from "../../../json.ts";
import type { ServingFlags } from "../flag.ts";
import type { Delta } from "../text/answer.ts";
import type { TwinEvent } from "../twin.ts";
import type { Collector } from "./answering.ts";
import { chatLogprobs } from "./logprob.ts";
import { addChoice, createTally, type Envelope, type Tally, toMetrics, toUsage } from "./reply.ts";

/** How an answer is written. */
export type ChatForm = {
  readonly envelope: Envelope;
  readonly flags: ServingFlags;
  readonly choices: number;
  /** Alternatives of each token; undefined = no log probabilities. */
  readonly logprobs: number | undefined;
  readonly includeUsage: boolean;
  readonly continuousUsage: boolean;
};

type Tokens = Extract<TwinEvent, { type: "tokens" }>;
type End = Extract<TwinEvent, { type: "end" }>;

/** Makes the chunks of one stream. */
export type ChatChunker = {
  /** The chunk that each choice begins with. */
  begin(promptTokens: number): readonly JsonObject[];
  chunk(place: number, event: Tokens | End): readonly JsonObject[];
  /** Usage, where it is wanted. */
  end(): readonly JsonObject[];
};

/** A chunker. Order: a role for each choice, deltas, a finish for each choice, usage. */
export function createChatChunker(form: ChatForm): ChatChunker {
  const { envelope, flags } = form;
  const tally = createTally();
  const spoken = new Map<number, number>();
  const chunk = (choices: Json, more: JsonObject = {}): JsonObject => ({
    id: envelope.id,
    object: "chat.completion.chunk",
    created: envelope.created,
    model: envelope.model,
    choices,
    ...more,
  });
  const soFar = (): JsonObject => {
    if (!form.continuousUsage) return {};
    const completionTokens = [...spoken.values()].reduce((sum, count) => sum + count, 0);
    return { usage: toUsage({ ...tally, completionTokens }, flags, "stream") };
  };
  return {
    begin(promptTokens) {
      tally.promptTokens = promptTokens;
      return Array.from({ length: form.choices }, (_, index) => {
        const delta = { role: "assistant", content: "" };
        const choice = { index, delta, logprobs: null, finish_reason: null };
        return chunk([choice], { prompt_token_ids: null, ...soFar() });
      });
    },
    chunk(index, event) {
      if (event.type === "end") {
        addChoice(tally, event.usage, event.timings);
        return [chunk([finishOf(index, event)], soFar())];
      }
      spoken.set(index, event.total);
      const delta = toDelta(event.deltas);
      if (!delta && form.logprobs === undefined) return [];
      const logprobs = form.logprobs === undefined ? null : chatLogprobs(event.ids, form.logprobs);
      return [chunk([{ index, delta: delta ?? {}, logprobs, finish_reason: null }], soFar())];
    },
    end() {
      if (!form.includeUsage) return [];
      return [chunk([], { usage: toUsage(tally, flags, "stream"), ...toMetrics(tally, flags) })];
    },
  };
}

function finishOf(index: number, { finish, stopReason }: End): JsonObject {
  return {
    index,
    delta: { content: "" },
    logprobs: null,
    finish_reason: finish,
    stop_reason: stopReason ?? null,
    token_ids: null,
  };
}

/** What a client sees of some tokens in one delta; undefined of tokens that only a parser reads. */
function toDelta(deltas: readonly Delta[]): JsonObject | undefined {
  if (deltas.length === 0) return undefined;
  const texts = (type: "text" | "reasoning"): string =>
    deltas.map((delta) => (delta.type === type ? delta.text : "")).join("");
  const calls = deltas.flatMap((delta): JsonObject[] => {
    if (delta.type === "call-start") {
      const { id, index, tool: name } = delta;
      return [{ id, type: "function", index, function: { name } }];
    }
    if (delta.type !== "call-delta") return [];
    return [{ index: delta.index, function: { arguments: delta.text } }];
  });
  const [content, reasoning] = [texts("text"), texts("reasoning")];
  return {
    ...(reasoning ? { reasoning } : {}),
    ...(content ? { content } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

/** A collector of all choices. */
export function createChatCollector(form: ChatForm, promptTokens: number): Collector {
  const { envelope, flags } = form;
  const tally: Tally = createTally(promptTokens);
  const heard = Array.from({ length: form.choices }, createHeard);
  return {
    add(place, event) {
      if (event.type === "end") addChoice(tally, event.usage, event.timings);
      const choice = heard[place];
      if (choice) hear(choice, event);
    },
    completion: () => ({
      id: envelope.id,
      object: "chat.completion",
      created: envelope.created,
      model: envelope.model,
      choices: heard.map((choice, index) => toChoice(choice, index, form.logprobs)),
      service_tier: null,
      system_fingerprint: null,
      usage: toUsage(tally, flags, "whole"),
      prompt_logprobs: null,
      prompt_token_ids: null,
      kv_transfer_params: null,
      ...toMetrics(tally, flags),
    }),
  };
}

type Heard = {
  readonly text: string[];
  readonly reasoning: string[];
  readonly ids: Int32Array[];
  readonly calls: { id: string; tool: string; arguments: string }[];
  end: End | undefined;
};

function createHeard(): Heard {
  return { text: [], reasoning: [], ids: [], calls: [], end: undefined };
}

function hear(heard: Heard, event: Tokens | End): void {
  if (event.type === "end") {
    heard.end = event;
    return;
  }
  heard.ids.push(event.ids);
  for (const delta of event.deltas) {
    const call = delta.type === "call-delta" ? heard.calls[delta.index] : undefined;
    if (delta.type === "call-start")
      heard.calls.push({ id: delta.id, tool: delta.tool, arguments: "" });
    else if (delta.type === "call-delta") {
      if (call) call.arguments += delta.text;
    } else heard[delta.type].push(delta.text);
  }
}

function toChoice(heard: Heard, index: number, logprobs: number | undefined): JsonObject {
  const { text, reasoning, calls, ids, end } = heard;
  const content = text.join("");
  return {
    index,
    message: {
      role: "assistant",
      content: content === "" && calls.length > 0 ? null : content,
      refusal: null,
      annotations: null,
      audio: null,
      function_call: null,
      tool_calls: calls.map(({ id, tool: name, arguments: given }) => ({
        id,
        type: "function",
        function: { name, arguments: given },
      })),
      reasoning: reasoning.join("") || null,
    },
    logprobs: logprobs === undefined ? null : chatLogprobs(joined(ids), logprobs),
    finish_reason: end?.finish ?? "abort",
    stop_reason: end?.stopReason ?? null,
    token_ids: null,
  };
}

function joined(parts: readonly Int32Array[]): Int32Array {
  return Int32Array.from(parts.flatMap((part) => [...part]));
}
