// Token counts without a tokenizer: an estimate, and always called one.

import type { Message, ToolSpec } from "./message.ts";

/**
 * Estimated tokens of a text: four characters of English or code, one of a script that tokenizers split finely (CJK and the like).
 * A rule of thumb, not a measurement of any tokenizer: a reply's own usage wins wherever there is one.
 */
export function estimateTokens(text: string): number {
  let wide = 0;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) >= 0x2e80) wide++;
  return Math.ceil((text.length - wide) / 4 + wide);
}

/** Tokens that a chat template puts around one message (ChatML: role, start, end). */
export const MESSAGE_OVERHEAD_TOKENS = 4;

/** Estimated prompt tokens of a call. */
export function estimatePrompt(
  messages: readonly Message[],
  tools: readonly ToolSpec[] = [],
): number {
  const said = messages.reduce((sum, message) => sum + estimateMessage(message), 0);
  const offered = tools.reduce((sum, tool) => sum + estimateTool(tool), 0);
  return said + offered;
}

/** Estimated tokens of one message with its calls and its frame. */
export function estimateMessage(message: Message): number {
  const calls = message.role === "assistant" ? (message.calls ?? []) : [];
  const called = calls.reduce(
    (sum, call) => sum + estimateTokens(call.tool) + estimateTokens(call.arguments),
    0,
  );
  return estimateTokens(message.content) + called + MESSAGE_OVERHEAD_TOKENS;
}

/** Estimated tokens of one tool's description. */
export function estimateTool(tool: ToolSpec): number {
  return (
    estimateTokens(tool.name + tool.description + JSON.stringify(tool.parameters)) +
    MESSAGE_OVERHEAD_TOKENS
  );
}
