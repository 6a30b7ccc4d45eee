// Wishes: endpoints that calls will come to, woken in time and kept awake until the calls come.
//
// A worker that nobody asks leaves after its provider's idle time, by Runpod's default after 5 s: one that is woken when the task
// before begins has gone again when its own begins, and one leaves between two calls of an agent whose tool takes longer. So a wish
// stands: from a task's start to its end, for its own model and for the next task's. One loop an endpoint serves all wishes for it.
//
// What calls wait for (a task) has a name, and how long it took is learned: then waking begins later, by the longest of the newest
// wake-ups before the shortest of the newest waits. Kept awake is paid for, woken too late is waited for.
//
// Invariants: K1 an endpoint is asked only while a wish for it stands, and no more often than its idle time needs; K2 a wish ends by its
// signal, when the endpoint has had no call for keptAwakeMs since it was due, when it cannot be woken, or at close; K3 what does not
// leave by itself is woken once and not kept.

import type { Clock, Timer } from "../../clock.ts";
import { createDurations, type Durations } from "./duration.ts";
import type { Sleeper } from "./sleeper.ts";
import type { Waker } from "./wake.ts";

/** When calls come. */
export type Wish = {
  /** What they wait for, by a name that is the same in every run; undefined = nothing: they come now. */
  readonly after?: string | undefined;
  /** Aborts when they come no more, or what they waited for is over. */
  readonly signal: AbortSignal;
};

export interface Wishes {
  /** Returns at once; never throws. */
  add(name: string, wish: Wish): void;
  /** A call there was answered. */
  noteCalled(name: string): void;
  close(): void;
}

export type WishOptions = {
  readonly clock: Clock;
  readonly waker: Pick<Waker, "ensureAwake" | "keepAwake" | "longestWakeMs">;
  /** Undefined for an endpoint that never sleeps, or that nobody can ask. */
  readonly sleeperOf: (name: string) => Sleeper | undefined;
};

/** Most wishes that stand at once; further ones are left out, and their calls wake. */
const MAX_WISHES = 10_000;
/** Waits of one name before they are relied on. */
const ENOUGH_WAITS = 3;
/** The next wait is mostly no shorter than this part of the shortest of the newest, the next wake-up no longer than this times the longest. */
const WAIT_MARGIN = 0.8;
const WAKE_MARGIN = 1.2;
/** A worker is asked again after this part of its idle time. */
const ASK_AGAIN = 0.5;

export function createWishes(options: WishOptions): Wishes {
  const { clock, sleeperOf } = options;
  const waits = createDurations();
  const kept = new Map<string, Keeping>();
  let count = 0;

  const end = (keeping: Keeping, standing: Standing): void => {
    if (!keeping.standing.delete(standing)) return;
    count--;
    if (keeping.standing.size > 0) return;
    if (kept.get(keeping.name) === keeping) kept.delete(keeping.name);
    keeping.timer[Symbol.dispose]();
    keeping.controller.abort();
  };
  const endAll = (keeping: Keeping): void => {
    for (const standing of keeping.standing) end(keeping, standing);
  };
  /** One turn: what is due is awake after it; then the time of the next. */
  const turn = async (keeping: Keeping): Promise<void> => {
    if (keeping.isInTurn) return;
    keeping.isInTurn = true;
    try {
      const sleeper = sleeperOf(keeping.name);
      if (sleeper === undefined) return endAll(keeping); // its server has gone
      await serve(keeping, sleeper, options);
      for (const one of keeping.standing)
        if (isOver(one, keeping, sleeper, clock.now())) end(keeping, one);
      const nextAt = nextTurnAt(keeping, sleeper, clock.now());
      if (nextAt < Infinity) keeping.timer.restart(nextAt - clock.now());
    } catch {
      endAll(keeping); // the call that comes meets what is wrong
    } finally {
      keeping.isInTurn = false;
    }
  };
  const keepingOf = (name: string): Keeping => {
    const found = kept.get(name);
    if (found) return found;
    const timer = clock.timer(0, () => void turn(keeping));
    const controller = new AbortController();
    const seen = { calledAt: -Infinity, askedAt: -Infinity };
    const keeping = {
      name,
      standing: new Set<Standing>(),
      timer,
      controller,
      ...seen,
      isInTurn: false,
    };
    kept.set(name, keeping);
    return keeping;
  };
  return {
    add(name, { after, signal }) {
      if (signal.aborted || count >= MAX_WISHES || sleeperOf(name) === undefined) return;
      const now = clock.now();
      const standing = {
        dueAt: now + delayMs(name, after, { ...options, waits }),
        isServed: false,
      };
      const keeping = keepingOf(name);
      keeping.standing.add(standing);
      count++;
      const onEnd = (): void => {
        if (after !== undefined) waits.note(`${name} ${after}`, clock.now() - now);
        end(keeping, standing);
      };
      signal.addEventListener("abort", onEnd, { once: true });
      if (!keeping.isInTurn) keeping.timer.restart(0);
    },
    noteCalled(name) {
      const keeping = kept.get(name);
      if (keeping) keeping.calledAt = clock.now();
    },
    close() {
      for (const keeping of kept.values()) endAll(keeping);
    },
  };
}

