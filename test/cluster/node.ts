// The nodes of the cluster: each a server of its own, on ports of its own.

import { type ChildProcess } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, start } from "../orchestration/durable/restate/server.ts";

/** A node that runs. */
export type Node = {
  readonly name: string;
  readonly ingressUrl: string;
  readonly adminUrl: string;
  readonly process: ChildProcess;
};

/** Starts that many nodes, which find each other. */
export async function startNodes(count: number): Promise<readonly Node[]> {
  const ports = await Promise.all(Array.from({ length: count }, () => freePorts()));
  const addresses = ports.map(([, , own]) => `http://127.0.0.1:${own}/`);
  return Promise.all(
    ports.map(async ([ingress, admin, own], index): Promise<Node> => {
      const name = `n${index + 1}`;
      const folder = await mkdtemp(join(tmpdir(), `bosun-cluster-${name}-`));
      const config = join(folder, "restate.toml");
      await writeFile(config, configOf({ name, folder, ingress, admin, own, addresses }));
      const [ingressUrl, adminUrl] = [`http://127.0.0.1:${ingress}`, `http://127.0.0.1:${admin}`];
      const child = await start(config, [`${adminUrl}/health`, `${ingressUrl}/restate/health`]);
      return { name, ingressUrl, adminUrl, process: child };
    }),
  );
}

type Config = {
  readonly name: string;
  readonly folder: string;
  readonly ingress: number;
  readonly admin: number;
  readonly own: number;
  readonly addresses: readonly string[];
};

function configOf({ name, folder, ingress, admin, own, addresses }: Config): string {
  return `
cluster-name = "bosun-cluster"
node-name = "${name}"
base-dir = "${folder}/data"
roles = ["http-ingress", "admin", "worker", "log-server", "metadata-server"]
auto-provision = ${name === "n1"}
default-num-partitions = 4
default-replication = 2
listen-mode = "tcp"
bind-ip = "127.0.0.1"
bind-port = ${own}
advertised-address = "http://127.0.0.1:${own}/"
rocksdb-total-memory-size = "192 MiB"
disable-telemetry = true
log-filter = "warn"
log-disable-ansi-codes = true

[metadata-server]
type = "replicated"

[metadata-client]
type = "replicated"
addresses = ${JSON.stringify(addresses)}

[bifrost]
default-provider = "replicated"

[default-retry-policy]
initial-interval = "50ms"
exponentiation-factor = 2.0
max-attempts = 70
on-max-attempts = "pause"
max-interval = "1s"

[ingress]
bind-address = "127.0.0.1:${ingress}"

[admin]
bind-address = "127.0.0.1:${admin}"
disable-web-ui = true
`;
}
