// Tool calling by text, for servers that have none of their own: the tools stand in the system message, calls in tags. Pure.

import { isJson, isObject, parseJson } from "../../json.ts";
import { MAX_NAME, type Message, type ToolCall, type ToolSpec } from "./message.ts";

const OPEN = "<tool_call>";
const CLOSE = "</tool_call>";

/** Most calls that are read from one text; what follows them stays text. */
const MAX_CALLS = 128;

/** The messages with earlier calls and results told as text, and the tools described where there are any. */
export function withTextTools(
  messages: readonly Message[],
  tools: readonly ToolSpec[],
): readonly Message[] {
  const told = messages.map(toText);
  if (tools.length === 0) return told;
  const list = tools.map((tool) => JSON.stringify(tool)).join("\n");
  const rules =
    `You may call these tools:\n${list}\n` +
    `To call one, write a line <tool_call>{"name": "…", "arguments": {…}}</tool_call> and nothing after it. The result comes in the next message.`;
  return appendSystem(told, rules);
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
  let said = "";
  let at = 0;
  // indexOf and no pattern: linear in a text that a stranger's model wrote.
  while (calls.length < MAX_CALLS) {
    const start = text.indexOf(OPEN, at);
    if (start < 0) break;
    const close = text.indexOf(CLOSE, start);
    const end = close < 0 ? text.length : close;
    const next = close < 0 ? end : close + CLOSE.length;
    const call = toCall(text.slice(start + OPEN.length, end), calls.length);
    said += text.slice(at, call ? start : next);
    if (call) calls.push(call);
    at = next;
  }
  said += text.slice(at);
  return { text: calls.length > 0 ? said.trim() : text, calls };
}

function toCall(inner: string, index: number): ToolCall | undefined {
  const call = parseJson(inner.trim());
  if (!isObject(call) || !isJson(call) || typeof call["name"] !== "string") return undefined;
  const args = call["arguments"] ?? call["parameters"] ?? {};
  return {
    id: `call_${index}`,
    tool: call["name"].slice(0, MAX_NAME),
    arguments: typeof args === "string" ? args : JSON.stringify(args),
  };
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
