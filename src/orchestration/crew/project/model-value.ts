// `llm` and its kin: a model's name, an object of settings, or an LLM(…) of crew.py, as a model and settings of Bosun.

import type { Endpoint, ModelSettings, Timeouts } from "../../../inference/model/endpoint.ts";
import type { KeyContext } from "./key.ts";
import {
  type Entry,
  entryOf,
  isNull,
  type Located,
  show,
  toMilliseconds,
  toNumber,
  toText,
  toWhole,
  wrongType,
} from "./value.ts";

/** A model as plain data. */
export type ModelUse =
  | { readonly type: "name"; readonly name: string }
  | { readonly type: "endpoint"; readonly options: Omit<Endpoint, "type"> };

/** A model with how it is asked. `model` is undefined for the run's own. */
export type ModelFields = {
  readonly model?: ModelUse | undefined;
  readonly timeouts?: Timeouts | undefined;
} & Pick<ModelSettings, "temperature" | "topP" | "seed" | "stop" | "maxTokens" | "extraBody">;

/** Providers with APIs of their own, for which Bosun has no client. */
const FOREIGN: ReadonlySet<string> = new Set(
  (
    "anthropic claude azure azure_openai azure_ai gemini google vertex_ai bedrock aws snowflake openrouter deepseek cerebras " +
    "dashscope groq mistral cohere xai watsonx sagemaker replicate huggingface nvidia_nim sambanova together_ai fireworks_ai perplexity"
  ).split(" "),
);

/** Names that mean a prefix of Bosun. */
const PREFIXES: ReadonlyMap<string, string> = new Map([
  ["ollama_chat", "ollama"],
  ["ollama", "ollama"],
  ["hosted_vllm", "hosted_vllm"],
  ["vllm", "hosted_vllm"],
  ["openai", "openai"],
  ["custom_openai", "openai"],
]);

/** Reads a model. @throws BosunError `crew/invalid` for a value of a wrong type. */
export function readModel(given: Located, context: KeyContext): ModelFields {
  const value = namedMethod(given, context);
  if (value.type === "scalar") return readName(toText(value, context.key), context);
  if (value.type === "map") return readSettings(value.entries, context);
  const { call } = value.type === "python" ? value : {};
  if (!call) {
    if (value.type !== "python")
      throw wrongType(value, context.key, "a model's name or an object of settings");
    context.note("warning", `not read: it is ${show(value)}. The run's model is used`);
    return {};
  }
  const [first] = call.args;
  const named = first && !call.keywords.some(({ key }) => key === "model");
  const entries = named
    ? [{ key: "model", value: first, place: first.place }, ...call.keywords]
    : call.keywords;
  const provider = call.name.includes("Ollama") ? "ollama" : undefined;
  return readSettings(entries, context, provider);
}

/** In agents.yaml a model may be the name of a method that is decorated as one. */
function namedMethod(value: Located, { scope }: KeyContext): Located {
  if (value.type !== "scalar" || typeof value.value !== "string") return value;
  return scope.method(value.value, "llm")?.result ?? value;
}

function readName(written: string, context: KeyContext, provider?: string): ModelFields {
  const slash = written.indexOf("/");
  const prefix = slash > 0 ? written.slice(0, slash).toLowerCase() : undefined;
  const owner =
    prefix !== undefined && (FOREIGN.has(prefix) || PREFIXES.has(prefix)) ? prefix : provider;
  const name = owner === prefix && prefix !== undefined ? written.slice(slash + 1) : written;
  if (owner !== undefined && FOREIGN.has(owner)) {
    context.note(
      "warning",
      `"${written}" is a model of ${owner}, for which Bosun has no client: the run's model is used (--model, or OPENAI_BASE_URL). An OpenAI-compatible address of it can be given as { model, base_url }`,
    );
    return {};
  }
  const known = owner === undefined ? undefined : PREFIXES.get(owner);
  return { model: { type: "name", name: known === undefined ? written : `${known}/${name}` } };
}

const URL_KEYS: readonly string[] = ["base_url", "api_base", "openai_api_base"];
const KEY_KEYS: readonly string[] = ["api_key", "openai_api_key"];

