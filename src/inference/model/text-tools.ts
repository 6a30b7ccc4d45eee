// Tool calling by text, for servers that have none of their own: the tools stand in the system message, calls in tags. Pure.

import { isObject, parseJson } from "../../json.ts";
import type { Message, ToolCall, ToolSpec } from "./message.ts";

const BLOCK = /<tool_call>\s*([\s\S]*?)\s*(?:<\/tool_call>|$)/g;

/** The messages with the tools described, and earlier calls and results told as text. */
export function withTextTools(
  messages: readonly Message[],
  tools: readonly ToolSpec[],
): readonly Message[] {
  const list = tools.map((tool) => JSON.stringify(tool)).join("\n");
  const rules =
    `You may call these tools:\n${list}\n` +
    `To call one, write a line <tool_call>{"name": "…", "arguments": {…}}</tool_call> and nothing after it. The result comes in the next message.`;
  return appendSystem(messages.map(toText), rules);
}

/** The messages with a text added to the system message, which is made when there is none. */
export function appendSystem(messages: readonly Message[], text: string): readonly Message[] {
  const [first, ...rest] = messages;
  if (first?.role !== "system") return [{ role: "system", content: text }, ...messages];
  return [{ role: "system", content: `${first.content}\n\n${text}` }, ...rest];
}

/** Splits a text into what was said and the calls that stand in it. A call that is no JSON stays text. */
export function readTextCalls(text: string): {
  readonly text: string;
  readonly calls: readonly ToolCall[];
} {
  const calls: ToolCall[] = [];
  const said = text.replace(BLOCK, (block, inner: string) => {
    const call = parseJson(inner);
    if (!isObject(call) || typeof call["name"] !== "string") return block;
    const args = call["arguments"] ?? call["parameters"] ?? {};
    calls.push({
      id: `call_${calls.length}`,
      tool: call["name"],
      arguments: typeof args === "string" ? args : JSON.stringify(args),
    });
    return "";
  });
  return { text: calls.length > 0 ? said.trim() : text, calls };
}

function toText(message: Message): Message {
  if (message.role === "tool")
    return { role: "user", content: `Result of ${message.tool}:\n${message.content}` };
  if (message.role !== "assistant" || !message.calls?.length) return message;
  const calls = message.calls.map(
    (call) =>
      `<tool_call>{"name": ${JSON.stringify(call.tool)}, "arguments": ${call.arguments || "{}"}}</tool_call>`,
  );
  return { role: "assistant", content: [message.content, ...calls].filter(Boolean).join("\n") };
}
