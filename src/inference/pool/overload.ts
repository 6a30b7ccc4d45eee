// The refusals of a queue: what an HTTP server would answer with 503, with a hint when to come again.

import { BosunError } from "../../error.ts";
import type { Lane, Site } from "./lane.ts";

/** Too many wait already. */
export function queueFull(lane: Lane, queued: number, now: number): BosunError {
  const { sites, deployment } = lane;
  return new BosunError(
    "model/overloaded",
    `"${deployment.name}" has no room: ${queued} calls wait already, and ${told(sites, now)}. Send less at once, add an endpoint, or raise maxQueued`,
    { retryable: true, details: { reason: "queue-full", retryAfterMs: waitOf(sites, queued) } },
  );
}

/** It waited as long as it may. */
export function overloaded(lane: Lane, waitMs: number, now: number): BosunError {
  const { sites, deployment } = lane;
  return new BosunError(
    "model/overloaded",
    `"${deployment.name}" had no room within ${waitMs} ms (queueMs): ${told(sites, now)}. Send less at once, add an endpoint, or raise timeouts.queueMs`,
    { retryable: true, details: { reason: "queue-time", retryAfterMs: waitOf(sites, 1) } },
  );
}

/** None of a lane's endpoints works at present. */
export function isDown({ sites }: Lane, now: number): boolean {
  return sites.every(({ state }) => state.guard.state(now).circuit === "open");
}

/** For a call that need not wait for them. */
export function circuitOpen({ deployment, sites }: Lane, now: number): BosunError {
  return new BosunError(
    "model/unreachable",
    `"${deployment.name}" has failed too often lately and is left alone for a while: ${told(sites, now)}`,
    { retryable: true, details: { reason: "circuit-open" } },
  );
}

/** Why nothing is free, in a few words. */
export function told(sites: readonly Site[], now: number): string {
  const said = sites.slice(0, 8).map(({ endpoint, state: { ledger, guard, isKnown } }) => {
    if (!isKnown) return `${endpoint.name} is asked what it holds`;
    const { inFlight, reservedTokens, bounds } = ledger;
    const calls = `${endpoint.name} has ${inFlight} in flight`;
    const tokens =
      bounds.kvTokens === Infinity
        ? ""
        : `, ${Math.round(reservedTokens)} of ${Math.round(bounds.kvTokens)} KV tokens reserved`;
    const { circuit, trouble, limit } = guard.state(now);
    const isOpen = circuit === "closed" ? "" : `, its circuit is ${circuit}`;
    const held = trouble === undefined ? "" : `, at most ${limit} at once since it was ${trouble}`;
    return calls + tokens + held + isOpen;
  });
  const more = sites.length > 8 ? `; and ${sites.length - 8} more endpoints` : "";
  return said.join("; ") + more;
}

/** Milliseconds until so many calls have gone: as many at once as are in flight now, each as long as they take lately. */
function waitOf(sites: readonly Site[], queued: number): number {
  const inFlight = sites.reduce((sum, { state }) => sum + state.ledger.inFlight, 0);
  const callMs = Math.max(1_000, ...sites.map(({ state }) => state.speed.callMs ?? 0));
  return Math.round(Math.min(600_000, (callMs * queued) / Math.max(1, inFlight)));
}
