// A real HTTP server on 127.0.0.1 that speaks the OpenAI protocol as a test wants it: rightly, wrongly, or not to the end.
//
// For testing a client or a whole run against what servers do when they fail. Knows the routes and the sockets; what is
// answered comes from the test (wire-reply.ts). It has no model and no time: a slow answer is one that waits for a promise.
//
// Invariants
//   F1  Call n gets reply n: calls are numbered in the order in which their bodies were complete.
//   F2  After close() no socket of the server is open and `closed` of every call that came has resolved.

import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { Socket } from "node:net";
import { BosunError, messageOf } from "../error.ts";
import type { JsonObject } from "../json.ts";
import { type Closer, createCallLog } from "./call-log.ts";
import { playReply } from "./play-reply.ts";
import { readRequest, type ReceivedRequest, routeOf } from "./received-request.ts";
import { errorReply, jsonReply, type WireReply } from "./wire-reply.ts";

/** Answers in order, or made for each call; `index` counts from 0. */
export type WireScript =
  | readonly WireReply[]
  | ((request: ReceivedRequest, index: number) => WireReply);

/** What a fault server answers. */
export type FaultServerOptions = {
  /** Answers to /v1/chat/completions. A call beyond a list gets a 400 that says so. Default: none. */
  readonly replies?: WireScript | undefined;
  /** Cards of /v1/models, sent as they are, or a 404. Default: one vLLM card, "test-model" with 4,096 tokens. */
  readonly models?: readonly JsonObject[] | "not-found" | undefined;
  /** Answers to other paths, before those of models and version: { "/metrics": […] }. */
  readonly routes?: Readonly<Record<string, WireReply>> | undefined;
  /** Answer of /version. Unset = 404, as on servers that are not vLLM. */
  readonly version?: string | undefined;
  /** Key and certificate in PEM; the server then speaks HTTPS. */
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
};

/** A server under a test's control. */
export interface FaultServer extends AsyncDisposable {
  /** Base URL up to the version: http://127.0.0.1:PORT/v1 */
  readonly url: string;
  /** All requests in the order in which their bodies were complete. Kept until the server is dropped. */
  readonly requests: readonly ReceivedRequest[];
  /** Those of them that ask for a chat completion; replies, `received` and `closed` count these. */
  readonly calls: readonly ReceivedRequest[];
  readonly openSockets: number;
  /** Sockets opened so far. */
  readonly totalSockets: number;
  /** Resolves with call `index`, counted from 0, as soon as it has come. */
  received(index: number): Promise<ReceivedRequest>;
  /** Resolves when the socket of call `index` is closed, with the side that closed it. */
  closed(index: number): Promise<"client" | "server">;
  /** Cuts every connection and frees the port. */
  close(): Promise<void>;
}

/**
 * A server that listens on a free port of 127.0.0.1 and answers as told.
 * @throws BosunError `server/failed` when it cannot listen.
 */
export async function startFaultServer(options: FaultServerOptions = {}): Promise<FaultServer> {
  const { tls, replies = [] } = options;
  const log = createCallLog();

  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    const { socket } = incoming;
    const answer = async (): Promise<void> => {
      const request = await readRequest(incoming);
      const index = log.add(request, socket, () => sockets.closerOf(socket));
      const reply =
        index === undefined ? planRoute(request, options) : planCall(replies, request, index);
      await playReply(reply, response, () => sockets.cut(socket));
    };
    answer().catch((error: unknown) => {
      // Either the client left amid its request, and nobody is there to answer to, or the test's reply is no HTTP.
      if (!incoming.complete || response.headersSent) socket.destroy();
      else void playReply(errorReply(500, `fault server: ${messageOf(error)}`), response, nothing);
    });
  };
  const server: Server = tls ? createHttpsServer(tls, listener) : createHttpServer(listener);
  server.keepAliveTimeout = 0; // an idle socket stays until the client closes it, or `closed` could not tell who did
  const sockets = watchSockets(server);
  const port = await listen(server);

  const close = async (): Promise<void> => {
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    sockets.cutAll(); // F2
    await ended;
  };
  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${port}/v1`,
    requests: log.requests,
    calls: log.calls,
    get openSockets() {
      return sockets.open.size;
    },
    get totalSockets() {
      return sockets.total();
    },
    received: (index) => log.slot(index).received.promise,
    closed: (index) => log.slot(index).closed.promise,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function nothing(): void {}

type Sockets = {
  readonly open: ReadonlySet<Socket>;
  total(): number;
  /** Says that the server itself closes this socket. */
  cut(socket: Socket): void;
  cutAll(): void;
  closerOf(socket: Socket): Closer;
};

function watchSockets(server: Server): Sockets {
  const open = new Set<Socket>();
  const cut = new WeakSet<Socket>();
  let total = 0;
  let isClosing = false;
  server.on("connection", (socket: Socket) => {
    total++;
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return {
    open,
    total: () => total,
    cut: (socket) => cut.add(socket),
    cutAll() {
      isClosing = true;
      for (const socket of open) socket.destroy();
    },
    closerOf: (socket) => (isClosing || cut.has(socket) ? "server" : "client"),
  };
}

function planRoute(request: ReceivedRequest, options: FaultServerOptions): WireReply {
  const { models = DEFAULT_MODELS, routes = {}, version } = options;
  const route = routeOf(request);
  const given = routes[route];
  if (given) return given;
  if (route === "/v1/models" && models !== "not-found") {
    return jsonReply({
      object: "list",
      data: models.map((card) => ({ object: "model", ...card })),
    });
  }
  if (route === "/version" && version !== undefined) return jsonReply({ version });
  return jsonReply({ detail: "Not Found" }, 404);
}

function planCall(script: WireScript, request: ReceivedRequest, index: number): WireReply {
  if (typeof script !== "function") {
    const missing = `fault server: no reply left for call ${index}, the list has ${script.length}`;
    return script[index] ?? errorReply(400, missing);
  }
  try {
    return script(request, index);
  } catch (error) {
    return errorReply(500, `fault server: no reply for call ${index}: ${messageOf(error)}`);
  }
}

const DEFAULT_MODELS: readonly JsonObject[] = [
  { id: "test-model", owned_by: "vllm", max_model_len: 4096 },
];

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause?: Error): void => {
      const why = cause ? `: ${cause.message}` : "";
      reject(
        new BosunError("server/failed", `fault server: cannot listen on 127.0.0.1${why}`, {
          cause,
        }),
      );
    };
    server.once("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (typeof address === "object" && address) resolve(address.port);
      else fail();
    });
  });
}
