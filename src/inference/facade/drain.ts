// The end of a server that lets its open requests end: it takes no connection any more, closes the idle ones at once and each other
// one when its request has ended. A request that still comes over one of those is answered 503.
//
// Does not know how long that may take (listen.ts).

import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { BosunError } from "../../error.ts";
import { toWireError } from "./wire-error.ts";

/** The open requests of a server. */
export type Drain = {
  /** Requests whose answer has not ended. */
  open(): number;
  /** Lets them end and takes no others. The server's `close` follows the last one. */
  begin(): void;
  /** What a new request gets since it began; undefined before. */
  refusal(): Response | undefined;
};

/** Watches a server from its first connection on. */
export function createDrain(server: Server): Drain {
  /** Each connection with its open requests. */
  const open = new Map<Socket, Set<ServerResponse>>();
  let hasBegun = false;
  server.on("connection", (socket) => {
    open.set(socket, new Set());
    socket.once("close", () => open.delete(socket));
  });
  // Before the app's listener: an answer's headers may leave with its first word.
  server.prependListener("request", ({ socket }, response) => {
    const responses = open.get(socket);
    responses?.add(response);
    if (hasBegun) response.setHeader("connection", "close");
    response.once("close", () => {
      responses?.delete(response);
      // Not closeIdleConnections(): to it an answer that waits behind another one for its way out is no answer.
      if (hasBegun && responses?.size === 0) socket.destroySoon();
    });
  });
  return {
    open: () => [...open.values()].reduce((sum, { size }) => sum + size, 0),
    begin() {
      hasBegun = true;
      server.close();
      for (const [socket, responses] of open) {
        if (responses.size === 0) socket.destroySoon();
        for (const response of responses)
          if (!response.headersSent) response.setHeader("connection", "close");
      }
    },
    refusal: () => (hasBegun ? closing() : undefined),
  };
}

function closing(): Response {
  const error = new BosunError("server/closing", "this server is closing: ask another one");
  const { status, body, headers } = toWireError(error, "");
  return Response.json(body, { status, headers });
}
