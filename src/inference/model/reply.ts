// Assembles a reply from Chat Completions chunks, odd ones included. Pure of I/O; also reads a whole, unstreamed answer.
//
// Tool calls come in pieces: by index, or without one (then by id, else the last one goes on); the name may come late, the id
// not at all, the arguments in many parts or at once.

import { randomUUID } from "node:crypto";
import { isJson, isObject, type Json } from "../../json.ts";
import { MAX_NAME, type ToolCall } from "./message.ts";
import type { Finish } from "./model.ts";
import { Pieces } from "./pieces.ts";
import type { Usage } from "./usage.ts";

/** Most characters of one answer, of its text, its reasoning and its arguments together; of a refusal too. */
export const MAX_REPLY: number = 16 * 1024 * 1024;

/** Most characters of the JSON of usage and metrics that is kept as it came. */
const MAX_RAW = 8 * 1024;

/** Most tool calls of one reply; further ones are dropped. */
export const MAX_CALLS = 128;

/** What a chunk added. `isToken` = any part of an answer, a tool call's pieces too. */
export type Added = {
  readonly text: string;
  readonly reasoning: string;
  readonly isToken: boolean;
};

/** A reply as far as it has come. */
export type PartialReply = {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly ToolCall[];
  readonly finish: Finish | undefined;
  readonly usage: Usage | undefined;
  readonly model: string | undefined;
  readonly metrics: Json | undefined;
  /** True as soon as anything of an answer had come. */
  readonly hasTokens: boolean;
};

export interface ReplyAssembler {
  /** Takes one parsed chunk, or one whole answer. Undefined when it is neither; "too-long" when all of it is over MAX_REPLY. */
  add(chunk: unknown): Added | "too-long" | undefined;
  read(): PartialReply;
  /** True when a reason to end has come. */
  isFinished(): boolean;
}

type OpenCall = { index: number | undefined; id: string; tool: string; arguments: string };

export function createReplyAssembler(): ReplyAssembler {
  return new Assembler();
}

/** A class, because each of a thousand open calls has one. */
class Assembler implements ReplyAssembler {
  readonly #text = new Pieces();
  readonly #reasoning = new Pieces();
  #calls: OpenCall[] = NO_CALLS;
  #rawFinish: string | undefined;
  #usage: Usage | undefined;
  #model: string | undefined;
  #metrics: Json | undefined;
  #length = 0;
  // Servers that name no id get one that no other reply of the same conversation has.
  #replyId: string | undefined;

