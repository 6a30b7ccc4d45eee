// One HTTP exchange with a model server on node:http(s): keep-alive, bounded connections, time-outs by phase, cancel at once.
//
// node:http and not fetch: fetch cuts a reply whose headers take over 300 s, and its pool opens connections without a bound
// (measured: 128 for 64 calls at once).

import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import type { Clock } from "../../clock.ts";
import { BosunError, messageOf } from "../../error.ts";
import type { Address } from "./address.ts";
import type { Endpoint, Timeouts } from "./endpoint.ts";
import { createWatch, type Phase, type Watch } from "./watch.ts";

export type Env = Readonly<Record<string, string | undefined>>;

/** Free sockets live shorter than vLLM's keep-alive of 5 s, or a request would meet a socket that is just being closed. */
const FREE_SOCKET_MS = 4_000;
const DEFAULT_MAX_CONNECTIONS = 256;

const DEFAULT_TIMEOUTS = {
  queueMs: 300_000,
  connectMs: 10_000,
  firstTokenMs: 300_000,
  interTokenMs: 60_000,
  totalMs: 900_000,
};

/** The finite bounds of a call: the request's, else the endpoint's, else the defaults. */
export function resolveTimeouts(
  ...given: readonly (Timeouts | undefined)[]
): Record<Phase, number> {
  const pick = (key: keyof typeof DEFAULT_TIMEOUTS): number =>
    given.map((one) => one?.[key]).find((ms) => ms !== undefined) ?? DEFAULT_TIMEOUTS[key];
  return {
    queue: pick("queueMs"),
    connect: pick("connectMs"),
    "first-token": pick("firstTokenMs"),
    "inter-token": pick("interTokenMs"),
    total: pick("totalMs"),
  };
}

/** The connections of one endpoint. Proxy variables of `env` are honoured; at most `maxConnections` sockets are open. */
export function createAgent(endpoint: Endpoint, env: Env): http.Agent {
  const { maxConnections = DEFAULT_MAX_CONNECTIONS } = endpoint;
  const options = {
    keepAlive: true,
    maxSockets: maxConnections,
    maxFreeSockets: maxConnections, // those of calls that all end at once are needed again at once
    timeout: FREE_SOCKET_MS,
    proxyEnv: proxyOf(env),
  };
  if (endpoint.url.startsWith("http:")) return new http.Agent(options);
  return new https.Agent({
    ...options,
    ...(endpoint.caFile ? { ca: readCa(endpoint.caFile) } : {}),
  });
}

function proxyOf(env: Env): NodeJS.ProcessEnv {
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];
  return Object.fromEntries(
    names.filter((name) => env[name] !== undefined).map((name) => [name, env[name]]),
  );
}

function readCa(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new BosunError(
      "config/invalid",
      `the certificate file ${path} cannot be read: ${messageOf(cause)}. Check caFile`,
      { cause },
    );
  }
}

