// A conversation as prompt ids, in the shape of ChatML with Hermes tool calls (Qwen's template).
//
// Each part is encoded apart, so that an answer has the same ids when it comes back as history: its blocks are found in the cache.

import type { Message, ToolCall, ToolSpec } from "../../model/message.ts";
import { encodeText, joinIds, SPECIAL } from "./tokenizer.ts";

/** What a template is filled with. */
export type Conversation = {
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolSpec[] | undefined;
};

/** The ids of a conversation, ending where the assistant begins to speak. Never empty. */
export function toPromptIds({ messages, tools = [] }: Conversation): Int32Array {
  const [first, ...others] = messages;
  const hasSystem = first?.role === "system";
  const system = hasSystem ? first.content : "";
  const head = system || tools.length > 0 ? [turn("system", system + toolText(tools))] : [];
  const rest = hasSystem ? others : messages;
  return joinIds([...head, ...rest.map(turnOf), BEGIN, encodeText("assistant\n")]);
}

/** A call as Hermes writes it: the text around the arguments, which a tool parser takes away. */
export function callText({ tool, arguments: given }: ToolCall): {
  readonly before: string;
  readonly arguments: string;
  readonly after: string;
} {
  const before = `<tool_call>\n{"name": ${JSON.stringify(tool)}, "arguments": `;
  return { before, arguments: given, after: "}\n</tool_call>" };
}

const BEGIN = Int32Array.of(SPECIAL["<|im_start|>"]);
const END = Int32Array.of(SPECIAL["<|im_end|>"]);

function turnOf(message: Message): Int32Array {
  switch (message.role) {
    case "system":
    case "user":
      return turn(message.role, message.content);
    case "tool":
      return turn("user", `<tool_response>\n${message.content}\n</tool_response>`);
    case "assistant":
      return assistantTurn(message.content, message.calls ?? []);
    default:
      return message satisfies never;
  }
}

function turn(role: string, content: string): Int32Array {
  return joinIds([BEGIN, encodeText(`${role}\n`), encodeText(content), END, encodeText("\n")]);
}

function assistantTurn(content: string, calls: readonly ToolCall[]): Int32Array {
  const called = calls.flatMap((call) => {
    const { before, arguments: given, after } = callText(call);
    return [encodeText(before), encodeText(given), encodeText(after)];
  });
  const said = content === "" ? [] : [encodeText(content)];
  return joinIds([BEGIN, encodeText("assistant\n"), ...said, ...called, END, encodeText("\n")]);
}

/** In one order, whatever it is: the same tools must make the same prefix. */
function toolText(tools: readonly ToolSpec[]): string {
  if (tools.length === 0) return "";
  const lines = tools.map(({ name, description, parameters }) =>
    JSON.stringify({ type: "function", function: { name, description, parameters } }),
  );
  return `\n\n# Tools\n\nYou may call one or more functions.\n<tools>\n${lines.join("\n")}\n</tools>`;
}
