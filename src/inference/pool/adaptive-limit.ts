// How many calls an endpoint takes at once, learned from its troubles: additive increase, multiplicative decrease. Pure.
//
// Why AIMD and not a latency gradient (Netflix concurrency-limits' Vegas and Gradient2): time to first token depends on the prompt
// first and on the queue second, so a gradient of it reads a long prompt as a queue. The troubles below are told by the server and
// mean one thing. The rest is TCP's: half at a loss, one more per round trip, and losses of what was sent before the last decrease
// belong to the same event (NewReno's "recover", RFC 6582). Growth needs a limit that is in use, or an idle hour would raise it to
// where it means nothing (RFC 7661); "in use" is Netflix' AIMDLimit's: at least half of it in flight.
//
// A preemption or a queue fails no call. It is a mark as ECN's, not a loss: once the limit has come up from below to where it is
// seen, it is near what fits, and falls to 0.8 only (RFC 8511). Measured on the twin, a cache for eleven calls, 40 at once, 200 in all
// (guard-twin.test.ts): 230 preemptions and 75 s without a limit, 52 and 98 s with halves only, 55 and 86 s with this.
//
// Not TCP's: there is no limit before the first trouble, as the ledger bounds calls by what is known of the endpoint, and a slow
// start would cost the first crews their width. There is none again once twice of what was ever in trouble goes well.
//
// Invariants: N1 limit ≥ 1; N2 a call that started before the last decrease never decreases it again; N3 without trouble it never
// falls, without success it never rises.

import type { Gauges } from "./probe.ts";

/** What shows that an endpoint has too much to do. */
export type Trouble =
  | "out-of-memory"
  | "preemption"
  | "rate-limited"
  | "overloaded"
  /** Calls wait in the endpoint's own queue. */
  | "queue-time";

/** When a trouble was seen. `startedAt` = when the call, or the look at gauges, began; `inFlight` counts the call itself. */
export type TroubleSight = {
  readonly now: number;
  readonly startedAt: number;
  readonly inFlight: number;
};

export interface AdaptiveLimit {
  /** Calls that may be in flight; Infinity until there was trouble. */
  readonly limit: number;
  /** What lowered it last; undefined while there is no limit. */
  readonly cause: Trouble | undefined;
  /** True when it is lower now; false when the trouble belongs to an earlier decrease. */
  onTrouble(trouble: Trouble, seen: TroubleSight): boolean;
  /** @param inFlight calls in flight, the one that succeeds included. */
  onSuccess(inFlight: number): void;
  /** Looks for trouble in what an endpoint shows of itself: preemptions that grow, a queue that rises. */
  observeGauges(before: Gauges, after: Gauges, inFlight: number): Trouble | undefined;
}

export type AdaptiveLimitOptions = {
  /** What a trouble leaves, 0 to 1. Default 0.5. */
  readonly decrease?: number | undefined;
  /** What a preemption or a queue leaves when the limit has risen before it. Default 0.8. */
  readonly markDecrease?: number | undefined;
  /** Requests that may wait at the endpoint without being a trouble. Default 2, as many as the pool leaves there. */
  readonly maxWaiting?: number | undefined;
};

/** These fail no call: they say that it is about too much. */
const MARKS: ReadonlySet<Trouble> = new Set(["preemption", "queue-time"]);

export function createAdaptiveLimit(options: AdaptiveLimitOptions = {}): AdaptiveLimit {
  const { decrease = 0.5, markDecrease = 0.8, maxWaiting = 2 } = options;
  let limit = Infinity;
  let cause: Trouble | undefined;
  let loweredAt = -Infinity;
  /** Most calls in flight at any trouble since there is a limit. */
  let peak = 0;
  /** Where the last decrease came to: above it, it has risen since. */
  let lowest = Infinity;
  /** What was sent before the last decrease has ended, and so the next look shows what came of it. */
  let isSettled = true;
  const onTrouble = (trouble: Trouble, { now, startedAt, inFlight }: TroubleSight): boolean => {
    if (startedAt <= loweredAt) return false; // N2
    peak = Math.max(peak, inFlight);
    const isNear = limit !== Infinity && limit >= lowest + 1 && MARKS.has(trouble);
    limit = Math.max(1, Math.floor(Math.min(inFlight, limit) * (isNear ? markDecrease : decrease))); // N1
    lowest = limit;
    cause = trouble;
    loweredAt = now;
    isSettled = false;
    return true;
  };
  return {
    get limit() {
      return Math.floor(limit);
    },
    get cause() {
      return cause;
    },
    onTrouble,
    onSuccess(inFlight) {
      if (limit === Infinity || inFlight * 2 < limit) return;
      limit += 1 / limit; // `limit` successes are about one round trip
      if (limit <= Math.max(2, peak * 2)) return;
      limit = Infinity;
      peak = 0;
      lowest = Infinity;
      cause = undefined;
    },
    observeGauges(before, after, inFlight) {
      // Until then the gauges show the trouble that was acted upon; the look in which it ends began before. Without this a cache
      // for eleven calls came down from 40 to 3.
      const wasSettled = isSettled;
      isSettled = inFlight <= limit;
      if (!wasSettled || !isSettled) return undefined;
      const trouble = troubleIn(before, after, { maxWaiting, inFlight });
      if (trouble === undefined) return undefined;
      const seen = { now: after.at, startedAt: before.at, inFlight: Math.max(1, inFlight) };
      return onTrouble(trouble, seen) ? trouble : undefined;
    },
  };
}

/**
 * Of so many calls in flight one may be preempted between two looks: the ledger expects answers and is wrong now and then, and a limit that
 * falls for each costs more than they do (5 % of throughput in bench/pool). A KV cache that thrashes preempts several a second.
 */
const CALLS_PER_PREEMPTION = 8;

/** A counter that fell is an engine that was started anew: it says nothing. */
function troubleIn(
  before: Gauges,
  after: Gauges,
  { maxWaiting, inFlight }: { readonly maxWaiting: number; readonly inFlight: number },
): Trouble | undefined {
  const preempted = riseOf(before.preemptions, after.preemptions);
  if (preempted > 0 && preempted * CALLS_PER_PREEMPTION >= inFlight) return "preemption";
  // Seen twice: calls that are let in together wait for the next step together, which is no queue.
  const waited = before.waiting ?? 0;
  return waited > maxWaiting && riseOf(waited, after.waiting) > 0 ? "queue-time" : undefined;
}

function riseOf(before: number | undefined, after: number | undefined): number {
  return before !== undefined && after !== undefined ? after - before : 0;
}
