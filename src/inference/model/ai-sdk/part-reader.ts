// Assembles a reply from the parts that an AI SDK model streams; a whole result is read as the parts that it is made of. Pure.
//
// Left out: what Bosun has no word for (files, sources, a provider's own content), and tools that the provider runs by itself.

import type {
  LanguageModelV4GenerateResult,
  LanguageModelV4ReasoningPart,
  LanguageModelV4StreamPart,
  SharedV4ProviderMetadata,
} from "@ai-sdk/provider";
import { MAX_NAME, type ToolCall } from "../message.ts";
import { type Added, MAX_CALLS, MAX_REPLY, type PartialReply } from "../reply.ts";
import { fromSdkFinish } from "./finish.ts";
import { definedIn } from "./spec.ts";
import type { Turn } from "./turn-memory.ts";
import { fromSdkUsage } from "./usage.ts";

export interface PartReader {
  /** Takes one part. "too-long" when all of the answer is over MAX_REPLY. */
  add(part: LanguageModelV4StreamPart): Added | "too-long";
  read(): PartialReply;
  /** How it ended; undefined while it has not. */
  end(): ReturnType<typeof fromSdkFinish> | undefined;
  /** What the provider wants back with the results of the calls. */
  turn(): Turn;
}

/** A block of text or reasoning. Of several metadata of one block the last counts, as in the AI SDK. */
type Block = { text: string; metadata: SharedV4ProviderMetadata | undefined };

type State = {
  text: string;
  reasoning: string;
  length: number;
  hasTokens: boolean;
  readonly texts: Map<string, Block>;
  readonly thoughts: Map<string, Block>;
  readonly calls: Map<string, ToolCall>;
  readonly callMetadata: Map<string, SharedV4ProviderMetadata>;
  usage: PartialReply["usage"];
  model: string | undefined;
  end: ReturnType<typeof fromSdkFinish> | undefined;
};

export function createPartReader(): PartReader {
  const state: State = {
    text: "",
    reasoning: "",
    length: 0,
    hasTokens: false,
    texts: new Map(),
    thoughts: new Map(),
    calls: new Map(),
    callMetadata: new Map(),
    usage: undefined,
    model: undefined,
    end: undefined,
  };
  return {
    add(part) {
      const added = addPart(state, part);
      state.text += added.text;
      state.reasoning += added.reasoning;
      state.hasTokens ||= added.isToken;
      return state.length > MAX_REPLY ? "too-long" : added;
    },
    read() {
      const { text, reasoning, usage, model, end, hasTokens } = state;
      const calls = [...state.calls.values()];
      const finish = typeof end === "object" ? end : undefined;
      return { text, reasoning, calls, finish, usage, model, metrics: undefined, hasTokens };
    },
    end: () => state.end,
    turn: () => toTurn(state),
  };
}

function addPart(state: State, part: LanguageModelV4StreamPart): Added {
  switch (part.type) {
    case "text-start":
    case "text-delta":
    case "text-end":
      return { ...NOTHING, ...said(state, "text", addToBlock(state.texts, part)) };
    case "reasoning-start":
    case "reasoning-delta":
    case "reasoning-end":
      return { ...NOTHING, ...said(state, "reasoning", addToBlock(state.thoughts, part)) };
    case "tool-input-start":
    case "tool-input-delta":
    case "tool-call":
      return addToolPart(state, part);
    case "response-metadata":
      state.model = part.modelId?.slice(0, MAX_NAME) ?? state.model;
      return NOTHING;
    case "finish":
      state.end = fromSdkFinish(part.finishReason);
      state.usage = fromSdkUsage(part.usage);
      return NOTHING;
    default:
      return NOTHING; // not closed with `never`: a later version of the specification adds parts
  }
}

type ToolPart = Extract<
  LanguageModelV4StreamPart,
  { type: "tool-input-start" | "tool-input-delta" | "tool-call" }
>;

function addToolPart(state: State, part: ToolPart): Added {
  if (part.type === "tool-input-delta") {
    const open = state.calls.get(part.id);
    return open ? addCall(state, { ...open, arguments: open.arguments + part.delta }) : NOTHING;
  }
  const [id, input] = part.type === "tool-call" ? [part.toolCallId, part.input] : [part.id, ""];
  if (part.providerExecuted) {
    state.calls.delete(id); // its beginning may not have said so
    return NOTHING;
  }
  if (part.type === "tool-call" && part.providerMetadata)
    state.callMetadata.set(id, part.providerMetadata);
  return addCall(state, { id, tool: part.toolName, arguments: input });
}

const NOTHING: Added = { text: "", reasoning: "", isToken: false };

function said(state: State, kind: "text" | "reasoning", text: string): Partial<Added> {
  state.length += text.length;
  return text === "" ? {} : { [kind]: text, isToken: true };
}

type BlockPart = {
  readonly id: string;
  readonly delta?: string;
  readonly providerMetadata?: SharedV4ProviderMetadata;
};

function addToBlock(
  blocks: Map<string, Block>,
  { id, delta = "", providerMetadata }: BlockPart,
): string {
  const block = blocks.get(id) ?? { text: "", metadata: undefined };
  block.text += delta;
  block.metadata = providerMetadata ?? block.metadata;
  blocks.set(id, block);
  return delta;
}

/** Takes a call as far as it is known; further ones than MAX_CALLS are dropped. */
function addCall(state: State, call: ToolCall): Added {
  const known = state.calls.get(call.id);
  if (!known && state.calls.size >= MAX_CALLS) return NOTHING;
  state.length += call.arguments.length - (known?.arguments.length ?? 0);
  state.calls.set(call.id, { ...call, tool: call.tool.slice(0, MAX_NAME) });
  return { ...NOTHING, isToken: true };
}

function toTurn({ texts, thoughts, callMetadata }: State): Turn {
  const [text, ...others] = [...texts.values()].filter((block) => block.text !== "");
  const reasoning = [...thoughts.values()].map((block) =>
    definedIn<LanguageModelV4ReasoningPart>({
      type: "reasoning",
      text: block.text,
      providerOptions: block.metadata,
    }),
  );
  return {
    reasoning,
    text: others.length > 0 ? undefined : text?.metadata,
    calls: callMetadata,
  };
}

/** A whole result as the parts that it is made of. */
export function partsOf(result: LanguageModelV4GenerateResult): LanguageModelV4StreamPart[] {
  const { content, finishReason, usage, response } = result;
  const modelId = response?.modelId;
  return [
    ...(modelId === undefined ? [] : [{ type: "response-metadata" as const, modelId }]),
    ...content.flatMap((part, index): LanguageModelV4StreamPart[] => {
      if (part.type !== "text" && part.type !== "reasoning") return [part];
      const { type, text, providerMetadata } = part;
      const metadata = providerMetadata ? { providerMetadata } : {};
      return [{ type: `${type}-delta`, id: String(index), delta: text, ...metadata }];
    }),
    { type: "finish", finishReason, usage },
  ];
}
