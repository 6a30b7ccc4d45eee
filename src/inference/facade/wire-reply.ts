// Reply and ModelEvent → what OpenAI sends: a chat.completion, or its chunks one by one. Pure.

import type { Json, JsonObject } from "../../json.ts";
import { toGatewayMetrics } from "../model/gateway.ts";
import type { ToolCall } from "../model/message.ts";
import type { Finish, ModelEvent, Reply } from "../model/model.ts";
import type { Usage } from "../model/usage.ts";

/** What all objects of one answer share. */
export type Envelope = {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** The model's name as it was asked for. */
  readonly model: string;
  /** Answers say what their calls met behind a gateway. Default false. */
  readonly isGateway?: boolean | undefined;
};

/** A whole answer. */
export function toCompletion(envelope: Envelope, reply: Reply): JsonObject {
  const { text, reasoning, calls, finish, usage } = reply;
  const message = {
    role: "assistant",
    content: text === "" && calls.length > 0 ? null : text,
    refusal: null,
    ...(reasoning ? { reasoning } : {}),
    ...(calls.length > 0 ? { tool_calls: calls.map(toWireCall) } : {}),
  };
  return {
    id: envelope.id,
    object: "chat.completion",
    created: envelope.created,
    model: envelope.model,
    system_fingerprint: null,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason(finish) }],
    usage: toWireUsage(usage),
    ...metricsOf(envelope, reply),
  };
}

/** Makes the chunks of one streamed answer, in OpenAI's order. */
export type Chunker = {
  /** Chunks for an event; none for events that OpenAI has no chunk for. */
  chunksOf(event: ModelEvent): readonly JsonObject[];
};

/**
 * A chunker for one answer. The first chunk says the role, then come texts, tool calls, the finish, and the usage when it is wanted.
 * A model that streams nothing has its text in its end: then that is one chunk.
 */
export function createChunker(envelope: Envelope, includeUsage: boolean): Chunker {
  let hasBegun = false;
  let hasText = false;
  const chunk = (choices: Json, usage: JsonObject | null): JsonObject => ({
    id: envelope.id,
    object: "chat.completion.chunk",
    created: envelope.created,
    model: envelope.model,
    system_fingerprint: null,
    choices,
    ...(includeUsage ? { usage } : {}),
  });
  const said = (delta: JsonObject, reason: string | null = null): JsonObject =>
    chunk([{ index: 0, delta, logprobs: null, finish_reason: reason }], null);
  const begin = (): JsonObject[] => {
    if (hasBegun) return [];
    hasBegun = true;
    return [said({ role: "assistant", content: "", refusal: null })];
  };
  const end = (reply: Reply): JsonObject[] => [
    ...(hasText || reply.text === "" ? [] : [said({ content: reply.text })]),
    ...reply.calls.flatMap((call, index) => callDeltas(call, index).map((delta) => said(delta))),
    said({}, finishReason(reply.finish)),
    ...(includeUsage
      ? [{ ...chunk([], toWireUsage(reply.usage)), ...metricsOf(envelope, reply) }]
      : []),
  ];
  return {
    chunksOf(event) {
      switch (event.type) {
        case "text-delta":
          hasText = true;
          return [...begin(), said({ content: event.text })];
        case "reasoning-delta":
          return [...begin(), said({ reasoning: event.text })];
        case "end":
          return [...begin(), ...end(event)];
        case "queued":
        case "start":
        case "retry":
        case "fallback":
          return [];
        default:
          return event satisfies never;
      }
    },
  };
}

/** In vLLM's field of a server's times: of a whole answer, and of the chunk with the usage. */
function metricsOf({ isGateway }: Envelope, reply: Reply): JsonObject {
  return isGateway ? { metrics: toGatewayMetrics(reply) } : {};
}

/** A call's head, then its arguments: clients put the second together with what came before at the same index. */
function callDeltas(call: ToolCall, index: number): JsonObject[] {
  const head = { index, ...toWireCall({ ...call, arguments: "" }) };
  return [
    { tool_calls: [head] },
    { tool_calls: [{ index, function: { arguments: call.arguments } }] },
  ];
}

function toWireCall(call: ToolCall): JsonObject {
  return {
    id: call.id,
    type: "function",
    function: { name: call.tool, arguments: call.arguments },
  };
}

function finishReason({ unified, raw }: Finish): string {
  switch (unified) {
    case "stop":
    case "length":
      return unified;
    case "tool-calls":
      return "tool_calls";
    case "content-filter":
      return "content_filter";
    case "other":
      return raw || "stop";
    default:
      return unified satisfies never;
  }
}

/** OpenAI's names. `estimated` is ours: it says that no server has counted these. */
function toWireUsage({ input, output, source }: Usage): JsonObject {
  return {
    prompt_tokens: input.total,
    completion_tokens: output.total,
    total_tokens: input.total + output.total,
    ...(input.cached === undefined
      ? {}
      : { prompt_tokens_details: { cached_tokens: input.cached } }),
    ...(output.reasoning === undefined
      ? {}
      : { completion_tokens_details: { reasoning_tokens: output.reasoning } }),
    ...(source === "estimated" ? { estimated: true } : {}),
  };
}
