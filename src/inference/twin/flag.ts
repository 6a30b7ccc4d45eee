// The flags of `vllm serve` that change what its HTTP surface does, by their names in camelCase.

import { BosunError } from "../../error.ts";

/** Flags as a server runs with them. */
export type ServingFlags = {
  readonly model: string;
  /** Names that requests may give. Default: the model's. */
  readonly servedModelName: readonly [string, ...string[]];
  /** Tokens of prompt and answer together. */
  readonly maxModelLen: number;
  readonly enableAutoToolChoice: boolean;
  readonly toolCallParser: string | undefined;
  /** Without one, thoughts stand in the text between their tags. */
  readonly reasoningParser: string | undefined;
  readonly schedulingPolicy: "fcfs" | "priority";
  readonly enablePromptTokensDetails: boolean;
  readonly enablePerRequestMetrics: boolean;
  readonly enableServerLoadTracking: boolean;
  readonly enableForceIncludeUsage: boolean;
  /** Names of adapters; they are models to whoever asks. */
  readonly loraModules: readonly string[];
  readonly maxLogprobs: number;
  readonly apiKey: readonly string[];
  /** Routes of VLLM_SERVER_DEV_MODE=1: /sleep, /wake_up, /is_sleeping. */
  readonly devMode: boolean;
};

/** Flags as they are given: all but two have vLLM's defaults. */
export type FlagOptions = Partial<ServingFlags> & Pick<ServingFlags, "model" | "maxModelLen">;

/** Names of vLLM 0.28's parsers. A twin writes calls by itself; the flag only has to be right. Source: docs.vllm.ai, "Tool Calling", read 2026-11. */
const PARSERS: ReadonlySet<string> = new Set(
  "deepseek_v3 deepseek_v31 granite granite-20b-fc hermes hunyuan_a13b internlm jamba kimi_k2 llama3_json llama4_json llama4_pythonic minimax mistral openai phi4_mini_json pythonic qwen3_coder qwen3_xml step3 xlam glm45 seed_oss ernie45 olmo3".split(
    " ",
  ),
);

/** All flags. @throws BosunError `config/invalid` for what `vllm serve` refuses at its start, in its words. */
export function planFlags(options: FlagOptions): ServingFlags {
  const { model, maxModelLen, toolCallParser, enableAutoToolChoice = false } = options;
  if (enableAutoToolChoice && toolCallParser === undefined)
    throw invalid("Error: --enable-auto-tool-choice requires --tool-call-parser");
  if (toolCallParser !== undefined && !PARSERS.has(toolCallParser))
    throw invalid(
      `invalid tool call parser: ${toolCallParser} (chose from { ${[...PARSERS].join(", ")} })`,
    );
  if (!Number.isSafeInteger(maxModelLen) || maxModelLen < 1)
    throw invalid(`max_model_len must be a positive whole number, got ${maxModelLen}`);
  return {
    servedModelName: [model],
    toolCallParser: undefined,
    reasoningParser: undefined,
    schedulingPolicy: "fcfs",
    enablePromptTokensDetails: false,
    enablePerRequestMetrics: false,
    enableServerLoadTracking: false,
    enableForceIncludeUsage: false,
    loraModules: [],
    maxLogprobs: 20,
    apiKey: [],
    devMode: false,
    ...options,
    enableAutoToolChoice,
  };
}

function invalid(message: string): BosunError {
  return new BosunError("config/invalid", message);
}
