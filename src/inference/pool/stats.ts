// What a pool shows of itself: for tests, tables, /metrics.

import type { Gauges } from "./probe.ts";

/** One endpoint as the pool sees it now. */
export type EndpointStats = {
  readonly name: string;
  readonly inFlight: number;
  /** Tokens that its calls in flight have reserved of its KV cache, and how many it has for us; Infinity = not known. */
  readonly reservedTokens: number;
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
