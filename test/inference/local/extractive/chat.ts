// What the tests of the extractive model share: prompts as Bosun's agents send them, search results, and one answer to a request.

import type { JsonObject } from "../../../../src/json.ts";
import type { Message, ToolCall, ToolSpec } from "../../../../src/inference/model/message.ts";
import type { ModelEvent, ModelRequest, Reply } from "../../../../src/inference/model/model.ts";
import { createExtractive } from "../../../../src/inference/local/extractive/extractive.ts";
import { MARKER } from "../../../../src/inference/local/extractive/own-line.ts";

export type Prompt = {
  readonly role?: string;
  readonly goal?: string;
  readonly context?: Readonly<Record<string, string>>;
  readonly task: string;
  readonly expected?: string;
};

export type Passage = { readonly source: string; readonly section: string; readonly text: string };

/** The first two messages of an agent at a task. */
export function agentMessages(prompt: Prompt): Message[] {
  const { role = "Research analyst", goal = "Find facts with sources", context = {} } = prompt;
  const sections = Object.entries(context).map(([name, text]) => `## ${name}\n${text}`);
  const before = sections.length > 0 ? `# Context\n${sections.join("\n\n")}\n\n` : "";
  const after = prompt.expected === undefined ? "" : `\n\n# Expected output\n${prompt.expected}`;
  return [
    { role: "system", content: `You are ${role}.\nGoal: ${goal}\nYou work with care.` },
    { role: "user", content: `${before}# Task\n${prompt.task}${after}` },
  ];
}

/** A turn with a call and its result. */
export function searchTurn(
  query: string,
  content: string,
  options: { readonly tool?: string; readonly id?: string } = {},
): Message[] {
  const { tool = "search_docs", id = "call_1_1" } = options;
  const call: ToolCall = { id, tool, arguments: JSON.stringify({ query }) };
  return [
    { role: "assistant", content: "", calls: [call] },
    { role: "tool", content, callId: id, tool },
  ];
}

export function found(...results: readonly Passage[]): string {
  return JSON.stringify({ results, more: 0 });
}

export const SEARCH: ToolSpec = {
  name: "search_docs",
  description: "Searches the documents. Returns passages with their source.",
  parameters: {
    type: "object",
    properties: {
      query: { type: "string", description: "Words to look for" },
      limit: { type: "integer", minimum: 1, maximum: 20, default: 5 },
    },
    required: ["query"],
    additionalProperties: false,
  },
};

export const CACHE: Passage = {
  source: "docs/kv-cache.md",
  section: "What the KV cache is",
  text: "The KV cache keeps the keys and values of every token in GPU memory. It grows by a fixed number of bytes for each token. The KV cache of a request is released when the request ends.",
};

export const BLOCKS: Passage = {
  source: "docs/paged-attention.md",
  section: "Blocks of 16 tokens",
  text: "vLLM divides the KV pool into blocks of 16 tokens. A block table maps the logical blocks of a request to physical blocks. At most 15 slots of the last block are empty.",
};

export const PREEMPTION: Passage = {
  source: "docs/paged-attention.md",
  section: "Preemption",
  text: "A server that hands out blocks on demand can run out of blocks. vLLM reacts to an empty pool by preempting the request that came last. A preempted request is computed again from its first token.",
};

export const ALL_RESULTS: string = found(CACHE, BLOCKS, PREEMPTION);

export function requestOf(
  messages: readonly Message[],
  more: Partial<ModelRequest> = {},
): ModelRequest {
  return {
    models: ["extractive"],
    messages,
    settings: {},
    hints: {
      runId: "run-1",
      path: [],
      purpose: "work",
      remainingCalls: undefined,
    },
    ...more,
  };
}

export async function eventsOf(
  request: ModelRequest,
  options: Parameters<typeof createExtractive>[0] = {},
): Promise<ModelEvent[]> {
  const events: ModelEvent[] = [];
  const call = createExtractive(options).call(request, new AbortController().signal);
  for await (const event of call) events.push(event);
  return events;
}

export async function replyTo(
  messages: readonly Message[],
  more: Partial<ModelRequest> = {},
  options: Parameters<typeof createExtractive>[0] = {},
): Promise<Reply> {
  const end = (await eventsOf(requestOf(messages, more), options)).at(-1);
  if (end?.type !== "end") throw new Error("the call ended without an end");
  return end;
}

/** The answer to a task that has searched already. */
export async function answerTo(prompt: Prompt, results: string = ALL_RESULTS): Promise<string> {
  return (await replyTo([...agentMessages(prompt), ...searchTurn("kv cache", results)])).text;
}

/** The JSON of an answer with a schema. */
export async function filled(
  schema: JsonObject,
  prompt: Prompt = { task: "Research the KV cache" },
  results: string = ALL_RESULTS,
): Promise<unknown> {
  const messages = [...agentMessages(prompt), ...searchTurn("kv cache", results)];
  const reply = await replyTo(messages, { output: { name: "facts", schema } });
  return JSON.parse(reply.text);
}

/** The sentences of an answer with the source that is cited for each. */
export function citedIn(text: string): { readonly text: string; readonly source: string }[] {
  const lines = text.split("\n").filter((line) => line && line !== MARKER && !line.startsWith("#"));
  return lines.flatMap((line) =>
    [...line.replace(/^- /, "").matchAll(/(.+?[.!?]) \[([^\]]+)\]\s*/g)].map((match) => ({
      text: match[1] ?? "",
      source: match[2] ?? "",
    })),
  );
}

export function wordsIn(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}
