// Fleet: the endpoints, prices and limits that runs may use, as plain data. The fleet file is read into it (fleet-file.ts).
//
// Says what a user wrote and nothing more: no default is filled in, nothing is asked of an endpoint.

import type { JsonObject } from "../../json.ts";

/** Servers that Bosun knows the ways of. */
export const DIALECTS = ["vllm", "sglang", "llama.cpp", "ollama", "runpod", "openai"] as const;

/** Providers whose address, dialect and key variable are known by name. */
export const PROVIDERS = ["openai", "hosted_vllm", "ollama"] as const;

/** A provider by its name in model names: `openai/gpt-4o-mini`. */
export type Provider = (typeof PROVIDERS)[number];

/** How an endpoint of several is chosen. */
export const ROUTES = [
  "round-robin",
  "least-outstanding",
  "power-of-two",
  "least-kv",
  "prefix-affinity",
  "session",
  "cost",
] as const;

/** Who of those that wait goes first. */
export const ORDERS = ["program", "fcfs"] as const;

/** What belongs together: models by alias, and what holds for all of them. */
export type Fleet = {
  readonly models: Readonly<Record<string, FleetModel>>;
  /** The alias of agents that name no model. Default: the first. */
  readonly default?: string | undefined;
  /** Base URL of a `bosun gateway`: every call goes there, and the endpoints below are its affair. */
  readonly gateway?: string | undefined;
  /** Shares of tenants by name, above 0; a tenant that is not named has 1. */
  readonly tenants?: Readonly<Record<string, number>> | undefined;
  readonly limits?: FleetLimits | undefined;
};

/** What one run may use at most. */
export type FleetLimits = {
  readonly usdPerRun?: number | undefined;
  readonly tokensPerRun?: number | undefined;
};

/** One model and where it is served. The settings are those of an endpoint written in place. */
export type FleetModel = {
  /** The served model's name. Default: the one that the endpoint serves; with `provider` the alias. */
  readonly model?: string | undefined;
  readonly endpoints?: readonly [FleetEndpoint, ...FleetEndpoint[]] | undefined;
  /** Instead of endpoints. */
  readonly provider?: Provider | undefined;
  /** Context in tokens. Default: asked of the endpoint. */
  readonly maxModelLen?: number | undefined;
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly seed?: number | undefined;
  readonly stop?: readonly string[] | undefined;
  readonly maxTokens?: number | undefined;
  readonly thinking?: boolean | { readonly budgetTokens: number } | undefined;
  readonly extraBody?: JsonObject | undefined;
  readonly timeouts?: FleetTimeouts | undefined;
  readonly route?: (typeof ROUTES)[number] | undefined;
  readonly order?: (typeof ORDERS)[number] | undefined;
  readonly maxQueued?: number | undefined;
  /** A call that is late to its first token gets a second one at another endpoint, at most one in twenty. Default false. */
  readonly hedge?: boolean | undefined;
  /** Of a provider that bills tokens. */
  readonly usdPerMillionTokens?: TokenPrice | undefined;
  /** Aliases that are tried in order when this model fails. */
  readonly fallback?: readonly string[] | undefined;
};

/** US dollars for a million tokens. */
export type TokenPrice = {
  readonly input: number;
  readonly output: number;
  readonly cachedInput?: number | undefined;
};

/** Bounds of one call in milliseconds. */
export type FleetTimeouts = {
  readonly queueMs?: number | undefined;
  readonly connectMs?: number | undefined;
  readonly firstTokenMs?: number | undefined;
  readonly interTokenMs?: number | undefined;
  readonly totalMs?: number | undefined;
};

/** One server, or several equal ones behind `replicas`. */
export type FleetEndpoint = FleetCapacity & {
  /** Base URL up to the version: http://gpu-1:8000/v1 */
  readonly url: string;
  /** In events and tables. Default: the URL's host. */
  readonly name?: string | undefined;
  readonly dialect?: (typeof DIALECTS)[number] | undefined;
  /** A GPU of the catalogue. */
  readonly gpu?: string | undefined;
  readonly usdPerHour?: number | undefined;
  readonly apiKeyEnv?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly caFile?: string | undefined;
  readonly maxConnections?: number | undefined;
  readonly scaler?: FleetScaler | undefined;
  /** The provider's: a worker that nobody asks leaves after so long. Default of Runpod: 5. */
  readonly idleSeconds?: number | undefined;
  /** A worker that a run will need is kept awake, and paid, at most so long without a call; 0 = not kept. Default of Runpod: 300. */
  readonly keepAwakeSeconds?: number | undefined;
  readonly accepts?: FleetAccepts | undefined;
  readonly replicas?: FleetReplicas | undefined;
};

/** What one endpoint holds. Undefined = not known, and so no bound of its own. */
export type FleetCapacity = {
  /** Tokens of its KV cache; of one worker, where the provider scales it. */
  readonly kvTokens?: number | undefined;
  /** Requests that it computes at once (vLLM's max_num_seqs); of one worker, where the provider scales it. */
  readonly maxNumSeqs?: number | undefined;
  /** Most prompt tokens that are sent and not computed yet. */
  readonly prefillTokens?: number | undefined;
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  /** The part of all this that belongs to this process, above 0 to 1. Default 1. */
  readonly share?: number | undefined;
  /** Workers that its provider may start: the bounds above are then times this. Default 1. */
  readonly maxWorkers?: number | undefined;
};

/** The provider's scaler, by Runpod's names. */
export type FleetScaler =
  | { readonly type: "QUEUE_DELAY"; readonly seconds: number }
  | { readonly type: "REQUEST_COUNT"; readonly requests: number };

/** Request fields that an endpoint takes; others refuse them or do not know them. */
export type FleetAccepts = {
  /** vLLM with --scheduling-policy priority. Default false. */
  readonly priority?: boolean | undefined;
  /** Default false. */
  readonly sessionId?: boolean | undefined;
  /** vLLM, for a prefix cache apart per tenant. Default false. */
  readonly cacheSalt?: boolean | undefined;
};

/** Where the addresses of equal servers come from: a name with several addresses, or a file of one URL a line. */
export type FleetReplicas = { readonly dns: string } | { readonly file: string };
