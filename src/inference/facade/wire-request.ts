// A checked body → ModelRequest. Pure.

import { BosunError } from "../../error.ts";
import type { Json, JsonObject } from "../../json.ts";
import type { ModelSettings } from "../model/endpoint.ts";
import type { Message, OutputSpec, ToolCall, ToolChoice, ToolSpec } from "../model/message.ts";
import type { ModelHints, ModelRequest } from "../model/model.ts";
import { type ChatBody, KNOWN_FIELDS, type WireCall, type WireMessage } from "./chat-body.ts";

/**
 * The call that a body asks for. `requestId` stands for the run, unless `hints` name one.
 * @throws BosunError `server/bad-request` for a tool choice that names no tool, a tool answer that answers no call, stream options without a stream.
 */
export function toModelRequest(
  body: ChatBody,
  requestId: string,
  hints: Partial<ModelHints> = {},
): ModelRequest {
  const { tools, toolChoice } = toTools(body);
  const output = toOutput(body);
  if (body.stream_options && !body.stream) {
    throw badRequest("stream_options", "goes with stream: true only");
  }
  return {
    models: [body.model],
    messages: toMessages(body.messages),
    ...(tools ? { tools } : {}),
    ...(toolChoice ? { toolChoice } : {}),
    ...(output ? { output } : {}),
    settings: toSettings(body),
    hints: {
      runId: requestId,
      path: [],
      purpose: "work",
      remainingCalls: undefined,
      ...hints,
    },
  };
}

function toMessages(wire: readonly WireMessage[]): Message[] {
  const tools = new Map<string, string>();
  return wire.map((message, index): Message => {
    switch (message.role) {
      case "system":
      case "developer":
      case "user": {
        const role = message.role === "user" ? "user" : "system";
        return { role, content: textOf(message.content) };
      }
      case "assistant": {
        const calls = (message.tool_calls ?? []).map(toCall);
        for (const call of calls) tools.set(call.id, call.tool);
        const content = textOf(message.content ?? "");
        return { role: "assistant", content, ...(calls.length > 0 ? { calls } : {}) };
      }
      case "tool": {
        const tool = tools.get(message.tool_call_id) ?? message.name;
        if (tool === undefined) {
          throw badRequest(
            `messages[${index}].tool_call_id`,
            `"${message.tool_call_id}" is no id of an earlier tool call`,
          );
        }
        const callId = message.tool_call_id;
        return { role: "tool", content: textOf(message.content), callId, tool };
      }
      default:
        return message satisfies never;
    }
  });
}

function textOf(content: string | readonly { readonly text: string }[]): string {
  return typeof content === "string" ? content : content.map((part) => part.text).join("");
}

function toCall(wire: WireCall): ToolCall {
  return { id: wire.id, tool: wire.function.name, arguments: wire.function.arguments };
}

type Tools = {
  readonly tools: readonly ToolSpec[] | undefined;
  readonly toolChoice: ToolChoice | undefined;
};

/** A choice of one tool becomes: this tool only, and one must be called. */
function toTools({ tools: wire, tool_choice: choice }: ChatBody): Tools {
  const tools = wire?.map(({ function: { name, description, parameters } }): ToolSpec => ({
    name,
    description: description ?? "",
    parameters: parameters ?? NO_PARAMETERS,
  }));
  if (!choice || typeof choice === "string") {
    if (choice === "required" && !tools?.length)
      throw badRequest("tool_choice", "there are no tools to choose from");
    return { tools, toolChoice: choice ?? undefined };
  }
  const { name } = choice.function;
  const chosen = tools?.filter((tool) => tool.name === name) ?? [];
  if (chosen.length === 0) throw badRequest("tool_choice", `there is no tool "${name}"`);
  return { tools: chosen, toolChoice: "required" };
}

const NO_PARAMETERS: JsonObject = { type: "object", properties: {} };

function toOutput({ response_format: format }: ChatBody): OutputSpec | undefined {
  switch (format?.type) {
    case "json_schema":
      return { name: format.json_schema.name, schema: format.json_schema.schema };
    case "json_object":
      return { name: "json_object", schema: { type: "object" } };
    case "text":
    case undefined:
    case null:
      return undefined;
    default:
      return format satisfies never;
  }
}

function toSettings(body: ChatBody): ModelSettings {
  const { temperature, top_p: topP, seed, stop } = body;
  const maxTokens = body.max_completion_tokens ?? body.max_tokens;
  const others = Object.entries(body).filter(
    ([key, value]) => !KNOWN_FIELDS.has(key) && value !== undefined,
  );
  return {
    ...(temperature == null ? {} : { temperature }),
    ...(topP == null ? {} : { topP }),
    ...(seed == null ? {} : { seed }),
    ...(stop == null ? {} : { stop: typeof stop === "string" ? [stop] : stop }),
    ...(maxTokens == null ? {} : { maxTokens }),
    ...(others.length > 0 ? { extraBody: Object.fromEntries(others) as Record<string, Json> } : {}), // `as`: parsed JSON
  };
}

function badRequest(param: string, message: string): BosunError {
  return new BosunError("server/bad-request", `${param}: ${message}`, { details: { param } });
}
