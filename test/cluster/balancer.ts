// A TCP balancer: one address before several workers. A worker that does not answer is passed over.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export type Balancer = AsyncDisposable & { readonly port: number };

export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const sockets = new Set<Socket>();
  let next = 0;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => undefined); // either side may be killed
    socket.once("close", () => sockets.delete(socket));
  };
  const join = (client: Socket, tries: number): void => {
    const worker = connect(ports[next++ % ports.length] ?? 0, "127.0.0.1");
    keep(worker);
    worker.once("connect", () => {
      client.pipe(worker).pipe(client);
      worker.once("close", () => client.destroy());
      client.once("close", () => worker.destroy());
    });
    worker.once("error", () => {
      if (tries > 1) join(client, tries - 1);
      else client.destroy();
    });
  };
  const server = createServer((client) => {
    keep(client);
    join(client, ports.length);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // `as`: it listens on a port
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
