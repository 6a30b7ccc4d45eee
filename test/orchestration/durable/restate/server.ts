// The real Restate server, from npm, for tests: one process with a small memory and a data folder of its own in the temporary folder.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "../../../../src/clock.ts";
import { isBosunError } from "../../../../src/error.ts";

/** A running server. */
export type RestateServer = AsyncDisposable & {
  /** Where runs are started. */
  readonly ingressUrl: string;
  /** Where workers are registered and runs are looked at. */
  readonly adminUrl: string;
  /** Ends it as an operator does, and removes its data. */
  stop(): Promise<void>;
  /** kill -9. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it anew on its data and its ports, once its process is gone. */
  restart(): Promise<void>;
};

const LIVE = new AbortController().signal;
const READY_WITHIN_MS = 30_000;

/** Starts a server on free ports. */
export async function startRestate(): Promise<RestateServer> {
  const folder = await mkdtemp(join(tmpdir(), "bosun-restate-"));
  const [ingress, admin, node] = await freePorts();
  const config = join(folder, "restate.toml");
  await writeFile(config, configOf({ folder, ingress, admin, node }));
  const ingressUrl = `http://127.0.0.1:${ingress}`;
  const adminUrl = `http://127.0.0.1:${admin}`;
  // A test process that ends without stopping it must not leave it behind.
  const onExit = (): void => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", onExit);
  let child = await start(config, [`${adminUrl}/health`, `${ingressUrl}/restate/health`]);
  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited; // a second server must not find the data still locked
  };
  const stop = async (): Promise<void> => {
    process.off("exit", onExit);
    await end("SIGKILL"); // its data go with it: it need not tidy up
    await rm(folder, { recursive: true, force: true });
  };
  return {
    ingressUrl,
    adminUrl,
    stop,
    kill: () => end("SIGKILL"),
    async restart() {
      await end("SIGTERM");
      child = await start(config, [`${adminUrl}/health`, `${ingressUrl}/restate/health`]);
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** The server's program: the platform's package, without the script before it, so that the process is the server itself. */
export function restateProgram(): string {
  const own = createRequire(import.meta.url);
  const launcher = own.resolve("@restatedev/restate-server/package.json");
  const platform = `@restatedev/restate-server-${process.platform}-${process.arch}/package.json`;
  return join(dirname(createRequire(launcher).resolve(platform)), "bin", "restate-server");
}

/** Ports that nobody had a moment ago. */
export async function freePorts(): Promise<[number, number, number]> {
  const [one, two, three] = [await takePort(), await takePort(), await takePort()];
  for (const { close } of [one, two, three]) await close();
  return [one.port, two.port, three.port];
}

async function takePort(): Promise<{ port: number; close: () => Promise<unknown> }> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** Starts the program and waits until all addresses answer. */
export async function start(config: string, urls: readonly string[]): Promise<ChildProcess> {
  const log = join(dirname(config), "log");
  const file = await open(log, "a");
  const child = spawn(restateProgram(), ["--no-logo", "--config-file", config], {
    env: { ...process.env, RESTATE_DISABLE_TELEMETRY: "true" },
    stdio: ["ignore", file.fd, file.fd],
  });
  await file.close();
  const endsAt = systemClock.now() + READY_WITHIN_MS;
  for (const url of urls)
    while (!(await isUp(url))) {
      const isOver = systemClock.now() > endsAt;
      if (isOver || child.exitCode !== null || child.signalCode !== null) {
        child.kill("SIGKILL");
        throw new Error(`the Restate server does not answer:\n${await readFile(log, "utf8")}`);
      }
      await systemClock.sleep(20, LIVE);
    }
  return child;
}

const isUp = (url: string): Promise<boolean> =>
  fetch(url).then(
    (response) => response.ok,
    () => false,
  );

type Ports = {
  readonly folder: string;
  readonly ingress: number;
  readonly admin: number;
  readonly node: number;
};

/** One partition and little memory: a test has few runs. The retries are quick, because tests kill workers. */
function configOf({ folder, ingress, admin, node }: Ports): string {
  return `
cluster-name = "bosun-test"
node-name = "n1"
base-dir = "${folder}/data"
auto-provision = true
default-num-partitions = 1
listen-mode = "tcp"
bind-ip = "127.0.0.1"
bind-port = ${node}
advertised-address = "http://127.0.0.1:${node}/"
rocksdb-total-memory-size = "128 MiB"
disable-telemetry = true
log-filter = "warn"
log-disable-ansi-codes = true

[default-retry-policy]
initial-interval = "20ms"
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

/** What resumes a run, as soon as the server has noticed that the process that had it is gone. */
export async function whenFree<T>(resume: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await resume();
    } catch (error) {
      if (!isBosunError(error) || error.code !== "run/owned") throw error;
      await systemClock.sleep(50, LIVE);
    }
  }
}
