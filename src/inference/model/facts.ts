// What an endpoint tells about itself: GET /models, read once.

import type http from "node:http";
import type { Clock } from "../../clock.ts";
import { BosunError } from "../../error.ts";
import { isObject, parseJson } from "../../json.ts";
import type { Dialect, Endpoint } from "./endpoint.ts";
import { toFailure } from "./failure.ts";
import { resolveTimeouts, startExchange } from "./http.ts";

/** What is known about an endpoint. */
export type EndpointFacts = {
  /** Served model names; empty when the endpoint does not list them. */
  readonly models: readonly string[];
  readonly dialect: Dialect | undefined;
  /** Context in tokens of the endpoint's model. */
  readonly maxModelLen: number | undefined;
};

export const NO_FACTS: EndpointFacts = { models: [], dialect: undefined, maxModelLen: undefined };

/** Most bytes of a list of models that are read. */
const MAX_BODY = 4 * 1024 * 1024;
const FACTS_TIMEOUT_MS = 10_000;

/** Where facts are asked. */
export type FactsSource = {
  readonly endpoint: Endpoint;
  readonly agent: http.Agent;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly where: string;
  readonly secret: string | undefined;
};

/** @throws BosunError `model/unreachable`, `model/unauthorized`, `model/protocol` or another `model/…` code. */
export async function fetchFacts(source: FactsSource, signal: AbortSignal): Promise<EndpointFacts> {
  const { status, contentType, body } = await get(source, signal);
  const { endpoint, where, secret, clock } = source;
  if (status !== 200)
    throw toFailure({
      status,
      contentType,
      retryAfter: undefined,
      body,
      where,
      secret,
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
  const own = named.find((card) => card["id"] === endpoint.model) ?? named[0];
  return {
    models: named.map((card) => String(card["id"])),
    dialect: endpoint.dialect ?? dialectOf(endpoint, own),
    maxModelLen: endpoint.maxModelLen ?? contextOf(own),
  };
}

function dialectOf(
  endpoint: Endpoint,
  card: Readonly<Record<string, unknown>> | undefined,
): Dialect | undefined {
  const { hostname } = new URL(endpoint.url);
  if (hostname === "api.openai.com") return "openai";
  if (hostname.endsWith("runpod.ai")) return "runpod";
  // Each server signs its models: vLLM "vllm", llama.cpp "llamacpp", SGLang "sglang", Ollama "library".
  const byOwner: Readonly<Record<string, Dialect>> = {
    vllm: "vllm",
    llamacpp: "llama.cpp",
    sglang: "sglang",
    library: "ollama",
  };
  return byOwner[String(card?.["owned_by"]).toLowerCase()];
}

/** vLLM and SGLang say max_model_len. llama.cpp's n_ctx_train is the model's, not the server's, and so says nothing. */
function contextOf(card: Readonly<Record<string, unknown>> | undefined): number | undefined {
  const meta = isObject(card?.["meta"]) ? card["meta"] : {};
  const value = card?.["max_model_len"] ?? meta["n_ctx"];
  return typeof value === "number" && value > 0 ? value : undefined;
}

type Answer = { readonly status: number; readonly contentType: string; readonly body: string };

function get(
  { endpoint, agent, headers, clock, where }: FactsSource,
  signal: AbortSignal,
): Promise<Answer> {
  const timeouts = {
    ...resolveTimeouts(endpoint.timeouts),
    "first-token": FACTS_TIMEOUT_MS,
    total: FACTS_TIMEOUT_MS,
  };
  return new Promise<Answer>((resolve, reject) => {
    if (signal.aborted) throw signal.reason;
    const onAbort = (): void => {
      exchange.close();
      reject(signal.reason);
    };
    const settle = (act: () => void): void => {
      signal.removeEventListener("abort", onAbort);
      act();
    };
    const exchange = startExchange(
      {
        agent,
        method: "GET",
        url: `${endpoint.url}/models`,
        headers,
        body: undefined,
        timeouts,
        clock,
        where,
      },
      {
        onConnected: () => {},
        onFailure: (error) => settle(() => reject(error)),
        onResponse(response) {
          let body = "";
          response.setEncoding("utf8");
          response.on("data", (text: string) => {
            body += text;
            if (body.length <= MAX_BODY) return;
            exchange.close();
            settle(() =>
              reject(
                new BosunError(
                  "model/protocol",
                  `${where}: the list of models is over ${MAX_BODY} bytes`,
                ),
              ),
            );
          });
          response.on("end", () => {
            exchange.finish();
            settle(() =>
              resolve({
                status: response.statusCode ?? 0,
                contentType: response.headers["content-type"] ?? "",
                body,
              }),
            );
          });
        },
      },
    );
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
