// What is soaked: a Bosun on a pool over the twins, and what it must not hold when nothing runs.

import { strict as assert } from "node:assert";
import { type Bosun, createBosun } from "../../src/bosun.ts";
import { systemClock } from "../../src/clock.ts";
import type { FleetEndpoint } from "../../src/inference/fleet/fleet.ts";
import type { PoolStats } from "../../src/inference/pool/stats.ts";
import { createScaledClock } from "../../src/inference/twin/scaled-clock.ts";
import { SPEED } from "./crew.ts";
import type { Held, Started } from "./twin.ts";

/** Sockets that may be open to all twins together. */
const MAX_SOCKETS = 96;

/** A Bosun whose fleet is the twins, with what they hold. */
export function createService(
  { urls, spareUrl, kvTokens, maxNumSeqs }: Started,
  data: string | false,
): Bosun {
  const timeouts = {
    connectMs: 50_000,
    firstTokenMs: 30_000,
    interTokenMs: 15_000,
    totalMs: 200_000,
  };
  const common = { model: "Qwen/Qwen3-8B", timeouts };
  const maxConnections = MAX_SOCKETS / 3;
  const [first, second] = urls.map((url): FleetEndpoint => {
    return { url, dialect: "vllm", kvTokens, maxNumSeqs, maxConnections };
  });
  assert(first && second);
  const spare: FleetEndpoint = {
    url: spareUrl,
    dialect: "runpod",
    kvTokens,
    maxNumSeqs: 8,
    maxConnections,
    maxWorkers: 2,
    scaler: { type: "REQUEST_COUNT", requests: 6 },
  };
  const models = {
    soak: { ...common, endpoints: [first, second] },
    spare: { ...common, endpoints: [spare] },
  } as const;
  const clock = createScaledClock(systemClock, SPEED);
  return createBosun({ data, env: {}, clock, fleet: { models } });
}

/** What must not be while no run goes. */
export function wrongAtRest({ pool }: Bosun, twin: Held): string[] {
  const wrong: string[] = [];
  if (twin.running + twin.waiting > 0)
    wrong.push(`the twin still has ${twin.running} running and ${twin.waiting} waiting requests`);
  if (twin.sockets > MAX_SOCKETS) wrong.push(`${twin.sockets} sockets, ${MAX_SOCKETS} may be open`);
  return [...wrong, ...wrongInPool(pool.stats())];
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
