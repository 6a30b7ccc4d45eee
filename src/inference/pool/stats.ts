// What a pool shows of itself: for tests, tables, /metrics.

import type { Admission } from "./admission.ts";
import type { EndpointState } from "./endpoint-state.ts";
import type { Gauges } from "./probe.ts";

/** One endpoint as the pool sees it now. */
export type EndpointStats = {
  readonly name: string;
  readonly inFlight: number;
  /** Tokens that its calls in flight have reserved of its KV cache, and how many it has for us; Infinity = not known. */
  readonly reservedTokens: number;
  /** Most of them that will be held at once, as far as expected: what M2 bounds. */
  readonly peakTokens: number;
  readonly kvTokens: number;
  /** Prompt tokens that were sent and have not brought a token yet. */
  readonly prefillTokens: number;
  /** Calls that may be in flight now; Infinity = no bound. */
  readonly limit: number;
  readonly circuit: "closed" | "open" | "half-open";
  readonly gauges: Gauges | undefined;
};

/** Counters count from the pool's start. */
export type PoolStats = {
  readonly queued: number;
  readonly admitted: number;
  /** Calls that were not admitted in time, or found the queue full. */
  readonly refused: number;
  readonly retries: number;
  readonly hedges: number;
  readonly endpoints: readonly EndpointStats[];
};

export function toStats(at: {
  readonly admission: Admission;
  readonly retries: number;
  readonly hedges: number;
  readonly now: number;
  readonly states: Iterable<EndpointState>;
}): PoolStats {
  const { queued, admitted, refused } = at.admission;
  const endpoints = [...at.states].map(({ name, ledger, speed, guard, gauges }) => ({
    name,
    inFlight: ledger.inFlight,
    reservedTokens: ledger.reservedTokens,
    peakTokens: ledger.peakTokens({
      now: at.now,
      interTokenMs: speed.decodeMs(1, ledger.inFlight),
    }),
    kvTokens: ledger.bounds.kvTokens,
    prefillTokens: ledger.prefillTokens,
    limit: guard.state(at.now).limit,
    circuit: guard.state(at.now).circuit,
    gauges,
  }));
  return { queued, admitted, refused, retries: at.retries, hedges: at.hedges, endpoints };
}
