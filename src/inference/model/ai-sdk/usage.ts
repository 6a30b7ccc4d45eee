// Tokens that a call used, between Bosun's shape and the AI SDK's. Pure.

import type { LanguageModelV4Usage } from "@ai-sdk/provider";
import { isObject } from "../../../json.ts";
import { rawOf } from "../reply.ts";
import type { Usage } from "../usage.ts";

/** Usage as any version of the specification has it: flat in v2, nested since. Undefined when nobody counted. */
export function fromSdkUsage(usage: unknown): Usage | undefined {
  if (!isObject(usage)) return undefined;
  const { inputTokens, outputTokens, raw } = usage;
  const input = isObject(inputTokens)
    ? inputTokens
    : { total: inputTokens, cacheRead: usage["cachedInputTokens"] };
  const output = isObject(outputTokens)
    ? outputTokens
    : { total: outputTokens, reasoning: usage["reasoningTokens"] };
  const [asked, answered] = [countOf(input["total"]), countOf(output["total"])];
  if (asked === undefined && answered === undefined) return undefined;
  const kept = rawOf(raw);
  const isCounted = asked !== undefined && answered !== undefined && !isEstimate(raw);
  return {
    input: { total: asked ?? 0, cached: countOf(input["cacheRead"]) },
    output: { total: answered ?? 0, reasoning: countOf(output["reasoning"]) },
    source: isCounted ? "server" : "estimated",
    ...(kept === undefined ? {} : { raw: kept }),
  };
}

/** Usage as the specification v4 has it, which has no word for an estimate: `raw.estimated` says it. */
export function toSdkUsage({ input, output, source, raw }: Usage): LanguageModelV4Usage {
  const sent = isObject(raw) ? raw : {};
  const noted = source === "estimated" ? { ...sent, estimated: true } : sent;
  return {
    inputTokens: {
      total: input.total,
      noCache: input.cached === undefined ? undefined : input.total - input.cached,
      cacheRead: input.cached,
      cacheWrite: undefined,
    },
    outputTokens: {
      total: output.total,
      text: output.reasoning === undefined ? undefined : output.total - output.reasoning,
      reasoning: output.reasoning,
    },
    raw: noted,
  };
}

/** Bosun's own servers and models say so where nobody counted. */
function isEstimate(raw: unknown): boolean {
  return isObject(raw) && raw["estimated"] === true;
}

function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}
