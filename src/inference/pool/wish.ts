// Wishes: endpoints that calls will come to, woken in time and kept awake until the calls come.
//
// A worker that nobody asks leaves after its provider's idle time, by Runpod's default after 5 s: one that is woken when the task
// before begins has gone again when its own begins, and one leaves between two calls of an agent whose tool takes longer. So a wish
// stands: from a task's start to its end, for its own model and for the next task's. One keeper an endpoint serves all wishes for it.
//
// What calls wait for (a task) has a name, and how long it took is learned: then waking begins later. Kept awake is paid for, woken too
// late is waited for; so it begins by the longest of the newest wake-ups before the shortest of the newest waits, with room for worse.

import type { Clock } from "../../clock.ts";
import { createDurations, type Durations } from "./duration.ts";
import { createKeeper, type Keeper } from "./keeper.ts";
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

/** Most wishes whose signals have not aborted; further ones are left out, and their calls wake. */
const MAX_WISHES = 10_000;
/** Waits of one name before they are relied on. */
const ENOUGH_WAITS = 3;
/** The next wait is mostly no shorter than this part of the shortest, the next wake-up no longer than this times the longest. */
const WAIT_MARGIN = 0.8;
const WAKE_MARGIN = 1.2;

export function createWishes(options: WishOptions): Wishes {
  const { clock, waker, sleeperOf } = options;
  const waits = createDurations();
  const keepers = new Map<string, Keeper>();
  let count = 0;
  const keeperOf = (name: string): Keeper => {
    const found = keepers.get(name);
    if (found) return found;
    const onIdle = (): void => void keepers.delete(name);
    const sleeper = (): Sleeper | undefined => sleeperOf(name);
    const keeper = createKeeper({ name, clock, waker, sleeper, onIdle });
    keepers.set(name, keeper);
    return keeper;
  };
  return {
    add(name, { after, signal }) {
      if (signal.aborted || count >= MAX_WISHES || sleeperOf(name) === undefined) return;
      const now = clock.now();
      const wait = after === undefined ? undefined : `${name} ${after}`;
      const standing = keeperOf(name).add(now + delayMs(wait, waits, waker.longestWakeMs(name)));
      count++;
      const onEnd = (): void => {
        count--;
        if (wait !== undefined) waits.note(wait, clock.now() - now);
        standing[Symbol.dispose]();
      };
      signal.addEventListener("abort", onEnd, { once: true });
    },
    noteCalled: (name) => keepers.get(name)?.noteCalled(),
    close() {
      for (const keeper of keepers.values()) keeper.close();
    },
  };
}

/** How much later than now waking begins; 0 while too little is known. */
function delayMs(wait: string | undefined, waits: Durations, wakeMs: number | undefined): number {
  const waitMs = wait === undefined ? undefined : waits.shortest(wait, ENOUGH_WAITS);
  if (waitMs === undefined || wakeMs === undefined) return 0;
  return Math.max(0, waitMs * WAIT_MARGIN - wakeMs * WAKE_MARGIN);
}
