// What is soaked: a Bosun on a pool over the twins, and what it must not hold when nothing runs.

import { strict as assert } from "node:assert";
import { type Bosun, createBosun } from "../../src/bosun.ts";
import { systemClock } from "../../src/clock.ts";
import { endpoint } from "../../src/inference/model/endpoint.ts";
import type { Model } from "../../src/inference/model/model.ts";
import type { Capacity } from "../../src/inference/pool/capacity.ts";
import type { Deployment, PoolEndpoint } from "../../src/inference/pool/deployment.ts";
import { createPool, type Pool } from "../../src/inference/pool/pool.ts";
import type { PoolStats } from "../../src/inference/pool/stats.ts";
import type { Held, Started } from "./twin.ts";

/** A Bosun and the pool behind it. */
export type Service = { readonly bosun: Bosun; readonly pool: Pool };

/** Sockets that may be open to all twins together. */
const MAX_SOCKETS = 96;

/** A Bosun on a pool over the twins that knows what they hold. */
export function createService(
  { urls, spareUrl, kvTokens, maxNumSeqs }: Started,
  data: string | false,
): Service {
  const timeouts = { connectMs: 5_000, firstTokenMs: 3_000, interTokenMs: 1_500, totalMs: 20_000 };
  const common = { model: "Qwen/Qwen3-8B", maxConnections: MAX_SOCKETS / 3, timeouts };
  const place = (name: string, url: string, capacity: Capacity): PoolEndpoint => {
    const stream = name !== "spare";
    return { name, at: endpoint({ url, stream, ...common }), capacity };
  };
  const [first, second] = urls;
  const known = { kvTokens, maxNumSeqs };
  const twins = [place("first", first, known), place("second", second, known)] as const;
  const spare = place("spare", spareUrl, { kvTokens, maxNumSeqs: 8, maxWorkers: 2 });
  const deployments: Readonly<Record<string, Deployment>> = {
    soak: { type: "deployment", name: "soak", endpoints: twins },
    spare: { type: "deployment", name: "spare", endpoints: [spare] },
  };
  const resolve = (alias: string): Deployment => {
    const deployment = deployments[alias];
    assert(deployment, `no deployment ${alias}`);
    return deployment;
  };
  const retry = { baseMs: 5, capMs: 200 };
  const pool = createPool({ clock: systemClock, env: {}, retry, resolve });
  // Only the inner one repeats.
  const models = { soak: modelOf(pool, "soak"), spare: modelOf(pool, "spare") };
  return { bosun: createBosun({ data, env: {}, models, retry: { maxAttempts: 1 } }), pool };
}

/** One alias of a pool as a Model, whatever name its caller knows it by. */
function modelOf(pool: Pool, alias: string): Model {
  return {
    call: (request, signal) => pool.call({ ...request, models: [alias] }, signal),
    contextTokens: (_, signal) => pool.contextTokens([alias], signal),
  };
}

/** What must not be while no run goes. */
export function wrongAtRest({ bosun, pool }: Service, twin: Held): string[] {
  const wrong: string[] = [];
  if (twin.running + twin.waiting > 0)
    wrong.push(`the twin still has ${twin.running} running and ${twin.waiting} waiting requests`);
  if (twin.sockets > MAX_SOCKETS) wrong.push(`${twin.sockets} sockets, ${MAX_SOCKETS} may be open`);
  return [...wrong, ...wrongInPool(pool.stats()), ...wrongInPool(bosun.pool.stats())];
}

function wrongInPool(stats: PoolStats): string[] {
  const wrong = stats.queued > 0 ? [`the pool still queues ${stats.queued} calls`] : [];
  for (const { name, inFlight, reservedTokens, prefillTokens } of stats.endpoints)
    if (inFlight + reservedTokens + prefillTokens !== 0)
      wrong.push(
        `the pool still holds of ${name}: ${inFlight} calls, ${reservedTokens} reserved tokens, ${prefillTokens} prefill tokens`,
      );
  return wrong;
}
