// Where a model is served and with which settings: plain data that a user writes in place or a fleet file names.

import type { DIALECTS } from "../fleet/fleet.ts";
import type { JsonObject } from "../../json.ts";
import { checkOptions, toBaseUrl } from "./endpoint-option.ts";
import type { TokenPrice } from "./price.ts";

/** The server behind an endpoint; it decides how structured output and thinking are asked for. */
export type Dialect = (typeof DIALECTS)[number];

/** How a model is asked. Every field may stand on an endpoint, an agent or a task; the nearer one wins. */
export type ModelSettings = {
  /** 0 to 2. Unset = the server's own. */
  readonly temperature?: number | undefined;
  /** 0 to 1. */
  readonly topP?: number | undefined;
  readonly seed?: number | undefined;
  /** At most 16 texts that end an answer. */
  readonly stop?: readonly string[] | undefined;
  /** Most tokens of one answer, thinking excluded. Default 2,048. */
  readonly maxTokens?: number | undefined;
  /**
   * Whether the model may think before it answers. Said to the server where its dialect has a switch, unset says nothing.
   * `{ budgetTokens }` reserves that many tokens on top of maxTokens; `true` reserves 4,096.
   */
  readonly thinking?: boolean | { readonly budgetTokens: number } | undefined;
  /** Fields that are put into the request's body as they are. */
  readonly extraBody?: JsonObject | undefined;
};

/** Bounds of one model call, all finite, in milliseconds. */
export type Timeouts = {
  /** Waiting for a free connection or for admission. Default 300,000. */
  readonly queueMs?: number | undefined;
  /** Opening the connection. Default 10,000. */
  readonly connectMs?: number | undefined;
  /** From the request's end to the first token; a cold start lies in it. Default 300,000. */
  readonly firstTokenMs?: number | undefined;
  /** Between two tokens. Default 60,000. */
  readonly interTokenMs?: number | undefined;
  /** One attempt from its start to its end. Default 900,000. */
  readonly totalMs?: number | undefined;
};

/** An OpenAI-compatible endpoint and how its model is asked. */
export type Endpoint = ModelSettings & {
  readonly type: "endpoint";
  /** Base URL up to the version: http://gpu-1:8000/v1 */
  readonly url: string;
  /** The served model's name. Unset = the one that the endpoint serves. */
  readonly model?: string | undefined;
  /** Unset = recognised from the endpoint's /v1/models. */
  readonly dialect?: Dialect | undefined;
  /** Environment variable (or .env line) that holds the key. Keys never stand in a crew. */
  readonly apiKeyEnv?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Context in tokens. Unset = asked of /v1/models. */
  readonly maxModelLen?: number | undefined;
  /** PEM file of a private certificate authority. */
  readonly caFile?: string | undefined;
  /** Most open connections to this endpoint. Default 256. */
  readonly maxConnections?: number | undefined;
  /** false asks for whole replies instead of streams: for servers that cannot stream. Default true. */
  readonly stream?: boolean | undefined;
  readonly timeouts?: Timeouts | undefined;
  /** A `bosun gateway`: it is told what the crew knows of each call, and repeats calls itself. Default false. */
  readonly gateway?: boolean | undefined;
  /** US dollars per million tokens. Unset = the cost of its calls is unknown. */
  readonly usdPerMillionTokens?: TokenPrice | undefined;
};

/** A model: an alias, or an endpoint written in place. */
export type ModelRef = string | Endpoint;

/**
 * An endpoint as a model of an agent.
 * @throws BosunError `config/invalid` for an option that is unknown or of a wrong kind, a URL that is none, or a secret in it.
 */
export function endpoint(options: Omit<Endpoint, "type">): Endpoint {
  checkOptions(options);
  return { type: "endpoint", ...options, url: toBaseUrl(options.url) };
}

/** Settings of which the nearer win, field by field; a field that is undefined says nothing. */
export function mergeSettings(near: ModelSettings, far: ModelSettings): ModelSettings {
  return {
    temperature: near.temperature ?? far.temperature,
    topP: near.topP ?? far.topP,
    seed: near.seed ?? far.seed,
    stop: near.stop ?? far.stop,
    maxTokens: near.maxTokens ?? far.maxTokens,
    thinking: near.thinking ?? far.thinking,
    extraBody:
      near.extraBody && far.extraBody
        ? { ...far.extraBody, ...near.extraBody }
        : (near.extraBody ?? far.extraBody),
  };
}

/** What makes a connection of an endpoint, without how its model is asked. */
export function withoutSettings(from: Endpoint): Endpoint {
  const { url, model, dialect, apiKeyEnv, headers } = from;
  const { maxModelLen, caFile, maxConnections, timeouts, gateway } = from;
  const fields = { url, model, dialect, apiKeyEnv, headers };
  return { type: "endpoint", ...fields, maxModelLen, caFile, maxConnections, timeouts, gateway };
}

/** Reserved for thinking when it is on without a budget. */
const DEFAULT_THINKING_TOKENS = 4_096;

/** Tokens of an answer that are meant for thinking, on top of maxTokens. */
export function thinkingTokens(thinking: ModelSettings["thinking"]): number {
  if (typeof thinking === "object") return thinking.budgetTokens;
  return thinking === true ? DEFAULT_THINKING_TOKENS : 0;
}

/**
 * How an endpoint and its model are named in events, errors and tables: `Qwen/Qwen3-8B at gpu-1:8000`.
 * @throws BosunError `config/invalid` for an endpoint that was made by hand with a URL that cannot be one.
 */
export function nameOf(ref: ModelRef): string {
  if (typeof ref === "string") return ref;
  const { host } = new URL(toBaseUrl(ref.url));
  return ref.model ? `${ref.model} at ${host}` : host;
}
