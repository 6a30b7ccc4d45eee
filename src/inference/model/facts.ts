// What an endpoint tells about itself: GET /models, and where that is silent the server's own page of it. Read once.

import { until } from "../../clock.ts";
import { BosunError } from "../../error.ts";
import { isObject, ownValue, parseJson } from "../../json.ts";
import type { Dialect } from "./endpoint.ts";
import { toFailure } from "./failure.ts";
import { cancelled } from "./http.ts";
import { askServer, type ServerSource } from "./server-read.ts";
import { contextAtServer } from "./server-context.ts";

/** What is known about an endpoint. */
export type EndpointFacts = {
  /** Served model names; empty when the endpoint does not list them. */
  readonly models: readonly string[];
  readonly dialect: Dialect | undefined;
  /** Context in tokens of the endpoint's model. */
  readonly maxModelLen: number | undefined;
};

export const NO_FACTS: EndpointFacts = { models: [], dialect: undefined, maxModelLen: undefined };

/** Facts that are asked once and kept, until they are forgotten or KEEP_MS old. */
export interface FactsCache {
  /** @throws BosunError with a `model/…` code when they cannot be had. */
  get(signal: AbortSignal): Promise<EndpointFacts>;
  /** An endpoint that cannot tell its facts may still answer calls: then nothing is known, and it is not asked again at once. */
  getOrNone(signal: AbortSignal): Promise<EndpointFacts>;
  /** What was known may be wrong: the next one who wants to know asks anew. */
  forget(): void;
}

/** A server that was started anew with another model or context is found out about after so long at the latest. */
const KEEP_MS = 300_000;

/** An endpoint whose facts could not be had is left alone with this question for so long. */
const RETRY_MS = 30_000;

export function createFactsCache(source: ServerSource): FactsCache {
  const { clock } = source;
  let known: { readonly facts: EndpointFacts; readonly at: number } | undefined;
  let failedAt: number | undefined;
  let asking: Asking | undefined;
  // Asked once for all who want to know at the same time; it is given up when the last of them does.
  const get = async (signal: AbortSignal): Promise<EndpointFacts> => {
    if (known && clock.now() - known.at < KEEP_MS) return known.facts;
    const shared = (asking ??= startAsking(source));
    shared.waiters++;
    try {
      const facts = await orCancelled(shared.facts, source.where, signal);
      if (asking === shared) known = { facts, at: clock.now() };
      return facts;
    } finally {
      if (--shared.waiters === 0) {
        shared.controller.abort();
        if (asking === shared) asking = undefined;
      }
    }
  };
  return {
    get,
    forget() {
      known = undefined;
      asking = undefined; // an answer that is under way may be the old one
    },
    async getOrNone(signal) {
      if (failedAt !== undefined && clock.now() - failedAt < RETRY_MS) return NO_FACTS;
      try {
        return await get(signal);
      } catch (error) {
        if (signal.aborted) throw error;
        failedAt = clock.now();
        return NO_FACTS;
      }
    },
  };
}

type Asking = {
  readonly facts: Promise<EndpointFacts>;
  readonly controller: AbortController;
  waiters: number;
};

function startAsking(source: ServerSource): Asking {
  const controller = new AbortController();
  const facts = fetchFacts(source, controller.signal);
  facts.catch(() => undefined); // every waiter sees it; the last one may have left
  return { facts, controller, waiters: 0 };
}

/** What `work` comes to, or the error of a cancelled call as soon as the signal aborts. */
async function orCancelled<T>(work: Promise<T>, where: string, signal: AbortSignal): Promise<T> {
  try {
    return await until(work, signal);
  } catch (error) {
    throw signal.aborted ? cancelled(where, signal.reason) : error;
  }
}

/** @throws BosunError `model/unreachable`, `model/unauthorized`, `model/protocol` or another `model/…` code. */
async function fetchFacts(source: ServerSource, signal: AbortSignal): Promise<EndpointFacts> {
  const { status, contentType, body } = await askServer(source, MODELS, signal);
  const { endpoint, where, secrets, clock } = source;
  if (status !== 200)
    throw toFailure({
      status,
      contentType,
      retryAfter: undefined,
      body,
      where,
      secrets,
      now: clock.now(),
    });
  const list = parseJson(body);
  if (!isObject(list) || !Array.isArray(list["data"])) {
    throw new BosunError(
      "model/protocol",
      `${where}: ${endpoint.url}/models gave no list of models but ${contentType || "no content type"}. The URL should end in /v1`,
    );
  }
  const cards: readonly unknown[] = list["data"];
  const named = cards.filter(isObject).filter((card) => typeof card["id"] === "string");
  const [first, ...others] = named;
  const own = named.find((card) => card["id"] === endpoint.model);
  const only = others.length === 0 ? first : undefined;
  const dialect = endpoint.dialect ?? dialectOfHost(endpoint.url) ?? dialectOfOwner(own ?? first);
  const card = own ?? only;
  const told = endpoint.maxModelLen ?? contextOf(card);
  const model = endpoint.model ?? (typeof card?.["id"] === "string" ? card["id"] : undefined);
  return {
    models: named.map((one) => String(one["id"])),
    dialect,
    maxModelLen: told ?? (await contextAtServer(source, { dialect, model }, signal)),
  };
}

/** Below the base URL, so that a proxy with a path before it is asked too. */
const MODELS = { method: "GET", path: "/models", base: "api" } as const;

/** The dialect of a provider that is known by its address. */
export function dialectOfHost(url: string): Dialect | undefined {
  const { hostname } = new URL(url);
  if (hostname === "api.openai.com") return "openai";
  return hostname.endsWith("runpod.ai") ? "runpod" : undefined;
}

/** Each server signs its models: vLLM "vllm", llama.cpp "llamacpp", SGLang "sglang", Ollama "library". */
function dialectOfOwner(card: Readonly<Record<string, unknown>> | undefined): Dialect | undefined {
  const dialects: Readonly<Record<string, Dialect>> = {
    vllm: "vllm",
    llamacpp: "llama.cpp",
    sglang: "sglang",
    library: "ollama",
  };
  const owner = card?.["owned_by"];
  return typeof owner === "string" ? ownValue(dialects, owner.toLowerCase()) : undefined;
}

/** vLLM and SGLang say max_model_len. llama.cpp's n_ctx_train is the model's, not the server's, and so says nothing. */
function contextOf(card: Readonly<Record<string, unknown>> | undefined): number | undefined {
  const meta = isObject(card?.["meta"]) ? card["meta"] : {};
  const value = card?.["max_model_len"] ?? meta["n_ctx"];
  return Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : undefined;
}
