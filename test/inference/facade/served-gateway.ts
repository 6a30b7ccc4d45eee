// A gateway on a real port in this process, over whatever a fleet's data names.

import { createResolver, withFallbacks } from "../../../src/alias.ts";
import { systemClock } from "../../../src/clock.ts";
import { createGateway } from "../../../src/inference/facade/gateway.ts";
import { listen } from "../../../src/inference/facade/listen.ts";
import type { Fleet, FleetModel } from "../../../src/inference/fleet/fleet.ts";
import { createFleetWatch } from "../../../src/inference/pool/fleet-watch.ts";
import { createPool, type Pool } from "../../../src/inference/pool/pool.ts";

export type ServedGateway = AsyncDisposable & {
  /** Up to /v1. */
  readonly url: string;
  readonly pool: Pool;
};

export async function serveGateway(
  models: Readonly<Record<string, FleetModel>>,
): Promise<ServedGateway> {
  const fleet: Fleet = { models };
  const env = {};
  const watch = createFleetWatch({ source: fleet, clock: systemClock, env, isGateway: true });
  const pool = createPool({
    clock: systemClock,
    env,
    resolve: createResolver({}, env, watch),
    retry: { baseMs: 1, capMs: 2 },
  });
  const aliases = Object.keys(models).map(
    (alias) => [alias, withFallbacks([alias], watch)] as const,
  );
  const app = createGateway({
    pool,
    clock: systemClock,
    aliases: () => Object.fromEntries(aliases),
  });
  const server = await listen(app, { port: 0 });
  return {
    url: `${server.url}/v1`,
    pool,
    async [Symbol.asyncDispose]() {
      await server.close();
      pool.close();
    },
  };
}
