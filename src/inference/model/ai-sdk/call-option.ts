// What a call asks for, between a ModelRequest and the AI SDK's call options. Pure.

import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  SharedV4Warning,
} from "@ai-sdk/provider";
import { BosunError } from "../../../error.ts";
import { isJson, isObject, type JsonObject } from "../../../json.ts";
import { mergeSettings, type ModelSettings, thinkingTokens } from "../endpoint.ts";
import type { OutputSpec, ToolChoice, ToolSpec } from "../message.ts";
import type { ModelRequest } from "../model.ts";
import { fromPrompt, toPrompt } from "./prompt.ts";
import { definedIn } from "./spec.ts";
import type { TurnMemory } from "./turn-memory.ts";

/** The key of providerOptions under which Bosun's own models take fields for the request's body. */
export const BOSUN = "bosun";

/** The options of the call that a request asks for. `extraBody` goes under `providerKey` of providerOptions. */
export function toCallOptions(
  request: ModelRequest,
  { providerKey, turns }: { readonly providerKey: string; readonly turns: TurnMemory },
): LanguageModelV4CallOptions {
  const { tools = [], toolChoice = "auto", output } = request;
  const settings = mergeSettings(request.settings, request.defaults ?? {});
  const { temperature, topP, seed, stop, maxTokens, thinking, extraBody } = settings;
  return definedIn<LanguageModelV4CallOptions>({
    ...NO_OPTIONS,
    prompt: toPrompt(request.messages, turns),
    temperature,
    topP,
    seed,
    stopSequences: stop?.length ? [...stop] : undefined,
    // Providers count thinking as output; the answer must still get its maxTokens.
    maxOutputTokens: maxTokens === undefined ? undefined : maxTokens + thinkingTokens(thinking),
    reasoning: levelOf(thinking),
    tools: tools.length > 0 ? tools.map(toSdkTool) : undefined,
    toolChoice: tools.length > 0 ? { type: toolChoice } : undefined,
    responseFormat: output && {
      type: "json",
      name: output.name,
      schema: output.schema as LanguageModelV4FunctionTool["inputSchema"], // `as`: a JSON Schema, readonly here
    },
    providerOptions: extraBody && { [providerKey]: extraBody },
  });
}

type Level = NonNullable<LanguageModelV4CallOptions["reasoning"]>;

/**
 * The level that a budget comes nearest to. Providers make a budget of it themselves: @ai-sdk/anthropic 4 takes 2, 10, 30 and 60 % of
 * a model's longest output, which for 64,000 tokens are 1,280, 6,400, 19,200 and 38,400.
 */
function levelOf(thinking: ModelSettings["thinking"]): Level | undefined {
  if (thinking === undefined) return undefined;
  if (typeof thinking === "boolean") return thinking ? "medium" : "none";
  return LEVELS_BY_BUDGET.find(([most]) => thinking.budgetTokens <= most)?.[1];
}

const LEVELS_BY_BUDGET: readonly (readonly [number, Level])[] = [
  [0, "none"],
  [2_048, "minimal"],
  [8_192, "low"],
  [24_576, "medium"],
  [Infinity, "high"],
];

/** What Bosun never asks for. */
const NO_OPTIONS = {
  topK: undefined,
  presencePenalty: undefined,
  frequencyPenalty: undefined,
  includeRawChunks: undefined,
  abortSignal: undefined,
  headers: undefined,
};

function toSdkTool({ name, description, parameters }: ToolSpec): LanguageModelV4FunctionTool {
  const inputSchema = parameters as LanguageModelV4FunctionTool["inputSchema"]; // `as`: a JSON Schema, readonly here
  return { type: "function", name, description, inputSchema };
}

/** A request and what of its options has no effect. */
export type Understood = {
  readonly request: Omit<ModelRequest, "models" | "hints" | "timeouts">;
  readonly warnings: readonly SharedV4Warning[];
};

/**
 * The request that call options mean.
 * @throws BosunError `model/bad-request` for files in the prompt and a tool choice that names no tool.
 */
export function fromCallOptions(options: LanguageModelV4CallOptions): Understood {
  const { tools, toolChoice } = fromTools(options);
  const output = fromFormat(options.responseFormat);
  return {
    request: {
      messages: fromPrompt(options.prompt),
      ...(tools.length > 0 ? { tools } : {}),
      ...(toolChoice ? { toolChoice } : {}),
      ...(output ? { output } : {}),
      settings: fromSettings(options),
    },
    warnings: warningsOf(options),
  };
}

