// Wakes endpoints that sleep or have no worker: once for all who wait, and before anybody does.
//
// A cold start takes a minute and more. Without this, each step of a crew whose model scales to zero finds it cold, and each caller
// asks by itself whether it is there. Here one wake-up per endpoint is shared: the first that needs it begins, the others join. Who
// needs it before its call (wish.ts) joins too.
//
// Invariants: W-U1 at most one wake-up per endpoint runs, and it asks for the wake once, or again when it has come and gone; W-U2 it ends by maxMs, when all who
// waited have left, or at close; W-U3 what is known to be awake costs a call no request for freshMs, or as long as its workers stay.

import { type Clock, until } from "../../clock.ts";
import { putNewest } from "../../newest.ts";
import type { ModelEvent } from "../model/model.ts";
import { createDurations } from "./duration.ts";
import type { Sleeper } from "./sleeper.ts";
import { beginWakeUp, look, type WakeUp } from "./wake-up.ts";

export interface Waker {
  /**
   * Resolves when the endpoint is awake.
   * @throws BosunError `model/unreachable` when it is not well or there is nothing to wake, `model/timed-out` when it takes too long.
   */
  ensureAwake(name: string, signal: AbortSignal): Promise<void>;
  /** The same as events of a call: one "queued" that says what is waited for, none when it is awake. */
  awaken(name: string, signal: AbortSignal): AsyncGenerator<ModelEvent>;
  /** Nothing is to be asked: it was awake a moment ago, or never sleeps. */
  isAwake(name: string): boolean;
  /**
   * Resolves when the endpoint is awake and has just been asked something, so that its workers' idle time begins anew.
   * @throws BosunError as `ensureAwake` does; what its probe throws.
   */
  keepAwake(name: string, signal: AbortSignal): Promise<void>;
  /** The longest of its newest wake-ups; undefined before the first that took a second. */
  longestWakeMs(name: string): number | undefined;
  /** A call there was answered: nothing is asked for a while. */
  noteAwake(name: string): void;
  /** A call there failed: the next one asks. */
  noteLost(name: string): void;
  /** Ends every wake-up. */
  close(): void;
}

export type WakerOptions = {
  readonly clock: Clock;
  /** Undefined for an endpoint that never sleeps, or that nobody can ask. */
  readonly sleeperOf: (name: string) => Sleeper | undefined;
  /** Default 600,000. */
  readonly maxMs?: number | undefined;
  /** Default 15,000. */
  readonly freshMs?: number | undefined;
};

const MAX_MS = 600_000;
const FRESH_MS = 15_000;
/** Whose worker answers sooner was there, whatever its host said. */
const COLD_MS = 1_000;
/** Most endpoints of which it is remembered when they were awake: those that have gone are forgotten by and by. */
const MAX_FRESH = 1_024;

export function createWaker(options: WakerOptions): Waker {
  return new SharedWaker(options);
}

class SharedWaker implements Waker {
  readonly #options: WakerOptions;
  readonly #freshUntil = new Map<string, number>();
  readonly #wakeUps = new Map<string, WakeUp>();
  readonly #tookMs = createDurations();

  constructor(options: WakerOptions) {
    this.#options = options;
  }

  isAwake(name: string): boolean {
    const { clock, sleeperOf } = this.#options;
    const freshUntil = this.#freshUntil.get(name) ?? -Infinity;
    return freshUntil > clock.now() || sleeperOf(name) === undefined;
  }

  async *awaken(name: string, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const wakeUp = this.#share(name);
    if (wakeUp === undefined) return;
    wakeUp.waiters++;
    try {
      if (await until(wakeUp.isAsleep, signal)) yield { type: "queued", reason: `waking ${name}` };
      await until(wakeUp.done, signal);
    } finally {
      this.#leave(name, wakeUp);
    }
  }

  async ensureAwake(name: string, signal: AbortSignal): Promise<void> {
    for await (const _ of this.awaken(name, signal)); // the event is for those who show it
  }

  async keepAwake(name: string, signal: AbortSignal): Promise<void> {
    const sleeper = this.#options.sleeperOf(name);
    if (sleeper === undefined) return;
    const { probe } = sleeper;
    if (!this.#wakeUps.has(name) && (await look(probe, signal)) === "awake") {
      await probe.wake(signal);
      this.noteAwake(name);
      return;
    }
    this.noteLost(name);
    await this.ensureAwake(name, signal);
  }

  longestWakeMs(name: string): number | undefined {
    return this.#tookMs.longest(name);
  }

  noteAwake(name: string): void {
    const { clock, sleeperOf, freshMs = FRESH_MS } = this.#options;
    const sleeper = sleeperOf(name);
    if (sleeper === undefined) return;
    const forMs = Math.min(freshMs, sleeper.idle?.leavesAfterMs ?? Infinity);
    putNewest(this.#freshUntil, [name, clock.now() + forMs], MAX_FRESH);
  }

  noteLost(name: string): void {
    this.#freshUntil.delete(name);
  }

  close(): void {
    for (const wakeUp of this.#wakeUps.values()) wakeUp.stop();
  }

  /** The wake-up that runs, or a new one; undefined when there is nothing to do. */
  #share(name: string): WakeUp | undefined {
    if (this.isAwake(name)) return undefined;
    const sleeper = this.#options.sleeperOf(name);
    return this.#wakeUps.get(name) ?? (sleeper && this.#begin(name, sleeper));
  }

  #begin(name: string, { probe, idle }: Sleeper): WakeUp {
    const { clock, maxMs = MAX_MS } = this.#options;
    const startedAt = clock.now();
    const leavesAfterMs = idle?.leavesAfterMs;
    const wakeUp = beginWakeUp({ name, probe, clock, maxMs, leavesAfterMs });
    this.#wakeUps.set(name, wakeUp);
    void this.#follow(name, wakeUp, startedAt);
    return wakeUp;
  }

  async #follow(name: string, wakeUp: WakeUp, startedAt: number): Promise<void> {
    try {
      await wakeUp.done;
      this.noteAwake(name);
      const tookMs = this.#options.clock.now() - startedAt;
      if (tookMs >= COLD_MS && (await wakeUp.isAsleep)) this.#tookMs.note(name, tookMs);
    } catch {
      // those who wait get it
    } finally {
      this.#forget(name, wakeUp);
    }
  }

  #leave(name: string, wakeUp: WakeUp): void {
    wakeUp.waiters--;
    if (wakeUp.waiters > 0) return;
    this.#forget(name, wakeUp); // whoever comes now begins anew
    wakeUp.stop(); // W-U2
  }

  #forget(name: string, wakeUp: WakeUp): void {
    if (this.#wakeUps.get(name) === wakeUp) this.#wakeUps.delete(name);
  }
}
