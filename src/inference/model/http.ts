// One HTTP exchange with a model server on node:http(s): keep-alive, bounded connections, time-outs by phase, cancel at once.
//
// node:http and not fetch: fetch cuts a reply whose headers take over 300 s, and its pool opens connections without a bound
// (measured: 128 for 64 calls at once).

import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { Clock } from "../../clock.ts";
import { BosunError, messageOf } from "../../error.ts";
import type { Address } from "./address.ts";
import type { Endpoint, Timeouts } from "./endpoint.ts";

/** Where a call waits: a phase's time-out has its name. */
export type Phase = "queue" | "connect" | "first-token" | "inter-token" | "total";

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
  const options = {
    keepAlive: true,
    maxSockets: endpoint.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
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
  readonly body: string | undefined;
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

/** Starts an exchange. Errors come through `onFailure`, once. */
export function startExchange(options: ExchangeOptions, handlers: ExchangeHandlers): Exchange {
  const { clock, where } = options;
  const request = openRequest(options);
  // An agent lists, at once, what it has no socket for; this request would be the last of its list.
  const waiting = Object.values(options.agent.requests);
  const isQueued = waiting.some((requests) => requests?.at(-1) === request);
  const watch = createWatch(options, (error) => fail(error));
  let hasResponse = false;
  const fail = (error: BosunError): void => {
    if (watch.stop()) handlers.onFailure(error);
    request.destroy();
  };
  const connected = (): void => {
    if (watch.enter("first-token")) handlers.onConnected();
  };
  request.on("socket", (socket) => {
    if (!socket.connecting) return connected();
    watch.enter("connect");
    socket.once(options.address.isTls ? "secureConnect" : "connect", connected);
  });
  request.on("response", (response) => {
    hasResponse = true;
    response.on("error", (cause) => fail(brokenOff(where, cause)));
    if (watch.isOn()) handlers.onResponse(response);
  });
  request.on("error", (cause) =>
    fail(hasResponse ? brokenOff(where, cause) : unreachable(options, request, cause)),
  );
  request.end(options.body);
  return {
    isQueued,
    touch: () => void watch.enter("inter-token"),
    pause: () => watch.pause(),
    resume: () => void watch.enter("inter-token"),
    finish() {
      if (!watch.stop()) return;
      const drain = clock.timer(DRAIN_MS, () => request.destroy());
      request.once("close", () => drain[Symbol.dispose]());
    },
    close() {
      if (watch.stop()) request.destroy();
    },
  };
}

/** The time-outs of one exchange: that of its phase, and the one over all. */
type Watch = {
  isOn(): boolean;
  /** Starts the wait of a phase. False when the exchange is over. */
  enter(phase: Phase): boolean;
  /** Stops the wait of the phase until the next `enter`. */
  pause(): void;
  /** True the first time: whoever gets it ends the exchange. */
  stop(): boolean;
};

function createWatch(
  { clock, timeouts, where }: ExchangeOptions,
  onExpired: (error: BosunError) => void,
): Watch {
  let phase: Phase = "queue";
  let isOn = true;
  let isPaused = false;
  const expire = (which: Phase): void => {
    onExpired(timedOut(where, which, timeouts[which]));
  };
  let touchedAt = 0;
  // A token only notes its time, which is half as dear as setting the timer anew; the timer looks at it when it fires.
  const onWait = (): void => {
    const leftMs = phase === "inter-token" ? touchedAt + timeouts[phase] - clock.now() : 0;
    if (leftMs > 0) wait.restart(leftMs);
    else expire(phase);
  };
  const wait = clock.timer(timeouts.queue, onWait);
  const total = clock.timer(timeouts.total, () => expire("total"));
  return {
    isOn: () => isOn,
    enter(next) {
      if (!isOn) return false;
      const isSame = phase === next && !isPaused;
      isPaused = false;
      phase = next;
      touchedAt = clock.now();
      if (!isSame) wait.restart(timeouts[next]);
      return true;
    },
    pause() {
      isPaused = true;
      wait.restart(timeouts.total); // the one over all fires before it
    },
    stop() {
      if (!isOn) return false;
      isOn = false;
      wait[Symbol.dispose]();
      total[Symbol.dispose]();
      return true;
    },
  };
}

function openRequest(options: ExchangeOptions): http.ClientRequest {
  const { agent, method, address, path, body, where } = options;
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

const EXPIRED: Readonly<Record<Phase, string>> = {
  queue: "no connection was free",
  connect: "no connection was made",
  "first-token": "no first token came",
  "inter-token": "no further token came",
  total: "the answer did not end",
};

/** The error of a wait that was longer than it may be. Over all, no repetition would be shorter. */
export function timedOut(where: string, phase: Phase, ms: number): BosunError {
  const message = `${where}: ${EXPIRED[phase]} within ${ms} ms`;
  const options = { retryable: phase !== "total", details: { phase } };
  return new BosunError("model/timed-out", message, options);
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
