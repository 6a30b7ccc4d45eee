// Hedging: a call that is late to its first token gets a second one at another endpoint, and whoever is first answers.
//
// Dean and Barroso, "The Tail at Scale" (2013): a second request after the 95th percentile costs 5 % and cuts the tail. Only a first
// token decides: from then on the answer comes at the pace of its engine, and starting anew would throw work away.
//
// A model call changes nothing, so that it may always be made twice; it costs twice, though, hence the budget, and hence only where a
// deployment asks for it. Not hedged: a call with tools, as an answer of tool calls shows no token before its end; a call that is no
// stream, for the same reason; any call while others wait, as it would take their place.
//
// Invariants: H-G1 hedges ≤ share × calls at any time; H-G2 at most two calls run, and when hedged() ends none does; H-G3 exactly one
// of them is answered from, from its first token to its end.

import type { Clock } from "../../clock.ts";
import { BosunError } from "../../error.ts";
import type { ModelEvent, ModelRequest } from "../model/model.ts";

/** When one deployment hedges: what its first tokens took, and how many second calls are left. */
export interface HedgeBudget {
  /** A call starts, hedged or not. */
  onCall(): void;
  /** A first token came `ms` after its call was sent. */
  onFirstToken(ms: number): void;
  /** The 95th percentile of the newest first tokens; undefined while too few are known. */
  lateMs(): number | undefined;
  /** Takes one second call; false when none is left. */
  spend(): boolean;
}

/** First tokens that are remembered, and those that must be known. */
const SAMPLES = 128;
const MIN_SAMPLES = 20;
const LATE = 0.95;
/** Second calls that a quiet time may save up. */
const BURST = 10;
/** The percentile is sorted anew once in this many samples. */
const EVERY = 16;

/** @param share second calls that one call earns. Default 0.05; nothing is there before. */
export function createHedgeBudget(share = 0.05): HedgeBudget {
  const samples: number[] = [];
  let next = 0;
  let sinceSort = 0;
  let late: number | undefined;
  let left = 0;
  return {
    onCall: () => void (left = Math.min(BURST, left + share)),
    onFirstToken(ms) {
      samples[next] = ms;
      next = (next + 1) % SAMPLES;
      if (samples.length < MIN_SAMPLES || ++sinceSort < EVERY) return;
      sinceSort = 0;
      late = samples.toSorted((a, b) => a - b)[Math.floor(samples.length * LATE)];
    },
    lateMs: () => late,
    spend() {
      // Twenty times 0.05 is not quite 1 in binary.
      if (left < 1 - 1e-9) return false;
      left = Math.max(0, left - 1);
      return true;
    },
  };
}

export type HedgePlan =
  | { readonly type: "hedge"; readonly afterMs: number }
  | {
      readonly type: "single";
      readonly reason: "off" | "alone" | "busy" | "no-token" | "unknown";
    };

/** What is known when a call is sent. */
export type HedgeCase = {
  /** What the deployment asks for. */
  readonly isOn: boolean;
  readonly request: Pick<ModelRequest, "tools" | "stream">;
  /** Other endpoints that could take it now. */
  readonly others: number;
  /** Calls that wait for admission. */
  readonly queued: number;
};

/** Whether a second call may follow, and when. Spends nothing: the budget is asked when it is due. */
export function planHedge(it: HedgeCase, budget: Pick<HedgeBudget, "lateMs">): HedgePlan {
  if (!it.isOn) return { type: "single", reason: "off" };
  if (it.others < 1) return { type: "single", reason: "alone" };
  if (it.queued > 0) return { type: "single", reason: "busy" };
  if ((it.request.tools?.length ?? 0) > 0 || it.request.stream === false)
    return { type: "single", reason: "no-token" };
  const afterMs = budget.lateMs();
  return afterMs === undefined ? { type: "single", reason: "unknown" } : { type: "hedge", afterMs };
}

/**
 * The request with its deltas watched until the first of them: who leaves deltas out for want of a reader would look late.
 * @param hasToken whether one has come.
 */
export function withFirstToken(request: ModelRequest, hasToken: () => boolean): ModelRequest {
  const { isWatched } = request.hints;
  if (isWatched === undefined) return request;
  return { ...request, hints: { ...request.hints, isWatched: () => !hasToken() || isWatched() } };
}

export type Hedge = {
  readonly clock: Clock;
  readonly afterMs: number;
  readonly signal: AbortSignal;
  /** One attempt at one endpoint. Aborting its signal must end it. */
  readonly first: (signal: AbortSignal) => AsyncIterable<ModelEvent>;
  /** Asked when the first is late: the other attempt, or undefined when there is none now, for want of budget or of a free endpoint. */
  readonly second: () => ((signal: AbortSignal) => AsyncIterable<ModelEvent>) | undefined;
};

