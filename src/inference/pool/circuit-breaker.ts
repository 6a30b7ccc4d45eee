// Whether an endpoint that fails is called at all. Pure: the time comes in.
//
// closed ──5 failures in a row──▶ open ──30 s──▶ half-open ──2 probes in a row go well──▶ closed
//                                  ▲                │ one at a time
//                                  └──a probe fails─┘
//
// Each state has an epoch. A call belongs to the epoch in which it started, and its outcome counts in that epoch only: a hundred
// calls that were in flight when the circuit opened neither close it nor open it again.
//
// Invariants: C-B1 at most one probe is in flight; C-B2 an outcome of an earlier epoch changes nothing.

import { type BosunError, type ErrorCode, detailOf } from "../../error.ts";

export type CircuitState = "closed" | "open" | "half-open";

export interface CircuitBreaker {
  /** Whether a call may start. Changes nothing: a router asks for every candidate. */
  allows(now: number): boolean;
  /** Says that a call starts; what comes back is handed in with its outcome. */
  onStart(now: number): number;
  onSuccess(epoch: number): void;
  onFailure(epoch: number, now: number): void;
  /** The call ended and says nothing about the endpoint: cancelled, or refused for what it asks. */
  onNeither(epoch: number): void;
  state(now: number): CircuitState;
  /** When it is half-open; undefined unless it is open. */
  reopensAt(now: number): number | undefined;
}

export type CircuitOptions = {
  /** Failures in a row that open it. Default 5. */
  readonly failures?: number | undefined;
  /** Default 30,000. */
  readonly openMs?: number | undefined;
  /** Probes in a row that close it. Default 2. */
  readonly successes?: number | undefined;
};

export function createCircuitBreaker(options: CircuitOptions = {}): CircuitBreaker {
  const { failures = 5, openMs = 30_000, successes = 2 } = options;
  let epoch = 0;
  /** Failures in a row while it is closed, probes that went well otherwise. */
  let inRow = 0;
  let openUntil: number | undefined;
  let isProbing = false;
  const enter = (until: number | undefined): void => {
    epoch++;
    inRow = 0;
    isProbing = false;
    openUntil = until;
  };
  const isOpen = (now: number): boolean => openUntil !== undefined && now < openUntil;
  return {
    allows: (now) => openUntil === undefined || (now >= openUntil && !isProbing),
    onStart(now) {
      // One that starts although it may not is of no epoch: its outcome says nothing.
      if (isOpen(now) || isProbing) return -1;
      isProbing = openUntil !== undefined;
      return epoch;
    },
    onSuccess(of) {
      if (of !== epoch) return; // C-B2
      if (openUntil === undefined) inRow = 0;
      else if (++inRow >= successes) enter(undefined);
      isProbing = false;
    },
    onFailure(of, now) {
      if (of !== epoch) return; // C-B2
      if (openUntil !== undefined || ++inRow >= failures) enter(now + openMs);
    },
    onNeither(of) {
      if (of === epoch) isProbing = false;
    },
    state(now) {
      if (openUntil === undefined) return "closed";
      return isOpen(now) ? "open" : "half-open";
    },
    reopensAt: (now) => (isOpen(now) ? openUntil : undefined),
  };
}

const OF_THE_ENDPOINT: ReadonlySet<ErrorCode> = new Set([
  "model/unreachable",
  "model/server",
  "model/timed-out",
  "model/cut",
  "model/out-of-memory",
  "worker/out-of-memory",
]);

/**
 * Whether a failure says that the endpoint does not work: no answer, 5xx. Not what it refuses for the call's sake (4xx), not 429, and
 * not a 503 that says when to come back, as that endpoint works and has too much to do.
 */
export function isEndpointFailure(error: BosunError): boolean {
  if (detailOf(error, "stale") === true) return false; // the socket's fault
  if (error.code === "model/overloaded") return detailOf(error, "retryAfterMs") === undefined;
  return OF_THE_ENDPOINT.has(error.code);
}
