// One endpoint's guard: what its calls, failures and gauges say about how much it takes, whether it works, and why it has no memory.
//
// Joins the adaptive limit, the circuit breaker and the memory watch. Holds no timer and waits
// for nothing: the pool asks `allows` before a call, opens a GuardedCall when it sends it, and closes it exactly once.
//
// Invariant: G-D1 every GuardedCall ends once, by onEnd, onFailure or onCancel; what comes after is ignored. A half-open circuit
// waits for its probe, so one that never ended would close the endpoint for good.

import { BosunError, detailOf, type ErrorCode } from "../../error.ts";
import { createAdaptiveLimit, type Trouble } from "./adaptive-limit.ts";
import { type CircuitState, createCircuitBreaker, isEndpointFailure } from "./circuit-breaker.ts";
import type { Load } from "./memory-fact.ts";
import { type MemoryReport, tellMemoryReport, toMemoryDetails } from "./memory-report.ts";
import { createMemoryWatch } from "./memory-watch.ts";
import type { Gauges } from "./probe.ts";

/** A call as it is sent. The load counts this call too. */
export type GuardedStart = Load & { readonly runId: string };

/** A call in flight; the pool keeps it and hands it back. */
export type GuardedCall = {
  readonly start: GuardedStart;
  readonly startedAt: number;
  readonly epoch: number;
  firstTokenAt: number | undefined;
  isEnded: boolean;
};

export type GuardState = {
  readonly circuit: CircuitState;
  /** Calls that may be in flight; Infinity = no bound. */
  readonly limit: number;
  /** What lowered the limit last. */
  readonly trouble: Trouble | undefined;
};

export interface EndpointGuard {
  /** Whether one more call may start beside `inFlight`. Changes nothing: ask for every candidate. */
  allows(now: number, inFlight: number): boolean;
  onStart(now: number, start: GuardedStart): GuardedCall;
  onFirstToken(call: GuardedCall, now: number): void;
  /** It ended well. @param inFlight calls in flight, this one included. */
  onEnd(call: GuardedCall, inFlight: number): void;
  /** It failed. The error to go on with: the same, or, when there was no memory, one with a MemoryReport. */
  onFailure(call: GuardedCall, error: BosunError, at: FailedAt): BosunError;
  /** It was given up for reasons that are not the endpoint's: aborted, or it lost a race. */
  onCancel(call: GuardedCall): void;
  /** What the endpoint shows of itself. The trouble that it shows, when it lowered the limit. */
  onGauges(gauges: Gauges, inFlight: number): Trouble | undefined;
  state(now: number): GuardState;
}

/** `inFlight` and `tokensInFlight` as they are now, the failed call included. */
export type FailedAt = {
  readonly now: number;
  readonly inFlight: number;
  readonly tokensInFlight: number;
};

export type EndpointGuardOptions = {
  /** Tokens of its KV cache; read when it is needed, as it may be found out late. */
  readonly kvTokens?: number | undefined;
};

export function createEndpointGuard(options: EndpointGuardOptions = {}): EndpointGuard {
  const limit = createAdaptiveLimit();
  const circuit = createCircuitBreaker();
  const memory = createMemoryWatch(options);
  let gauges: Gauges | undefined;
  return {
    allows: (now, inFlight) => inFlight < limit.limit && circuit.allows(now),
    onStart(now, start) {
      memory.onStart(start.runId, start.promptTokens);
      const epoch = circuit.onStart(now);
      return { start, startedAt: now, epoch, firstTokenAt: undefined, isEnded: false };
    },
    onFirstToken(call, now) {
      if (call.isEnded || call.firstTokenAt !== undefined) return;
      call.firstTokenAt = now;
    },
    onEnd(call, inFlight) {
      if (!end(call)) return;
      limit.onSuccess(inFlight);
      circuit.onSuccess(call.epoch);
      memory.onSuccess(call.start);
    },
    onFailure(call, error, { now, inFlight, tokensInFlight }) {
      if (!end(call)) return error;
      const isFault = isEndpointFailure(error);
      if (isFault) circuit.onFailure(call.epoch, now);
      else circuit.onNeither(call.epoch);
      const trouble = troubleOf(error.code, call);
      if (trouble !== undefined)
        limit.onTrouble(trouble, { now, startedAt: call.startedAt, inFlight });
      if (!isOutOfMemory(error.code)) return error;
      const { runId, promptTokens } = call.start;
      const load = { promptTokens, inFlight, tokensInFlight };
      const isTooLarge = detailOf(error, "isTooLarge") === true;
      return withReport(error, memory.report({ said: error.message, isTooLarge, runId, load }));
    },
    onCancel(call) {
      if (end(call)) circuit.onNeither(call.epoch);
    },
    onGauges(next, inFlight) {
      const before = gauges;
      gauges = next;
      return before && limit.observeGauges(before, next, inFlight);
    },
    state: (now) => ({
      circuit: circuit.state(now),
      limit: limit.limit,
      trouble: limit.cause,
    }),
  };
}

/** False when it has ended before. */
function end(call: GuardedCall): boolean {
  if (call.isEnded) return false;
  call.isEnded = true;
  return true;
}

function isOutOfMemory(code: ErrorCode): boolean {
  return code === "model/out-of-memory" || code === "worker/out-of-memory";
}

/** A call that times out before its first token has waited in the endpoint's queue; one after it was slow for itself. */
function troubleOf(code: ErrorCode, call: GuardedCall): Trouble | undefined {
  if (isOutOfMemory(code)) return "out-of-memory";
  if (code === "model/rate-limited") return "rate-limited";
  if (code === "model/overloaded") return "overloaded";
  return code === "model/timed-out" && call.firstTokenAt === undefined ? "queue-time" : undefined;
}

/** A first request fails the next time too: it is not repeated there. A fallback may still answer it. */
function withReport(error: BosunError, report: MemoryReport): BosunError {
  const retryable = error.retryable && report.pattern !== "first-request";
  const message = `${error.message.replace(/[.\s]+$/, "")}. ${tellMemoryReport(report)}`;
  const details = { ...error.details, memory: toMemoryDetails(report) };
  return new BosunError(error.code, message, { retryable, details, cause: error });
}