function readSettings(
  entries: readonly Entry[],
  context: KeyContext,
  provider?: string,
): ModelFields {
  const textOf = (...keys: readonly string[]): string | undefined => {
    const entry = keys.map((key) => entryOf(entries, key)).find((one) => one !== undefined);
    const value = entry && context.scope.resolve(entry.value);
    return value && value.type !== "python"
      ? toText(value, `${context.key}.${entry.key}`)
      : undefined;
  };
  const name = textOf("model", "model_name");
  const url = textOf(...URL_KEYS);
  const owner = textOf("provider")?.toLowerCase() ?? provider;
  const rest = entries.filter(({ key }) => !HANDLED.has(key));
  const settings = rest.map((entry) => readSetting(entry, context)).reduce(mergeFields, {});
  const apiKeyEnv = readKey(entries, url, context);
  if (url === undefined)
    return { ...(name === undefined ? {} : readName(name, context, owner)), ...settings };
  const model = name?.replace(/^(?:openai|hosted_vllm|ollama|ollama_chat)\//, "");
  const address = owner === "ollama" || name?.startsWith("ollama") ? withVersion(url) : url;
  const key = apiKeyEnv === undefined ? {} : { apiKeyEnv };
  const options = { url: address, ...(model === undefined ? {} : { model }), ...key };
  return { model: { type: "endpoint", options }, ...settings };
}

const HANDLED: ReadonlySet<string> = new Set([
  "model",
  "model_name",
  "provider",
  ...URL_KEYS,
  ...KEY_KEYS,
]);

/** Ollama's own address has no version; its OpenAI-compatible one has. */
function withVersion(url: string): string {
  return url.replace(/\/+$/, "").replace(/(\/v1)?$/, "/v1");
}

/** Keys never stand in a crew: the variable that holds one does. */
function readKey(
  entries: readonly Entry[],
  url: string | undefined,
  { key, note }: KeyContext,
): string | undefined {
  const entry = KEY_KEYS.map((one) => entryOf(entries, one)).find((one) => one !== undefined);
  if (!entry) return undefined;
  const { value } = entry;
  const text =
    value.type === "python" ? value.text : value.type === "scalar" ? String(value.value) : "";
  const name = VARIABLE.exec(text)?.[1];
  if (name !== undefined && url !== undefined) {
    note("note", `the key in ${name} is sent to ${url}`);
    return name;
  }
  if (USUAL_KEYS.has(name ?? text.toLowerCase())) return undefined;
  note(
    "warning",
    name === undefined
      ? `${key}.${entry.key} is not used: keys come from the environment. Set OPENAI_BASE_URL with OPENAI_API_KEY, or name a variable: "os.environ/MY_KEY"`
      : `${name} is not used: the variable of a key counts only beside a base_url`,
  );
  return undefined;
}

/** Variables that are looked at anyway, and what is written where a server wants no key. */
const USUAL_KEYS: ReadonlySet<string> = new Set(
  "OPENAI_API_KEY VLLM_API_KEY dummy none na empty ollama sk-no-key-required".split(" "),
);

/** os.environ["X"], os.getenv("X"), os.environ/X, ${X}, env.X. */
const VARIABLE =
  /^(?:os\.(?:environ\.get\(|environ\[|getenv\()["']|os\.environ\/|\$\{|env\.)(\w+)\b/;

function readSetting({ key, value: given }: Entry, context: KeyContext): ModelFields {
  const value = context.scope.resolve(given);
  const what = `${context.key}.${key}`;
  if (isNull(value)) return {};
  if (value.type === "python") {
    context.note("warning", `${what} is not read: it is ${show(value)}`);
    return {};
  }
  const read = SETTINGS.get(key);
  if (read) return read(value, what);
  context.note("warning", `${what} is not carried over`);
  return {};
}

type SettingReader = (value: Located, what: string) => ModelFields;

const TOKENS: SettingReader = (value, what) => ({ maxTokens: toWhole(value, what, 1) });
const TIMEOUT: SettingReader = (value, what) => ({
  timeouts: { totalMs: toMilliseconds(value, what) },
});

const SETTINGS: ReadonlyMap<string, SettingReader> = new Map<string, SettingReader>([
  ["temperature", (value, what) => ({ temperature: toNumber(value, what, [0, 2]) })],
  ["top_p", (value, what) => ({ topP: toNumber(value, what, [0, 1]) })],
  ["seed", (value, what) => ({ seed: toWhole(value, what, 0) })],
  ["max_tokens", TOKENS],
  ["max_completion_tokens", TOKENS],
  ["timeout", TIMEOUT],
  ["request_timeout", TIMEOUT],
  ["stop", (value, what) => ({ stop: textsOf(value, what) })],
  [
    "presence_penalty",
    (value, what) => ({ extraBody: { presence_penalty: toNumber(value, what, [-2, 2]) } }),
  ],
  [
    "frequency_penalty",
    (value, what) => ({ extraBody: { frequency_penalty: toNumber(value, what, [-2, 2]) } }),
  ],
  ["reasoning_effort", (value, what) => ({ extraBody: { reasoning_effort: toText(value, what) } })],
  ["stream", () => ({})], // answers are always streamed
]);

function textsOf(value: Located, what: string): readonly string[] {
  return value.type === "list"
    ? value.items.map((item) => toText(item, what))
    : [toText(value, what)];
}

function mergeFields(all: ModelFields, one: ModelFields): ModelFields {
  const extraBody =
    all.extraBody && one.extraBody ? { ...all.extraBody, ...one.extraBody } : undefined;
  return { ...all, ...one, ...(extraBody ? { extraBody } : {}) };
}
