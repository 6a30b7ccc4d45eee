// The longest time of a step, for all steps of a root run: one timer, however many steps are under way.
//
// A timer and a listener for each step took a fifth of the CPU of an engine in rows of steps, a third in fans.

import type { Clock, Timer } from "../../clock.ts";

/** What has begun, and ends by itself or is told that its time is over. `expire` must not throw. */
export interface Limited {
  expire(): void;
}

export class StepLimit {
  /** Infinity: no limit. */
  readonly ms: number;
  readonly #clock: Clock;
  /** When each began, in that order, which is also the order in which their times are over. */
  readonly #begun = new Map<Limited, number>();
  #timer: Timer | undefined;

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.ms = ms;
  }

  begin(one: Limited): void {
    this.#begun.set(one, this.#clock.now());
    this.#timer ??= this.#clock.timer(this.ms, this.#expire);
  }

  end(one: Limited): void {
    this.#begun.delete(one);
    if (this.#begun.size > 0) return; // the timer of one that has ended is that of the next one, only too early
    this.#timer?.[Symbol.dispose](); // it would keep a process alive, and move a virtual clock
    this.#timer = undefined;
  }

  readonly #expire = (): void => {
    this.#timer = undefined;
    const now = this.#clock.now();
    for (const [one, at] of this.#begun) {
      if (at + this.ms > now) {
        this.#timer ??= this.#clock.timer(at + this.ms - now, this.#expire);
        return;
      }
      this.#begun.delete(one);
      one.expire();
    }
  };
}