/** A wish that stands. */
type Standing = {
  /** Before, nobody needs the endpoint. */
  readonly dueAt: number;
  /** It was awake once since. */
  isServed: boolean;
};

/** The wishes for one endpoint, and when it was asked something last: by a call, and for them. */
type Keeping = {
  readonly name: string;
  readonly standing: Set<Standing>;
  readonly timer: Timer;
  /** Aborts when no wish stands any more. */
  readonly controller: AbortController;
  calledAt: number;
  askedAt: number;
  isInTurn: boolean;
};

/** How much later than now waking begins; 0 while too little is known. */
function delayMs(
  name: string,
  after: string | undefined,
  { waker, waits }: Pick<WishOptions, "waker"> & { readonly waits: Durations },
): number {
  const waitMs = after === undefined ? undefined : waits.shortest(`${name} ${after}`, ENOUGH_WAITS);
  const wakeMs = waker.longestWakeMs(name);
  if (waitMs === undefined || wakeMs === undefined) return 0;
  return Math.max(0, waitMs * WAIT_MARGIN - wakeMs * WAKE_MARGIN);
}

/** Asks an endpoint that is due, unless it has been asked something lately. @throws BosunError when it cannot be woken. */
async function serve(
  keeping: Keeping,
  { idle, isBusy }: Sleeper,
  { clock, waker }: WishOptions,
): Promise<void> {
  const { name, standing, controller } = keeping;
  const now = clock.now();
  const due = [...standing].filter(({ dueAt }) => dueAt <= now);
  if (isBusy()) keeping.calledAt = now;
  else if (due.length > 0 && now >= askAgainAt(keeping, idle)) {
    if (idle === undefined) await waker.ensureAwake(name, controller.signal);
    else await waker.keepAwake(name, controller.signal);
    keeping.askedAt = clock.now();
  }
  for (const one of due) one.isServed = true;
}

function isOver(
  { dueAt, isServed }: Standing,
  { calledAt }: Keeping,
  { idle }: Sleeper,
  now: number,
): boolean {
  return isServed && now >= Math.max(dueAt, calledAt) + (idle?.keptAwakeMs ?? 0);
}

/** The time of the next turn; Infinity when no wish stands. */
function nextTurnAt(keeping: Keeping, { idle }: Sleeper, now: number): number {
  const times = [...keeping.standing].map(({ dueAt }) =>
    dueAt > now ? dueAt : Math.max(now, askAgainAt(keeping, idle)),
  );
  return Math.min(Infinity, ...times);
}

function askAgainAt({ calledAt, askedAt }: Keeping, idle: Sleeper["idle"]): number {
  return Math.max(calledAt, askedAt) + ASK_AGAIN * (idle?.leavesAfterMs ?? 0);
}
