// ModelRequest → the body of POST /chat/completions, in the words of each dialect. Pure.

import type { JsonObject } from "../../json.ts";
import {
  type Dialect,
  type Endpoint,
  mergeSettings,
  type ModelSettings,
  thinkingTokens,
} from "./endpoint.ts";
import { THINKING_FIELD } from "./gateway.ts";
import type { Message } from "./message.ts";
import type { ModelRequest } from "./model.ts";
import { appendSystem, withTextTools } from "./text-tools.ts";

/** What an endpoint was found to lack. Learned from its refusals, kept for its further calls. */
export type Adaptations = { readonly textTools: boolean; readonly promptSchema: boolean };

export type WireOptions = {
  readonly model: string;
  readonly dialect: Dialect | undefined;
  readonly endpoint: Endpoint;
  readonly adaptations: Adaptations;
  readonly stream: boolean;
};

/** The body as JSON data. Settings of the request win over those of the endpoint. */
export function toBody(request: ModelRequest, options: WireOptions): JsonObject {
  const { model, dialect, endpoint, adaptations, stream } = options;
  // The request's settings over the endpoint's own over the request's defaults.
  const own = mergeSettings(endpoint, request.defaults ?? {});
  const settings = mergeSettings(request.settings, own);
  const { tools = [], output } = request;
  const { textTools } = adaptations;
  // Also in a call that offers no tools: its history may hold calls and results.
  const messages = textTools ? withTextTools(request.messages, tools) : request.messages;
  const isPromptSchema = output !== undefined && adaptations.promptSchema;
  return {
    model,
    messages: (isPromptSchema ? withPromptSchema(messages, output.schema) : messages).map(
      toWireMessage,
    ),
    stream,
    ...(stream ? { stream_options: { include_usage: true } } : {}),
    ...toSampling(settings),
    ...(endpoint.gateway ? toGatewayLimits(settings) : toTokenLimit(settings, dialect)),
    ...(endpoint.gateway ? {} : toThinking(settings, dialect)),
    ...(textTools ? {} : toTools(request)),
    ...(output && !isPromptSchema ? toOutput(output, dialect) : {}),
    ...settings.extraBody,
  };
}

/** Settings that are unset are left to the server: JSON.stringify drops undefined fields. */
function toSampling({ temperature, topP, seed, stop }: ModelSettings): JsonObject {
  return { temperature, top_p: topP, seed, stop: stop?.length ? stop : undefined };
}

function toTools({ tools = [], toolChoice = "auto" }: ModelRequest): JsonObject {
  if (tools.length === 0) return {};
  return {
    tools: tools.map((tool) => ({ type: "function", function: tool })),
    tool_choice: toolChoice,
  };
}

function toTokenLimit(
  { maxTokens, thinking }: ModelSettings,
  dialect: Dialect | undefined,
): JsonObject {
  if (maxTokens === undefined) return {};
  // Servers count thinking as output; the answer must still get its maxTokens.
  const limit = maxTokens + thinkingTokens(thinking);
  // OpenAI's reasoning models refuse max_tokens; other servers know only that name.
  return dialect === "openai" ? { max_completion_tokens: limit } : { max_tokens: limit };
}

/** Said as it is: the gateway's own client knows what its server calls it. */
function toGatewayLimits({ maxTokens, thinking }: ModelSettings): JsonObject {
  return { max_tokens: maxTokens, [THINKING_FIELD]: thinking };
}

function toThinking({ thinking }: ModelSettings, dialect: Dialect | undefined): JsonObject {
  if (thinking === undefined) return {};
  const isOn = thinking !== false;
  switch (dialect) {
    case "vllm":
    case "runpod":
      return {
        chat_template_kwargs: { enable_thinking: isOn },
        ...(typeof thinking === "object" ? { thinking_token_budget: thinking.budgetTokens } : {}),
      };
    case "sglang":
    case "llama.cpp":
      return { chat_template_kwargs: { enable_thinking: isOn } };
    case "ollama":
    case "openai":
      return { reasoning_effort: isOn ? "medium" : "none" };
    case undefined:
      return {}; // no known switch; the settings' extraBody can name one
    default:
      return dialect satisfies never;
  }
}

function toOutput(
  output: NonNullable<ModelRequest["output"]>,
  dialect: Dialect | undefined,
): JsonObject {
  if (dialect === "vllm") return { structured_outputs: { json: output.schema } };
  return {
    response_format: {
      type: "json_schema",
      json_schema: { name: output.name, schema: output.schema },
    },
  };
}

/** For servers that refuse response_format: the schema stands in the prompt, once, and the caller validates. */
function withPromptSchema(messages: readonly Message[], schema: JsonObject): readonly Message[] {
  const text = JSON.stringify(schema);
  if (messages.some(({ content }) => content.includes(text))) return messages;
  return appendSystem(messages, `Answer with JSON only. It must fit this JSON Schema:\n${text}`);
}

function toWireMessage(message: Message): JsonObject {
  switch (message.role) {
    case "system":
    case "user":
      return { role: message.role, content: message.content };
    case "tool":
      return { role: "tool", tool_call_id: message.callId, content: message.content };
    case "assistant": {
      const { content, calls = [] } = message;
      if (calls.length === 0) return { role: "assistant", content };
      const tool_calls = calls.map((call) => ({
        id: call.id,
        type: "function",
        function: { name: call.tool, arguments: call.arguments },
      }));
      return { role: "assistant", content: content || null, tool_calls };
    }
    default:
      return message satisfies never;
  }
}
