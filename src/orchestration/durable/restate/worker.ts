// This process as a worker: an HTTP/2 endpoint that the server calls, registered as one deployment under its URL.

import { once } from "node:events";
import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import { BosunError } from "../../../error.ts";
import { isObject } from "../../../json.ts";
import type { EngineParts } from "./engine-parts.ts";
import { textOf } from "./http.ts";
import { defineQueueObject } from "./queue-object.ts";
import { defineService } from "./service.ts";

export type Listen = {
  readonly host: string;
  readonly port: number;
  /** Where the server reaches this worker, or the balancer before several of them. */
  readonly url: string | undefined;
};

type Handler = ReturnType<EngineParts["sdk"]["createEndpointHandler"]>;

export type Worker = {
  /** Listens, and registers what is known by now. Returns the deployment's id. */
  ready(): Promise<string>;
  /** Registers it again: calls that are pinned nowhere go to the worker that was registered last. */
  again(): Promise<string>;
  /** Drops all connections: the server calls somebody else. */
  close(): Promise<void>;
};

export function createWorker(parts: EngineParts, listen: Listen): Worker {
  const sessions = new Set<ServerHttp2Session>();
  let server: Http2Server | undefined;
  let handler: Handler;
  let registered: { readonly flows: number; readonly id: string } | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const start = async (): Promise<Http2Server> => {
    const made = createServer((request, response) => handler(request, response));
    made.on("session", (session) => {
      sessions.add(session);
      session.once("close", () => sessions.delete(session));
    });
    made.listen(listen.port, listen.host);
    await once(made, "listening");
    return made;
  };
  const inTurn = (work: () => Promise<string>): Promise<string> => {
    const next = turn.then(work);
    turn = next.catch(() => undefined);
    return next;
  };
  const register = async (): Promise<string> => {
    const flows = parts.flows.size;
    if (registered?.flows === flows) return registered.id;
    const services = [...parts.flows.values()].map((flow) => defineService(parts, flow));
    handler = parts.sdk.createEndpointHandler({
      services: [...services, defineQueueObject(parts.sdk)],
      logger: () => undefined, // the library does not print: errors of runs reach whoever asks for them
    });
    server ??= await start();
    const id = await announce(parts, listen.url ?? urlOf(server, listen.host));
    registered = { flows, id };
    return id;
  };
  return {
    ready: () => inTurn(register),
    again: () =>
      inTurn(() => {
        registered = undefined;
        return register();
      }),
    async close() {
      await turn;
      for (const session of sessions) session.destroy();
      if (!server) return;
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

function urlOf(server: Http2Server, host: string): string {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return `http://${host}:${port}`;
}

/** @throws BosunError `store/failed` when the server does not take it. */
async function announce({ http }: EngineParts, uri: string): Promise<string> {
  const { status, body } = await http.admin("/deployments", { body: { uri, force: true } });
  if (isObject(body) && typeof body["id"] === "string") return body["id"];
  throw new BosunError(
    "store/failed",
    `the Restate server does not take the worker at ${uri} (${status}): ${textOf(body)}. It must reach that address: set \`url\``,
  );
}