  add(chunk: unknown): Added | "too-long" | undefined {
    if (!isObject(chunk)) return undefined;
    const { choices, usage, model, metrics } = chunk;
    if (!Array.isArray(choices) && !isObject(usage)) return undefined;
    if (typeof model === "string" && model !== this.#model) this.#model = model.slice(0, MAX_NAME);
    if (isObject(usage)) this.#usage = toUsage(usage);
    if (isObject(metrics)) this.#metrics = rawOf(metrics);
    const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
    if (!isObject(choice)) return NOTHING;
    const finish = choice["finish_reason"];
    if (typeof finish === "string") this.#rawFinish = finish.slice(0, MAX_NAME);
    const part = choice["delta"] ?? choice["message"];
    return isObject(part) ? this.#addPart(part) : NOTHING;
  }

  read(): PartialReply {
    const named = this.#calls.filter((call) => call.tool !== "");
    const calls = named.map(({ id, tool, arguments: args }, index) => ({
      id: id || this.#idFor(index),
      tool,
      arguments: args,
    }));
    const text = this.#text.read();
    const reasoning = this.#reasoning.read();
    const finish =
      this.#rawFinish === undefined ? undefined : toFinish(this.#rawFinish, calls.length > 0);
    return {
      text,
      reasoning,
      calls,
      finish,
      usage: this.#usage,
      model: this.#model,
      metrics: this.#metrics,
      hasTokens: text !== "" || reasoning !== "" || this.#calls.length > 0,
    };
  }

  isFinished(): boolean {
    return this.#rawFinish !== undefined;
  }

  /** Takes what a delta, or a whole message, says. */
  #addPart(part: Readonly<Record<string, unknown>>): Added | "too-long" {
    const text = textOf(part["content"]);
    const reasoning = textOf(part["reasoning"]) || textOf(part["reasoning_content"]);
    if (text !== "") this.#text.add(text);
    if (reasoning !== "") this.#reasoning.add(reasoning);
    this.#length += text.length + reasoning.length;
    const called = calledIn(part);
    if (called.length > 0 && this.#calls === NO_CALLS) this.#calls = [];
    for (const call of called) this.#length += addCall(this.#calls, call);
    if (this.#length > MAX_REPLY) return "too-long";
    const isToken = text !== "" || reasoning !== "" || called.length > 0;
    return isToken ? { text, reasoning, isToken } : NOTHING;
  }

  #idFor(index: number): string {
    return `call_${(this.#replyId ??= randomUUID().slice(0, 8))}_${index}`;
  }
}

/** Of replies without calls; nothing is added to it. */
const NO_CALLS: OpenCall[] = [];

const NOTHING: Added = { text: "", reasoning: "", isToken: false };

const NO_CALLED: readonly unknown[] = [];

/** The tool calls of a part; `function_call` is their older form. */
function calledIn(part: Readonly<Record<string, unknown>>): readonly unknown[] {
  if (Array.isArray(part["tool_calls"])) return part["tool_calls"];
  return isObject(part["function_call"])
    ? [{ index: 0, function: part["function_call"] }]
    : NO_CALLED;
}

/** Takes a piece of a call. Returns the characters that it added. */
function addCall(calls: OpenCall[], delta: unknown): number {
  if (!isObject(delta)) return 0;
  const { index } = delta;
  const id = typeof delta["id"] === "string" ? delta["id"].slice(0, MAX_NAME) : undefined;
  const fn = isObject(delta["function"]) ? delta["function"] : {};
  const open = findCall(calls, typeof index === "number" ? index : undefined, id);
  if (!open) return 0;
  if (id) open.id = id;
  if (typeof fn["name"] === "string" && open.tool === "") open.tool = fn["name"].slice(0, MAX_NAME);
  const args = fn["arguments"];
  if (typeof args === "string") {
    open.arguments += args;
    return args.length;
  }
  if (!isObject(args) || !isJson(args)) return 0;
  open.arguments = JSON.stringify(args);
  return open.arguments.length;
}

function findCall(
  calls: OpenCall[],
  index: number | undefined,
  id: string | undefined,
): OpenCall | undefined {
  const last = calls.at(-1);
  const sameIndex = calls.findLast((call) => call.index === index);
  const sameId = id ? calls.find((call) => call.id === id) : undefined;
  // Some servers (Ollama) give each whole call the index 0: another id is another call.
  const isOther = Boolean(id && sameIndex?.id && sameIndex.id !== id);
  const known =
    sameId ?? (index === undefined ? (id ? undefined : last) : isOther ? undefined : sameIndex);
  if (known) return known;
  if (calls.length >= MAX_CALLS) return undefined;
  const open = { index, id: id ?? "", tool: "", arguments: "" };
  calls.push(open);
  return open;
}

/** Content is a text, null, or a list of parts of which the texts count. */
function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part: unknown) =>
      isObject(part) && typeof part["text"] === "string" ? part["text"] : "",
    )
    .join("");
}

function toFinish(raw: string, hasCalls: boolean): Finish {
  switch (raw) {
    case "stop":
      // Some servers say "stop" after tool calls; what counts is that there are calls.
      return { unified: hasCalls ? "tool-calls" : "stop", raw };
    case "length":
      return { unified: "length", raw };
    case "tool_calls":
    case "function_call":
      return { unified: "tool-calls", raw };
    case "content_filter":
      return { unified: "content-filter", raw };
    default:
      return { unified: "other", raw };
  }
}

function toUsage(raw: Readonly<Record<string, unknown>>): Usage | undefined {
  const input = numberOf(raw["prompt_tokens"]);
  const output = numberOf(raw["completion_tokens"]);
  if (input === undefined && output === undefined) return undefined;
  const inputDetails = isObject(raw["prompt_tokens_details"]) ? raw["prompt_tokens_details"] : {};
  const outputDetails = isObject(raw["completion_tokens_details"])
    ? raw["completion_tokens_details"]
    : {};
  const kept = rawOf(raw);
  return {
    input: { total: input ?? 0, cached: numberOf(inputDetails["cached_tokens"]) },
    output: { total: output ?? 0, reasoning: numberOf(outputDetails["reasoning_tokens"]) },
    // Bosun's own servers say so where nobody counted.
    source: raw["estimated"] === true ? "estimated" : "server",
    ...(kept === undefined ? {} : { raw: kept }),
  };
}

/** What a server sent, where it is small and shallow enough to be stored with every event. */
export function rawOf(value: unknown): Json | undefined {
  return isJson(value) && JSON.stringify(value).length <= MAX_RAW ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}
