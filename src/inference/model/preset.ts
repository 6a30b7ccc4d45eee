// What a model's name means: a URL, a provider's prefix as CrewAI writes it, or a name at the endpoint that the environment names.

import { BosunError } from "../../error.ts";
import { ownValue } from "../../json.ts";
import type { Provider } from "../fleet/fleet.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import type { Env } from "./http.ts";

/**
 * The endpoint of a name: `http://host:8000/v1`, `openai/…`, `hosted_vllm/…`, `ollama/…`, or a model at OPENAI_BASE_URL.
 * @throws BosunError `model/unknown` for any other name, with what can be written.
 */
export function toEndpoint(name: string, env: Env): Endpoint {
  if (/^https?:\/\//.test(name)) return endpoint({ url: name, ...keyFor(env, name) });
  const slash = name.indexOf("/");
  const preset = ownValue<PresetOf>(PRESETS, name.slice(0, Math.max(0, slash)));
  if (preset) return preset(name.slice(slash + 1), env);
  const url = baseUrlOf(env);
  if (url !== undefined) return endpoint({ url, model: name, ...keyFor(env, url) });
  if (HOSTED.test(name))
    throw new BosunError(
      "model/unknown",
      `"${name}" is a provider's with a protocol of its own. Give its AI SDK model to createBosun({ models: { NAME: fromAiSdk(…) } }); docs/ai-sdk.md shows how`,
    );
  if (env["OPENAI_API_KEY"]) return openai(name, env);
  throw new BosunError(
    "model/unknown",
    `no model is called "${name}". Write a URL (http://host:8000/v1), openai/NAME, hosted_vllm/NAME, ollama/NAME, extractive, or endpoint({ url, model }); ` +
      "or set OPENAI_BASE_URL, or give the name to a model of bosun.fleet.yaml",
  );
}

/** Providers that CrewAI names by these prefixes and that do not speak OpenAI's protocol. */
const HOSTED = /^(?:anthropic|gemini|google|vertex_ai|bedrock|azure|cohere|mistral|watsonx)\//i;

/** The endpoint that the environment names; undefined when it names none. */
export function defaultEndpoint(env: Env): Endpoint | undefined {
  const url = baseUrlOf(env);
  const model = env["OPENAI_MODEL_NAME"]?.replace(/^openai\//, "");
  if (url !== undefined) return endpoint({ url, ...(model ? { model } : {}), ...keyFor(env, url) });
  return model && env["OPENAI_API_KEY"] ? openai(model, env) : undefined;
}

function baseUrlOf(env: Env): string | undefined {
  return env["OPENAI_BASE_URL"] || env["OPENAI_API_BASE"] || undefined;
}

type PresetOf = (model: string, env: Env) => Endpoint;

/** The endpoint of a model at a provider that is known by name. */
export function toProviderEndpoint(provider: Provider, model: string, env: Env): Endpoint {
  return PRESETS[provider](model, env);
}

const PRESETS: Readonly<Record<Provider, PresetOf>> = {
  openai: (model, env) => openai(model, env),
  hosted_vllm: (model, env) =>
    endpoint({
      url: env["VLLM_BASE_URL"] || "http://localhost:8000/v1",
      model,
      dialect: "vllm",
      ...(env["VLLM_API_KEY"] ? { apiKeyEnv: "VLLM_API_KEY" } : {}),
    }),
  ollama: (model, env) =>
    endpoint({ url: ollamaUrl(env["OLLAMA_HOST"]), model, dialect: "ollama" }),
};

function openai(model: string, env: Env): Endpoint {
  const url = baseUrlOf(env);
  if (url !== undefined) return endpoint({ url, model, ...keyFor(env, url) });
  return endpoint({
    url: "https://api.openai.com/v1",
    model,
    dialect: "openai",
    apiKeyEnv: "OPENAI_API_KEY",
  });
}

/** The OpenAI key goes only where the environment says it belongs: to OpenAI, or to the base URL set beside it. */
function keyFor(env: Env, url: string): { readonly apiKeyEnv?: string } {
  const isMeant = url === baseUrlOf(env) || new URL(url).hostname === "api.openai.com";
  return env["OPENAI_API_KEY"] && isMeant ? { apiKeyEnv: "OPENAI_API_KEY" } : {};
}

function ollamaUrl(host: string | undefined): string {
  if (!host) return "http://localhost:11434/v1";
  const url = /^https?:\/\//.test(host) ? host : `http://${host}`;
  return url.replace(/\/+$/, "").replace(/(\/v1)?$/, "/v1");
}
