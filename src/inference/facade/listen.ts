// An app on a port. Refuses what must not be asked from outside before the app sees it.
//
// On a loopback address only local names may be asked for (a web page could point its own name there), and only pages from local
// addresses may ask. Any other address needs a token. Nothing is printed; errors of a connection end that connection only.

import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import type { Clock, Timer } from "../../clock.ts";
import { BosunError, messageOf } from "../../error.ts";
import { createDrain } from "./drain.ts";
import { createGuard } from "./guard.ts";

/** What answers: a Hono app, or anything with its `fetch`. */
export type App = {
  readonly fetch: (request: Request, env?: object) => Response | Promise<Response>;
};

/** Options of `listen`. */
export type ListenOptions = {
  /** 0 takes a free port. */
  readonly port: number;
  /** Default 127.0.0.1. Other than loopback addresses need `token`. */
  readonly host?: string | undefined;
  /** Closes the server when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** How long open requests may go on when `signal` aborts; new ones are then answered 503. Default: they are cut. */
  readonly drain?: { readonly ms: number; readonly clock: Clock } | undefined;
  /** What `Authorization: Bearer …` must say, on every path but /health. */
  readonly token?: string | undefined;
  /** Most open connections; further ones are dropped. Default 1,024. */
  readonly maxConnections?: number | undefined;
};

/** A server that listens. */
export type Listening = {
  /** http://127.0.0.1:8000 */
  readonly url: string;
  readonly port: number;
  /** Resolves when it is closed, whoever closed it. */
  readonly closed: Promise<void>;
  /** Requests whose answer has not ended. */
  openRequests(): number;
  /** Stops at once: open requests are cut, which aborts their model calls. */
  close(): Promise<void>;
};

const DEFAULT_MAX_CONNECTIONS = 1_024;

/**
 * Serves `app`.
 * @throws BosunError `server/failed` with the port when it cannot be had, `config/invalid` for a port that is none or an open address
 * without a token, the signal's reason when it is aborted already.
 */
export async function listen(app: App, options: ListenOptions): Promise<Listening> {
  const { port, host = "127.0.0.1", signal, token, drain } = options;
  signal?.throwIfAborted();
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new BosunError(
      "config/invalid",
      `port must be a whole number from 0 to 65535, got ${port}`,
    );
  }
  const guard = createGuard({ host, token });
  const server = createAdaptorServer({
    fetch: (request, env) => guard(request) ?? open.refusal() ?? app.fetch(request, env),
    createServer,
    overrideGlobalObjects: false,
  }) as Server; // `as`: createServer makes an HTTP/1 server
  const open = createDrain(server);
  server.maxConnections = options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  await bind(server, host, port);
  const { port: bound } = server.address() as AddressInfo; // `as`: bound to a port, not to a pipe
  // What fails from here on is one connection that could not be accepted; without a listener it would end the process.
  server.on("error", () => undefined);

  const { promise: closed, resolve } = Promise.withResolvers<void>();
  server.once("close", resolve);
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  let patience: Timer | undefined;
  const end = (): void => {
    if (!drain || drain.ms <= 0) return stop();
    open.begin();
    patience = drain.clock.timer(drain.ms, () => server.closeAllConnections());
  };
  signal?.addEventListener("abort", end, { once: true });
  server.once("close", () => {
    signal?.removeEventListener("abort", end);
    patience?.[Symbol.dispose]();
  });
  if (signal?.aborted) end(); // while the port was bound
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    port: bound,
    closed,
    openRequests: () => open.open(),
    close() {
      stop();
      return closed;
    },
  };
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException): void => reject(bindError(cause, host, port));
    server.once("error", onError);
    server.listen(port, host, () => {
      server.off("error", onError);
      resolve();
    });
  });
}

function bindError(cause: NodeJS.ErrnoException, host: string, port: number): BosunError {
  const { code = "unknown" } = cause;
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: "is in use. Take another port, or 0 for a free one",
    EACCES: "needs rights that this process does not have. Take a port above 1023",
    EADDRNOTAVAIL: "is at an address that this machine does not have",
  };
  const reason = why[code] ?? `cannot be had: ${messageOf(cause)}`;
  return new BosunError("server/failed", `port ${port} on ${host} ${reason}`, {
    details: { port, host, reason: code },
    cause,
  });
}