function fromSettings(options: LanguageModelV4CallOptions): ModelSettings {
  const { temperature, topP, seed, stopSequences, maxOutputTokens, reasoning } = options;
  const extraBody = options.providerOptions?.[BOSUN];
  const isThinkingSaid = reasoning !== undefined && reasoning !== "provider-default";
  return definedIn<ModelSettings>({
    temperature,
    topP,
    seed,
    stop: stopSequences?.length ? stopSequences : undefined,
    maxTokens: maxOutputTokens,
    thinking: isThinkingSaid ? reasoning !== "none" : undefined,
    extraBody: isJsonObject(extraBody) ? extraBody : undefined,
  });
}

type Tools = { readonly tools: readonly ToolSpec[]; readonly toolChoice: ToolChoice | undefined };

/** A choice of one tool becomes: this tool only, and one must be called. */
function fromTools({ tools = [], toolChoice: choice }: LanguageModelV4CallOptions): Tools {
  const own = tools.filter((tool) => tool.type === "function").map(fromSdkTool);
  if (choice?.type !== "tool") return { tools: own, toolChoice: choice?.type };
  const chosen = own.filter(({ name }) => name === choice.toolName);
  if (chosen.length > 0) return { tools: chosen, toolChoice: "required" };
  throw new BosunError(
    "model/bad-request",
    `toAiSdk: toolChoice names "${choice.toolName}", but the tools are ${own.map(({ name }) => name).join(", ") || "none"}`,
  );
}

function fromSdkTool({ name, description, inputSchema }: LanguageModelV4FunctionTool): ToolSpec {
  const parameters = isJsonObject(inputSchema) ? inputSchema : NO_PARAMETERS;
  return { name, description: description ?? "", parameters };
}

const NO_PARAMETERS: JsonObject = { type: "object", properties: {} };

/** JSON without a schema is an object, as OpenAI's JSON mode has it. */
function fromFormat(format: LanguageModelV4CallOptions["responseFormat"]): OutputSpec | undefined {
  if (format?.type !== "json") return undefined;
  const { name = "answer", schema } = format;
  return { name, schema: isJsonObject(schema) ? schema : { type: "object" } };
}

function isJsonObject(value: unknown): value is JsonObject {
  return isObject(value) && isJson(value);
}

function warningsOf(options: LanguageModelV4CallOptions): SharedV4Warning[] {
  const { reasoning, responseFormat, headers = {} } = options;
  const sampling = (["topK", "presencePenalty", "frequencyPenalty"] as const)
    .filter((name) => options[name] !== undefined)
    .map((name) => unsupported(name, IN_BODY));
  // The AI SDK itself names its version in every call.
  const named = Object.keys(headers).filter((name) => name.toLowerCase() !== "user-agent");
  return [
    ...sampling,
    ...toolWarnings(options),
    ...(named.length > 0 ? [unsupported("headers", "Give them to endpoint({ headers })")] : []),
    ...(options.includeRawChunks ? [unsupported("includeRawChunks")] : []),
    ...(responseFormat?.type === "json" && !responseFormat.schema
      ? [similar("JSON without a schema", "An object is asked for")]
      : []),
    ...(reasoning && LEVELS.has(reasoning)
      ? [similar(`reasoning ${reasoning}`, "Thinking is switched on, without a level")]
      : []),
  ];
}

function toolWarnings({ tools = [] }: LanguageModelV4CallOptions): SharedV4Warning[] {
  const functions = tools.filter((tool) => tool.type === "function");
  return [
    ...tools.flatMap((tool) =>
      tool.type === "provider" ? [unsupported(`provider tool ${tool.id}`)] : [],
    ),
    ...(functions.some((tool) => tool.strict === true) ? [unsupported("strict tools")] : []),
    ...(functions.some((tool) => tool.inputExamples?.length)
      ? [unsupported("examples of a tool's input")]
      : []),
  ];
}

function unsupported(feature: string, details?: string): SharedV4Warning {
  return { type: "unsupported", feature, ...(details ? { details } : {}) };
}

function similar(feature: string, details: string): SharedV4Warning {
  return { type: "compatibility", feature, details };
}

const IN_BODY = `Put it into providerOptions.${BOSUN}, in the server's own words: { top_k: 40 }`;

const LEVELS: ReadonlySet<string> = new Set(["minimal", "low", "medium", "high", "xhigh", "max"]);
