// A PostgreSQL cluster of its own in a temporary folder, for the peer that needs one. Its programs must be on the machine; a user who is
// root starts them as `postgres`, because they refuse root.

import { execFile, execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A running cluster. */
export type Postgres = {
  readonly url: string;
  readonly version: string;
  stop(): Promise<void>;
};

/** Where Debian puts the programs of each version. */
const ROOT = "/usr/lib/postgresql";

/** The folder of initdb and pg_ctl; undefined where there is no PostgreSQL. */
export function postgresPrograms(): string | undefined {
  const newest = existsSync(ROOT)
    ? readdirSync(ROOT).toSorted((a, b) => Number(b) - Number(a))[0]
    : undefined;
  return newest === undefined ? undefined : join(ROOT, newest, "bin");
}

/** Starts a cluster with its default settings, `fsync` included, on a free port of 127.0.0.1. */
export async function startPostgres(programs: string): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), "bosun-bench-postgres-"));
  const user = identity(folder);
  const data = join(folder, "data");
  const options = { ...user, cwd: folder, env: { PATH: process.env["PATH"], LC_ALL: "C" } };
  const port = await freePort();
  await run(join(programs, "initdb"), ["-D", data, "-U", "bench", "-A", "trust"], options);
  const settings = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c max_connections=200`;
  const log = join(folder, "log");
  await run(
    join(programs, "pg_ctl"),
    ["-D", data, "-w", "-l", log, "-o", settings, "start"],
    options,
  );
  await run(
    join(programs, "createdb"),
    ["-h", "127.0.0.1", "-p", `${port}`, "-U", "bench", "bench"],
    options,
  );
  const version = execFileSync(join(programs, "postgres"), ["--version"], options).toString();
  return {
    url: `postgresql://bench@127.0.0.1:${port}/bench`,
    version: version.match(/\d+(\.\d+)?/)?.[0] ?? "",
    async stop() {
      await run(join(programs, "pg_ctl"), ["-D", data, "-w", "-m", "immediate", "stop"], options);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Gives the folder to `postgres` where we are root. */
function identity(folder: string): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = [idOf("-u"), idOf("-g")];
  chownSync(folder, uid, gid);
  return { uid, gid };
}

const idOf = (flag: string): number => Number(execFileSync("id", [flag, "postgres"]).toString());

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
