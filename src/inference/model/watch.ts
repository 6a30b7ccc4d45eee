// The time-outs of one exchange: that of the phase it is in, and the one over all, on one timer.
//
// The timer is set anew only for what ends sooner than it does. Whatever ends later is looked at when it fires: a token, which
// only notes its time, costs half as much so, and a call sets its timer twice instead of five times.

import type { Clock, Timer } from "../../clock.ts";
import { BosunError } from "../../error.ts";

/** Where a call waits: a phase's time-out has its name. */
export type Phase = "queue" | "connect" | "first-token" | "inter-token" | "total";

export interface Watch {
  isOn(): boolean;
  /** Starts the wait of a phase. False when the exchange is over. */
  enter(phase: Phase): boolean;
  /** Stops the wait of the phase until the next `enter`. */
  pause(): void;
  /** True the first time: whoever gets it ends the exchange. */
  stop(): boolean;
}

type WatchOptions = {
  readonly clock: Clock;
  readonly timeouts: Readonly<Record<Phase, number>>;
  readonly where: string;
};

/** A watch that is on and in the phase "queue". */
export function createWatch(options: WatchOptions, onExpired: (error: BosunError) => void): Watch {
  return new PhaseWatch(options, onExpired);
}

class PhaseWatch implements Watch {
  readonly #options: WatchOptions;
  readonly #onExpired: (error: BosunError) => void;
  readonly #startedAt: number;
  readonly #timer: Timer;
  #phase: Phase = "queue";
  /** When the wait of the phase began. */
  #enteredAt: number;
  #firesAt: number;
  #isOn = true;
  #isPaused = false;

  constructor(options: WatchOptions, onExpired: (error: BosunError) => void) {
    const { clock, timeouts } = options;
    this.#options = options;
    this.#onExpired = onExpired;
    this.#startedAt = this.#enteredAt = clock.now();
    const firstMs = Math.min(timeouts.queue, timeouts.total);
    this.#firesAt = this.#startedAt + firstMs;
    this.#timer = clock.timer(firstMs, () => this.#look());
  }

  isOn(): boolean {
    return this.#isOn;
  }

  enter(phase: Phase): boolean {
    if (!this.#isOn) return false;
    const now = this.#options.clock.now();
    this.#enteredAt = now;
    this.#isPaused = false;
    this.#phase = phase;
    const leftMs = this.#options.timeouts[phase];
    if (now + leftMs < this.#firesAt) this.#arm(now, leftMs);
    return true;
  }

  pause(): void {
    this.#isPaused = true;
  }

  stop(): boolean {
    if (!this.#isOn) return false;
    this.#isOn = false;
    this.#timer[Symbol.dispose]();
    return true;
  }

  #look(): void {
    const { clock, timeouts } = this.#options;
    const now = clock.now();
    const phase = this.#phase;
    const totalMs = this.#startedAt + timeouts.total - now;
    const phaseMs = this.#isPaused ? Infinity : this.#enteredAt + timeouts[phase] - now;
    // Sums of times are not exact to the last bit: what is left of a timer that fired is nothing.
    if (totalMs < ROUNDING_MS && phase !== "queue") this.#expire("total");
    else if (phaseMs < ROUNDING_MS) this.#expire(phase);
    else if (totalMs < ROUNDING_MS) this.#expire("total");
    else this.#arm(now, Math.min(totalMs, phaseMs));
  }

  #arm(now: number, ms: number): void {
    this.#firesAt = now + ms;
    this.#timer.restart(ms);
  }

  #expire(which: Phase): void {
    const { timeouts, where } = this.#options;
    this.#onExpired(timedOut(where, which, timeouts[which]));
  }
}

const ROUNDING_MS = 0.001;

const EXPIRED: Readonly<Record<Phase, string>> = {
  queue: "no connection was free",
  connect: "no connection was made",
  "first-token": "no first token came",
  "inter-token": "no further token came",
  total: "the answer did not end",
};

/** The error of a wait that was longer than it may be. Over all, no repetition would be shorter. */
export function timedOut(where: string, phase: Phase, ms: number): BosunError {
  const message = `${where}: ${EXPIRED[phase]} within ${ms} ms`;
  const options = { retryable: phase !== "total", details: { phase } };
  return new BosunError("model/timed-out", message, options);
}
