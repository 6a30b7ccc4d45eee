// Makes a place for a contender's journal: a folder, and the server of those that need one.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { arePeersInstalled, OWN_NAMES, PEERS } from "./contender.ts";
import type { Place } from "./place.ts";
import { postgresPrograms, startPostgres } from "./postgres.ts";
import { startRestateServer, whyNoRestate } from "./restate.ts";

/** A place, until it is closed. */
export type OpenPlace = { readonly place: Place; close(): Promise<void> };

/** Who can be measured here, and who cannot, with the reason. */
export type Presence = {
  readonly names: readonly string[];
  readonly missing: readonly { readonly name: string; readonly why: string }[];
};

/** Looks which contenders this machine has. */
export function lookForContenders(): Presence {
  const install = "npm ci --prefix bench/durable/peers installs the peers";
  const why: Readonly<Record<string, string | undefined>> = {
    restate: whyNoRestate(),
    dbos: arePeersInstalled()
      ? postgresPrograms() === undefined
        ? "there is no PostgreSQL below /usr/lib/postgresql"
        : undefined
      : install,
    langgraph: arePeersInstalled() ? undefined : install,
  };
  const all: readonly string[] = [...OWN_NAMES, ...PEERS];
  return {
    names: all.filter((name) => why[name] === undefined),
    missing: all.flatMap((name) => {
      const reason = why[name];
      return reason === undefined ? [] : [{ name, why: reason }];
    }),
  };
}

/** An empty journal. Servers are started anew. */
export async function openPlace(name: string): Promise<OpenPlace> {
  const folder = mkdtempSync(join(tmpdir(), `bosun-bench-${name}-`));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const programs = postgresPrograms();
  const postgres = name === "dbos" && programs ? await startPostgres(programs) : undefined;
  const restate = name === "restate" ? await startRestateServer() : undefined;
  const { ingressUrl, adminUrl } = restate ?? { ingressUrl: "", adminUrl: "" };
  return {
    place: { folder, postgresUrl: postgres?.url, restate: restate && { ingressUrl, adminUrl } },
    async close() {
      await postgres?.stop();
      await restate?.stop();
      remove();
    },
  };
}
