// The Restate engine, where this checkout has one and its packages are installed.

import { existsSync } from "node:fs";
import type { DurableEngine } from "../../src/orchestration/durable/engine.ts";
import type { Place, RestateAddresses } from "./place.ts";

/** A server for one benchmark. */
export type RestateServer = RestateAddresses & { stop(): Promise<void> };

const ENGINE = new URL("../../src/orchestration/durable/restate/engine.ts", import.meta.url);
const SERVER = new URL("../../test/orchestration/durable/restate/server.ts", import.meta.url);
const PACKAGE = "@restatedev/restate-server/package.json";

/** Why there is no Restate engine here; undefined where there is one. */
export function whyNoRestate(): string | undefined {
  if (!existsSync(ENGINE) || !existsSync(SERVER)) return "this checkout has no restate engine";
  try {
    import.meta.resolve(PACKAGE);
    return undefined;
  } catch {
    return "@restatedev/restate-server is not installed";
  }
}

/** Starts a server on free ports. */
export async function startRestateServer(): Promise<RestateServer> {
  const module = (await import(SERVER.href)) as { startRestate(): Promise<RestateServer> }; // `as`: that file's own
  return module.startRestate();
}

/** Opens the engine on the server of a place. */
export async function openRestateEngine({ restate }: Place): Promise<DurableEngine> {
  if (!restate) throw new Error("no Restate server was started");
  const module = (await import(ENGINE.href)) as {
    createRestateEngine(options: RestateAddresses): Promise<DurableEngine>;
  }; // `as`: that file's own
  return module.createRestateEngine(restate);
}
