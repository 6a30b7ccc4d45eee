// ModelEvents as the AI SDK's stream parts, and a reply as its result. Pure.

import type {
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  LanguageModelV4ToolCall,
  SharedV4ProviderMetadata,
  SharedV4Warning,
} from "@ai-sdk/provider";
import { detailOf } from "../../../error.ts";
import { isObject } from "../../../json.ts";
import type { ModelEvent, Reply } from "../model.ts";
import { NO_USAGE, type Usage } from "../usage.ts";
import { BOSUN } from "./call-option.ts";
import { toSdkUsage } from "./usage.ts";

/** A reply as the result of doGenerate. */
export function toResult(
  reply: Reply,
  warnings: readonly SharedV4Warning[],
): LanguageModelV4GenerateResult {
  const { text, reasoning, finish, usage, model } = reply;
  return {
    content: [
      ...(reasoning === "" ? [] : [{ type: "reasoning" as const, text: reasoning }]),
      ...(text === "" ? [] : [{ type: "text" as const, text }]),
      ...toSdkCalls(reply),
    ],
    finishReason: finish,
    usage: toSdkUsage(usage),
    providerMetadata: metadataOf(reply),
    response: { modelId: model },
    warnings: [...warnings],
  };
}

/** Makes the parts of one stream; keeps which block is open. */
export interface PartMaker {
  /** At least one part for a delta and for the end. */
  add(event: ModelEvent): LanguageModelV4StreamPart[];
}

type Block = "text" | "reasoning";

export function createPartMaker(warnings: readonly SharedV4Warning[]): PartMaker {
  let open: { readonly block: Block; readonly id: string } | undefined;
  let count = 0;
  let isStarted = false;
  const seen = new Set<Block>();

  const close = (): LanguageModelV4StreamPart[] => {
    const parts = open ? [{ type: `${open.block}-end` as const, id: open.id }] : [];
    open = undefined;
    return parts;
  };
  const say = (block: Block, delta: string): LanguageModelV4StreamPart[] => {
    if (open?.block === block) return [{ type: `${block}-delta`, id: open.id, delta }];
    const before = close();
    open = { block, id: String(count++) };
    seen.add(block);
    const { id } = open;
    return [...before, { type: `${block}-start`, id }, { type: `${block}-delta`, id, delta }];
  };
  /** What a reply holds that no delta has told: one that was not streamed. */
  const rest = ({ text, reasoning }: Reply): LanguageModelV4StreamPart[] => [
    ...(reasoning === "" || seen.has("reasoning") ? [] : say("reasoning", reasoning)),
    ...(text === "" || seen.has("text") ? [] : say("text", text)),
  ];
  const start = (): LanguageModelV4StreamPart[] => {
    if (isStarted) return [];
    isStarted = true;
    return [{ type: "stream-start", warnings: [...warnings] }];
  };
  return {
    add(event) {
      switch (event.type) {
        case "text-delta":
          return [...start(), ...say("text", event.text)];
        case "reasoning-delta":
          return [...start(), ...say("reasoning", event.text)];
        case "end":
          return [...start(), ...rest(event), ...close(), ...endParts(event)];
        case "queued":
        case "start":
        case "retry":
        case "fallback":
          return [];
        default:
          return event satisfies never;
      }
    },
  };
}

function endParts(reply: Reply): LanguageModelV4StreamPart[] {
  return [
    ...toSdkCalls(reply),
    { type: "response-metadata", modelId: reply.model },
    {
      type: "finish",
      finishReason: reply.finish,
      usage: toSdkUsage(reply.usage),
      providerMetadata: metadataOf(reply),
    },
  ];
}

/** The end of a stream that failed: the error, and what had been used until then. */
export function failedParts(error: unknown): LanguageModelV4StreamPart[] {
  const usage = detailOf(error, "usage");
  const spent = isObject(usage) ? (usage as Usage) : NO_USAGE; // `as`: every Model puts it there (A3)
  return [
    { type: "error", error },
    {
      type: "finish",
      finishReason: { unified: "error", raw: undefined },
      usage: toSdkUsage(spent),
    },
  ];
}

function toSdkCalls({ calls }: Reply): LanguageModelV4ToolCall[] {
  return calls.map((call) => ({
    type: "tool-call",
    toolCallId: call.id,
    toolName: call.tool,
    input: call.arguments.trim() === "" ? "{}" : call.arguments,
  }));
}

/** Who answered, and where its time went. */
function metadataOf({ endpoint, timings }: Reply): SharedV4ProviderMetadata {
  const { queueMs, firstTokenMs, totalMs } = timings;
  const known = firstTokenMs === undefined ? {} : { firstTokenMs };
  return { [BOSUN]: { endpoint, queueMs, totalMs, ...known } };
}
