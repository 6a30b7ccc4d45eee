// What a server makes of what was written: a constraint is met (Z2), a call that must come comes, and what no parser takes out of the
// text stays in it.

import { isBosunError } from "../../../error.ts";
import { isObject } from "../../../json.ts";
import type { ToolCall } from "../../model/message.ts";
import type { ModelRequest } from "../../model/model.ts";
import { leastJson, leastText, meets } from "./least.ts";
import { callText } from "./prompt.ts";
import type { TextSource, WriteAsk, Written } from "./source.ts";

/** Which parsers a server has. */
export type Parsers = { readonly reasoningParser: string | undefined };

/**
 * What a client gets of what the source says: its own words where they fit, else the least that the constraint allows.
 * @throws BosunError `model/bad-request` for a constraint that nothing meets.
 */
export async function writeShaped(
  source: TextSource,
  ask: WriteAsk,
  { reasoningParser, signal }: Parsers & { readonly signal: AbortSignal },
): Promise<Written> {
  const written = await writeConstrained(source, ask, signal);
  const called = await withCalls(written, ask.request);
  if (isThinkingOff(ask.request)) return { ...called, reasoning: "" };
  return reasoningParser === undefined ? withThoughts(called) : called;
}

async function writeConstrained(
  source: TextSource,
  ask: WriteAsk,
  signal: AbortSignal,
): Promise<Written> {
  const { constraint } = ask;
  if (!constraint) return source.write(ask, signal);
  const written = await writeOrNothing(source, ask, signal);
  if (written && (written.calls.length > 0 || (await meets(written.text, constraint))))
    return written;
  return { text: await leastText(constraint), reasoning: "", calls: [] };
}

/** A source that cannot fill a schema refuses; a server whose decoder is bound to the schema never does. */
async function writeOrNothing(
  source: TextSource,
  ask: WriteAsk,
  signal: AbortSignal,
): Promise<Written | undefined> {
  try {
    return await source.write(ask, signal);
  } catch (error) {
    if (isBosunError(error) && error.code === "model/bad-request") return undefined;
    throw error;
  }
}

/** Calls where tools are offered. Where none are, nobody parses: calls are text, as a model writes them. */
async function withCalls(written: Written, request: ModelRequest): Promise<Written> {
  const { tools = [], toolChoice = "auto" } = request;
  const [first] = tools;
  if (!first || toolChoice === "none")
    return {
      ...written,
      text: [written.text, ...written.calls.map(asText)].filter(Boolean).join("\n"),
      calls: [],
    };
  if (toolChoice !== "required" || written.calls.length > 0) return written;
  // The decoder of a server is bound to a call then, whatever its model would say.
  const call = await leastCall(request, 0);
  return { ...written, text: "", calls: call ? [call] : [] };
}

/** The first tool with the least arguments that it takes; undefined without tools. @throws as `leastJson`. */
export async function leastCall(
  { tools = [], messages }: Pick<ModelRequest, "tools" | "messages">,
  choice: number,
): Promise<ToolCall | undefined> {
  const [tool] = tools;
  if (!tool) return undefined;
  const id = `chatcmpl-tool-${messages.length}${choice}`;
  return { id, tool: tool.name, arguments: await leastJson(tool.parameters) };
}

function asText(call: ToolCall): string {
  const { before, arguments: given, after } = callText(call);
  return before + given + after;
}

function withThoughts(written: Written): Written {
  if (written.reasoning === "") return written;
  const text = `<think>\n${written.reasoning}\n</think>\n\n${written.text}`;
  return { ...written, text, reasoning: "" };
}

/** Said as a setting, or as Qwen's template has it. */
function isThinkingOff({ settings }: ModelRequest): boolean {
  const template = settings.extraBody?.["chat_template_kwargs"];
  return (
    settings.thinking === false || (isObject(template) && template["enable_thinking"] === false)
  );
}