export type ExchangeOptions = {
  readonly agent: http.Agent;
  readonly method: "GET" | "POST";
  readonly address: Address;
  /** Below the base URL: /chat/completions. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: Readonly<Record<Phase, number>>;
  readonly clock: Clock;
  readonly where: string;
};

/** What an exchange reports. None is called after `close` or `onFailure`. */
export type ExchangeHandlers = {
  readonly onConnected: () => void;
  readonly onResponse: (response: http.IncomingMessage) => void;
  readonly onFailure: (error: BosunError) => void;
};

export interface Exchange {
  /** True when it began to wait because as many connections as there may be were in use. */
  readonly isQueued: boolean;
  /** A token has come: the wait for the next one starts anew. */
  touch(): void;
  /** The reader is slow and the response is paused: only the time-out over all goes on, until `resume`. */
  pause(): void;
  resume(): void;
  /** The answer is whole: no time-out counts any more, and the socket may serve another call. It is closed if its end does not come. */
  finish(): void;
  /** Ends it at once and closes the socket. */
  close(): void;
}

/** How long a finished answer may take to end its stream before its socket is closed instead of kept. */
const DRAIN_MS = 100;

/** Starts an exchange; the body is not held after it was handed to the socket. Errors come through `onFailure`, once. */
export function startExchange(
  options: ExchangeOptions,
  body: string | undefined,
  handlers: ExchangeHandlers,
): Exchange {
  return new HttpExchange(options, body, handlers);
}

class HttpExchange implements Exchange {
  readonly isQueued: boolean;
  readonly #options: ExchangeOptions;
  readonly #handlers: ExchangeHandlers;
  readonly #request: http.ClientRequest;
  readonly #watch: Watch;
  #hasResponse = false;

  constructor(options: ExchangeOptions, body: string | undefined, handlers: ExchangeHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    const request = openRequest(options, body);
    this.#request = request;
    // An agent lists, at once, what it has no socket for; this request would be the last of its list.
    const waiting = Object.values(options.agent.requests);
    this.isQueued = waiting.some((requests) => requests?.at(-1) === request);
    this.#watch = createWatch(options, (error) => this.#fail(error));
    request.on("socket", (socket) => this.#onSocket(socket));
    request.on("response", (response) => this.#onResponse(response));
    request.on("error", (cause) => this.#onError(cause));
    request.end(body);
  }

  touch(): void {
    this.#watch.enter("inter-token");
  }

  pause(): void {
    this.#watch.pause();
  }

  resume(): void {
    this.#watch.enter("inter-token");
  }

  finish(): void {
    if (!this.#watch.stop()) return;
    const request = this.#request;
    const drain = this.#options.clock.timer(DRAIN_MS, () => request.destroy());
    request.once("close", () => drain[Symbol.dispose]());
  }

  close(): void {
    if (this.#watch.stop()) this.#request.destroy();
  }

  #onSocket(socket: Socket): void {
    if (!socket.connecting) {
      this.#onConnected();
      return;
    }
    this.#watch.enter("connect");
    const event = this.#options.address.isTls ? "secureConnect" : "connect";
    socket.once(event, () => this.#onConnected());
  }

  #onConnected(): void {
    if (this.#watch.enter("first-token")) this.#handlers.onConnected();
  }

  #onResponse(response: http.IncomingMessage): void {
    this.#hasResponse = true;
    response.on("error", (cause) => this.#onError(cause));
    if (this.#watch.isOn()) this.#handlers.onResponse(response);
  }

  #onError(cause: Error): void {
    this.#fail(
      this.#hasResponse
        ? brokenOff(this.#options.where, cause)
        : unreachable(this.#options, this.#request, cause),
    );
  }

  #fail(error: BosunError): void {
    if (this.#watch.stop()) this.#handlers.onFailure(error);
    this.#request.destroy();
  }
}

function openRequest(options: ExchangeOptions, body: string | undefined): http.ClientRequest {
  const { agent, method, address, path, where } = options;
  const { hostname, port } = address;
  const headers: http.OutgoingHttpHeaders = {
    accept: "text/event-stream, application/json",
    ...options.headers,
  };
  if (body !== undefined) {
    headers["content-type"] = "application/json";
    headers["content-length"] = Buffer.byteLength(body);
  }
  const send = address.isTls ? https.request : http.request;
  try {
    return send({ agent, method, hostname, port, path: `${address.path}${path}`, headers });
  } catch (cause) {
    const message = `${where}: the request cannot be made: ${messageOf(cause)}. Check its headers and its key`;
    throw new BosunError("config/invalid", message, { cause });
  }
}

function unreachable(
  { address, where }: ExchangeOptions,
  request: http.ClientRequest,
  cause: Error & { code?: string },
): BosunError {
  // A kept socket that the server closed meanwhile says nothing about the server: such a call may be repeated at once.
  const isStale = request.reusedSocket && cause.code === "ECONNRESET";
  const reason = cause.message || (cause.code ?? "no connection"); // an AggregateError of IPv4 and IPv6 has no message
  return new BosunError(
    "model/unreachable",
    `${where} cannot be reached: ${reason}. Is the server running, and is ${address.origin} its address?`,
    {
      retryable: true,
      cause,
      details: { stale: isStale },
    },
  );
}

/** The error of an answer whose connection ended before it did. */
export function brokenOff(where: string, cause: unknown): BosunError {
  return new BosunError("model/cut", `${where}: the connection broke off: ${messageOf(cause)}`, {
    retryable: true,
    cause,
  });
}

/** The error of a call whose signal aborted. */
export function cancelled(where: string, reason: unknown): BosunError {
  return new BosunError("model/cancelled", `${where}: the call was cancelled`, { cause: reason });
}
