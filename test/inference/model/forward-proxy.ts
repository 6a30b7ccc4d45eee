// A tiny HTTP proxy for tests: forwards absolute URLs and opens tunnels by CONNECT. Remembers what it was asked for.

import { createServer, request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";

/** A proxy on 127.0.0.1. */
export type ForwardProxy = {
  readonly url: string;
  /** One line for each request: "POST http://…" or "CONNECT host:port". */
  readonly asked: readonly string[];
  close(): Promise<void>;
};

/** A proxy on a free port. */
export async function startForwardProxy(): Promise<ForwardProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  };
  const server = createServer((incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    const { method, headers, url = "" } = incoming;
    const onward = httpRequest(url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    incoming.pipe(onward);
  });
  server.on("connection", keep);
  server.on("connect", (incoming, near: Socket) => {
    asked.push(`CONNECT ${incoming.url}`);
    const { hostname, port } = new URL(`http://${incoming.url}`);
    const far = connect(Number(port), hostname, () => {
      near.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      far.pipe(near);
      near.pipe(far);
    });
    keep(far);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("the proxy has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    async close() {
      const ended = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await ended;
    },
  };
}
