// Where a model is served and with which settings: plain data that a user writes in place or a fleet file names.

import { BosunError } from "../../error.ts";
import type { JsonObject } from "../../json.ts";

/** The server behind an endpoint; it decides how structured output and thinking are asked for. */
export type Dialect = "vllm" | "sglang" | "llama.cpp" | "ollama" | "runpod" | "openai";

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
};

/** A model: an alias, or an endpoint written in place. */
export type ModelRef = string | Endpoint;

/**
 * An endpoint as a model of an agent.
 * @throws BosunError `config/invalid` for a URL that is none, a secret in it, or an unknown option.
 */
export function endpoint(options: Omit<Endpoint, "type">): Endpoint {
  for (const key of Object.keys(options)) {
    if (!OPTIONS.has(key))
      throw new BosunError(
        "config/invalid",
        `endpoint: unknown option "${key}". It takes ${[...OPTIONS].join(", ")}`,
      );
  }
  const url = URL.canParse(options.url) ? new URL(options.url) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new BosunError(
      "config/invalid",
      `endpoint: "${options.url}" is not an http(s) URL. Write it as http://host:8000/v1`,
    );
  }
  if (url.username || url.password) {
    throw new BosunError(
      "config/invalid",
      `endpoint: the URL of ${url.host} holds a password. Name a variable with apiKeyEnv`,
    );
  }
  return { type: "endpoint", ...options, url: options.url.replace(/\/+$/, "") };
}

/** Reserved for thinking when it is on without a budget. */
const DEFAULT_THINKING_TOKENS = 4_096;

/** Tokens of an answer that are meant for thinking, on top of maxTokens. */
export function thinkingTokens(thinking: ModelSettings["thinking"]): number {
  if (typeof thinking === "object") return thinking.budgetTokens;
  return thinking === true ? DEFAULT_THINKING_TOKENS : 0;
}

/** How an endpoint and its model are named in events, errors and tables: `Qwen/Qwen3-8B at gpu-1:8000`. */
export function nameOf(ref: ModelRef): string {
  if (typeof ref === "string") return ref;
  const { host } = new URL(ref.url);
  return ref.model ? `${ref.model} at ${host}` : host;
}

const OPTIONS: ReadonlySet<string> = new Set(
  (
    "url model dialect apiKeyEnv headers maxModelLen caFile maxConnections stream timeouts " +
    "temperature topP seed stop maxTokens thinking extraBody"
  ).split(" "),
);
