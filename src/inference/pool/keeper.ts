// Keeper: wakes one endpoint when the first wish for it is due, and keeps its worker from leaving as long as a due wish stands.
//
// It is asked something when it was asked nothing for two fifths of its idle time: a worker leaves after the whole. A call counts.
//
// Invariants: K1 it is asked only while a wish stands, and no more often than its idle time needs; K2 a wish ends when it is disposed, when
// the endpoint has had no call for keptAwakeMs since the wish was due, when it cannot be asked or woken MAX_FAULTS times in a row, or at close; K3 what does not leave by
// itself is woken once and not kept.

import type { Clock, Timer } from "../../clock.ts";
import type { Sleeper } from "./sleeper.ts";
import type { Waker } from "./wake.ts";

export interface Keeper {
  /** A wish that stands until it is disposed, or ends by itself (K2). Nobody needs the endpoint before `dueAt`. */
  add(dueAt: number): Disposable;
  /** A call there was answered. */
  noteCalled(): void;
  close(): void;
}

export type KeeperOptions = {
  readonly name: string;
  readonly clock: Clock;
  readonly waker: Pick<Waker, "ensureAwake" | "keepAwake">;
  /** Undefined when its server has gone. */
  readonly sleeper: () => Sleeper | undefined;
  /** Told once, when the last wish has ended; then it is of no more use. */
  readonly onIdle: () => void;
};

/** It is asked again after this part of its idle time: one request may fail, and the next is still in time. */
const ASK_AGAIN = 0.4;
/** A provider's page fails now and then; whoever fails so often in a row is left to the calls, which say what is wrong. */
const MAX_FAULTS = 3;

export function createKeeper(options: KeeperOptions): Keeper {
  return new EndpointKeeper(options);
}

type Standing = Disposable & { readonly dueAt: number; isServed: boolean };

class EndpointKeeper implements Keeper {
  readonly #options: KeeperOptions;
  readonly #standing = new Set<Standing>();
  /** Aborts when no wish stands any more. */
  readonly #controller = new AbortController();
  readonly #timer: Timer;
  #calledAt = -Infinity;
  #askedAt = -Infinity;
  #faults = 0;
  #isInTurn = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#timer = options.clock.timer(0, () => void this.#turn());
  }

  add(dueAt: number): Disposable {
    const standing: Standing = {
      dueAt,
      isServed: false,
      [Symbol.dispose]: () => this.#end(standing),
    };
    this.#standing.add(standing);
    if (!this.#isInTurn) this.#timer.restart(0); // a turn that runs looks at all of them when it ends
    return standing;
  }

  noteCalled(): void {
    this.#calledAt = this.#options.clock.now();
  }

  close(): void {
    for (const standing of this.#standing) this.#end(standing);
  }

  #end(standing: Standing): void {
    if (!this.#standing.delete(standing) || this.#standing.size > 0) return;
    this.#timer[Symbol.dispose]();
    this.#controller.abort();
    this.#options.onIdle();
  }

  /** After it, what is due is awake, or has ended; then the time of the next turn. */
  async #turn(): Promise<void> {
    const { clock } = this.#options;
    this.#isInTurn = true;
    try {
      const sleeper = this.#options.sleeper();
      if (sleeper === undefined) return this.close();
      await this.#attend(sleeper);
      const now = clock.now();
      for (const one of this.#standing) if (this.#isOver(one, sleeper)) this.#end(one);
      const times = [...this.#standing].map(({ dueAt }) =>
        dueAt > now ? dueAt : Math.max(now, this.#askAgainAt(sleeper)),
      );
      if (times.length > 0) this.#timer.restart(Math.min(...times) - now);
    } finally {
      this.#isInTurn = false;
    }
  }

  /** Serves it; an error counts as asked, and the last of MAX_FAULTS ends all wishes. */
  async #attend(sleeper: Sleeper): Promise<void> {
    try {
      await this.#serve(sleeper);
      this.#faults = 0;
    } catch {
      this.#faults++; // the call that comes meets what is wrong
      this.#askedAt = this.#options.clock.now();
      if (this.#faults >= MAX_FAULTS || sleeper.idle === undefined) this.close();
    }
  }

  /** @throws BosunError when it cannot be woken; what its probe throws. */
  async #serve(sleeper: Sleeper): Promise<void> {
    const { name, clock, waker } = this.#options;
    const now = clock.now();
    const due = [...this.#standing].filter(({ dueAt }) => dueAt <= now);
    if (sleeper.isBusy()) this.#calledAt = now;
    else if (due.length > 0 && now >= this.#askAgainAt(sleeper)) {
      const { signal } = this.#controller;
      await (sleeper.idle ? waker.keepAwake(name, signal) : waker.ensureAwake(name, signal));
      this.#askedAt = clock.now();
    }
    for (const one of due) one.isServed = true;
  }

  #isOver({ dueAt, isServed }: Standing, { idle }: Sleeper): boolean {
    const endsAt = Math.max(dueAt, this.#calledAt) + (idle?.keptAwakeMs ?? 0);
    return isServed && this.#options.clock.now() >= endsAt;
  }

  #askAgainAt({ idle }: Sleeper): number {
    return Math.max(this.#calledAt, this.#askedAt) + ASK_AGAIN * (idle?.leavesAfterMs ?? 0);
  }
}