/**
 * The events of the attempt that gives the first token. When one fails before, the other goes on alone; the error of the first is
 * thrown when both do. What the second does before its token is not told, except its start once it has won.
 */
export async function* hedged(hedge: Hedge): AsyncGenerator<ModelEvent> {
  const runners = [run(hedge.first, hedge.signal)];
  try {
    const winner = yield* race(hedge, runners);
    yield* winner.rest();
  } finally {
    for (const runner of runners) runner.stop(); // H-G2
  }
}

/** The events up to the first token, and whose it is. */
async function* race(hedge: Hedge, runners: Runner[]): AsyncGenerator<ModelEvent, Runner> {
  using alarm = createAlarm(hedge.clock, hedge.afterMs);
  for (;;) {
    const live = runners.filter((one) => !one.isOver());
    if (live.length === 0) throw runners[0]?.failure();
    const seen = await Promise.race([...live.map((one) => one.peek()), ...alarm.armed()]);
    if (seen.type !== "event") {
      // Late or failed, it rings no more: a failure before the second call started is the pool's to repeat.
      alarm.disarm();
      const second = seen.type === "late" ? hedge.second() : undefined;
      if (second !== undefined) runners.push(run(second, hedge.signal));
      continue;
    }
    const { runner, event } = seen;
    const isFirst = runner === runners[0];
    runner.take(event);
    if (isToken(event)) {
      // Before it is told: whoever reads slowly would keep the loser's GPU busy.
      for (const one of runners) if (one !== runner) one.stop();
      if (!isFirst) yield* runner.starts();
      yield event;
      return runner;
    }
    if (isFirst) yield event;
  }
}

type Seen =
  | { readonly type: "event"; readonly runner: Runner; readonly event: ModelEvent }
  | { readonly type: "failed" }
  | { readonly type: "late" };

/** One attempt of the two. */
type Runner = {
  /** What it does next; the same until it is taken. Never rejects. */
  peek(): Promise<Seen>;
  /** Goes on after an event. */
  take(event: ModelEvent): void;
  /** The newest start that it told; at most one. */
  starts(): readonly ModelEvent[];
  /** It ended or failed. */
  isOver(): boolean;
  /** What it failed with. */
  failure(): unknown;
  /** The events that are left, after the first token. */
  rest(): AsyncGenerator<ModelEvent>;
  stop(): void;
};

function run(
  attempt: (signal: AbortSignal) => AsyncIterable<ModelEvent>,
  parent: AbortSignal,
): Runner {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(parent.reason);
  if (parent.aborted) onAbort();
  else parent.addEventListener("abort", onAbort, { once: true });
  const events = attempt(controller.signal)[Symbol.asyncIterator]();
  let pending: Promise<Seen> | undefined;
  let starts: readonly ModelEvent[] = [];
  let isOver = false;
  let failure: unknown;
  const failed = (error: unknown): Seen => {
    isOver = true;
    failure = error;
    return { type: "failed" };
  };
  const runner: Runner = {
    peek: () => (pending ??= events.next().then(read, failed)),
    take(event) {
      pending = undefined;
      if (event.type === "start") starts = [event];
      if (event.type === "end") isOver = true;
    },
    starts: () => starts,
    isOver: () => isOver,
    failure: () => failure,
    async *rest() {
      while (!isOver) {
        const { done, value } = await events.next();
        if (done) return;
        isOver = value.type === "end";
        yield value;
      }
    },
    stop() {
      parent.removeEventListener("abort", onAbort);
      if (controller.signal.aborted) return;
      // One that has told its end stands there still: what it holds is let go behind it.
      if (!isOver)
        controller.abort(new BosunError("model/cancelled", "another endpoint answered first"));
      // Not awaited, as the winner must not wait; what it throws on its way out is the abort.
      events.return?.().catch(() => undefined);
    },
  };
  const read = ({ done, value }: IteratorResult<ModelEvent>): Seen =>
    done
      ? failed(new BosunError("model/cut", "a model ended its events without an end"))
      : { type: "event", runner, event: value };
  return runner;
}

function isToken({ type }: ModelEvent): boolean {
  return type === "text-delta" || type === "reasoning-delta" || type === "end";
}

type Alarm = Disposable & { armed(): readonly Promise<Seen>[]; disarm(): void };

function createAlarm(clock: Clock, ms: number): Alarm {
  const rung = Promise.withResolvers<Seen>();
  const timer = clock.timer(ms, () => rung.resolve({ type: "late" }));
  let isArmed = true;
  const disarm = (): void => {
    isArmed = false;
    timer[Symbol.dispose]();
  };
  return { armed: () => (isArmed ? [rung.promise] : []), disarm, [Symbol.dispose]: disarm };
}
