// One question to a model server beside its calls: a bounded text, over the connections, the key and the proxy of its calls.

import type http from "node:http";
import type { Clock } from "../../clock.ts";
import { BosunError } from "../../error.ts";
import type { Address } from "./address.ts";
import type { Endpoint } from "./endpoint.ts";
import { cancelled, type Exchange, startExchange } from "./http.ts";
import type { Phase } from "./watch.ts";

/** Everything about an endpoint that its calls and questions need, made once. */
export type ServerSource = {
  readonly endpoint: Endpoint;
  readonly address: Address;
  /** The endpoint's own, or the defaults. */
  readonly timeouts: Readonly<Record<Phase, number>>;
  readonly agent: http.Agent;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly where: string;
  /** Cut out of all that the endpoint says. */
  readonly secrets: readonly string[];
};

/** What is asked. */
export type ServerQuestion = {
  readonly method: "GET" | "POST";
  /** Begins with a slash. */
  readonly path: string;
  /** "api" = below the base URL, as /models; "root" = below the server's own, as /metrics. */
  readonly base: "api" | "root";
  /** JSON text of a POST. Default: nothing. */
  readonly body?: string | undefined;
};

/** What the server said, whatever its status. */
export type ServerAnswer = {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
};

/** Most characters of an answer that are read: the metrics of a server with many adapters have some 100,000. */
const MAX_BODY = 4 * 1024 * 1024;
/** No question takes longer; a cold start is no matter of a question. */
const ANSWER_TIMEOUT_MS = 10_000;

/** @throws BosunError `model/…` when nobody answers in time, the answer is too long, or the signal aborts. */
export function askServer(
  source: ServerSource,
  { method, path, base, body }: ServerQuestion,
  signal: AbortSignal,
): Promise<ServerAnswer> {
  const { where } = source;
  const timeouts = {
    ...source.timeouts,
    "first-token": ANSWER_TIMEOUT_MS,
    total: ANSWER_TIMEOUT_MS,
  };
  const address = base === "api" ? source.address : toRoot(source.address);
  const { promise, resolve, reject } = Promise.withResolvers<ServerAnswer>();
  const exchange = startExchange(
    { ...source, address, method, path, timeouts },
    method === "POST" ? (body ?? "") : undefined,
    {
      onConnected: () => {},
      onFailure: reject,
      onResponse: (response) => readAnswer(response, { resolve, reject, exchange, where, path }),
    },
  );
  const onAbort = (): void => {
    exchange.close();
    reject(cancelled(where, signal.reason));
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return promise.finally(() => signal.removeEventListener("abort", onAbort));
}

/** The server that an API's address belongs to: without its version, and without the `openai` before it that Runpod has. */
function toRoot(address: Address): Address {
  return { ...address, path: address.path.replace(/(?:\/openai)?\/v\d+$/, "") };
}

type Reading = {
  readonly resolve: (answer: ServerAnswer) => void;
  readonly reject: (error: BosunError) => void;
  readonly exchange: Exchange;
  readonly where: string;
  readonly path: string;
};

function readAnswer(
  response: http.IncomingMessage,
  { resolve, reject, exchange, where, path }: Reading,
): void {
  let body = "";
  response.setEncoding("utf8");
  response.on("data", (text: string) => {
    body += text;
    if (body.length <= MAX_BODY) return;
    exchange.close();
    reject(
      new BosunError("model/protocol", `${where}: its ${path} is over ${MAX_BODY} characters`),
    );
  });
  response.on("end", () => {
    exchange.finish();
    resolve({
      status: response.statusCode ?? 0,
      contentType: response.headers["content-type"] ?? "",
      body,
    });
  });
}
