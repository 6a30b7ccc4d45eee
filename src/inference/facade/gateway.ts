// The gateway: a pool as one OpenAI-compatible endpoint, with its numbers. Whoever calls through it shares one ledger and one queue.
//
// Knows nothing of ports (listen.ts) and of where aliases come from.

import type { Hono } from "hono";
import type { Clock } from "../../clock.ts";
import type { ModelRef } from "../model/endpoint.ts";
import type { Model } from "../model/model.ts";
import type { Pool } from "../pool/pool.ts";
import type { PoolStats } from "../pool/stats.ts";
import { createFacade, type FacadeOptions } from "./facade.ts";
import type { Aliases } from "./hop.ts";
import { toPoolMetrics } from "./pool-metrics.ts";

/** Options of a gateway. */
export type GatewayOptions = {
  readonly pool: Pool;
  /** What is served now: it is asked at each request. Must not throw. */
  readonly aliases: () => Aliases;
  readonly clock: Clock;
  readonly version?: string | undefined;
  readonly newId?: FacadeOptions["newId"];
  readonly onError?: FacadeOptions["onError"];
};

/** Prompts of 128,000 tokens, with room. */
const MAX_BODY_BYTES = 16 * 1_048_576;

/** The app: put it on a port with `listen`. */
export function createGateway(options: GatewayOptions): Pick<Hono, "fetch" | "request"> {
  const { pool, aliases, clock, version, newId, onError } = options;
  const app = createFacade({
    models: () => modelsOf(pool, aliases()),
    clock,
    version,
    newId,
    onError,
    maxBodyBytes: MAX_BODY_BYTES,
    isHealthy: () => isServing(pool.stats()),
    aliases,
  });
  app.get("/metrics", (c) =>
    c.text(toPoolMetrics(pool.stats()), 200, {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
    }),
  );
  return app;
}

function modelsOf(pool: Pool, aliases: Aliases): Readonly<Record<string, Model>> {
  const entries = Object.entries(aliases).map(([alias, refs]) => [alias, modelOf(pool, refs)]);
  return Object.fromEntries(entries) as Record<string, Model>; // `as`: the pairs above
}

/** A prompt must fit wherever its call may go. */
function modelOf(pool: Pool, refs: readonly ModelRef[]): Model {
  return {
    call: (request, signal) => pool.call(request, signal),
    contextTokens: (_, signal) => pool.contextTokens(refs, signal),
  };
}

/** False when every circuit is open. Until something was sent there, an endpoint is not known to fail. */
export function isServing({ endpoints }: PoolStats): boolean {
  return endpoints.length === 0 || endpoints.some(({ circuit }) => circuit !== "open");
}
