// Wakes endpoints that sleep or have no worker: once for all who wait, and before anybody does.
//
// A cold start takes a minute and more. Without this, each step of a crew whose model scales to zero finds it cold, and each caller
// asks by itself whether it is there. Here one wake-up per endpoint is shared: the first that needs it begins, the others join, and
// `prewarm` begins it while the step before is still running.
//
// Invariants: W-U1 at most one wake-up per endpoint runs, and it asks for the wake once; W-U2 it ends by maxMs, when all who
// waited have left (unless it is a prewarm), or at close; W-U3 what is known to be awake costs no request for freshMs.

import { type Clock, until } from "../../clock.ts";
import type { ModelEvent } from "../model/model.ts";
import type { Probe } from "./probe.ts";
import { beginWakeUp, type WakeUp } from "./wake-up.ts";

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
  /** Begins to wake it and does not wait. Never throws: the call that comes will meet what is wrong. */
  prewarm(name: string): void;
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
  readonly probeOf: (name: string) => Probe | undefined;
  /** Default 600,000. */
  readonly maxMs?: number | undefined;
  /** Default 15,000. */
  readonly freshMs?: number | undefined;
};

const MAX_MS = 600_000;
const FRESH_MS = 15_000;

export function createWaker(options: WakerOptions): Waker {
  const { clock, probeOf, maxMs = MAX_MS, freshMs = FRESH_MS } = options;
  const freshUntil = new Map<string, number>();
  const wakeUps = new Map<string, WakeUp>();
  const noteAwake = (name: string): void => void freshUntil.set(name, clock.now() + freshMs);
  const forget = (name: string, wakeUp: WakeUp): void => {
    if (wakeUps.get(name) === wakeUp) wakeUps.delete(name);
  };
  const begin = (name: string, probe: Probe): WakeUp => {
    const wakeUp = beginWakeUp({ name, probe, clock, maxMs });
    wakeUps.set(name, wakeUp);
    wakeUp.done
      .then(() => noteAwake(name))
      .catch(() => undefined) // those who wait get it; a prewarm has nobody to tell
      .finally(() => forget(name, wakeUp));
    return wakeUp;
  };
  const isAwake = (name: string): boolean =>
    (freshUntil.get(name) ?? -Infinity) > clock.now() || probeOf(name) === undefined;
  /** The wake-up that runs, or a new one; undefined when there is nothing to do. */
  const share = (name: string): WakeUp | undefined => {
    if (isAwake(name)) return undefined;
    const probe = probeOf(name);
    return wakeUps.get(name) ?? (probe && begin(name, probe));
  };
  const leave = (name: string, wakeUp: WakeUp): void => {
    wakeUp.waiters--;
    if (wakeUp.waiters > 0 || wakeUp.isPrewarm) return;
    forget(name, wakeUp); // whoever comes now begins anew
    wakeUp.stop(); // W-U2
  };
  const awaken = async function* (name: string, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const wakeUp = share(name);
    if (wakeUp === undefined) return;
    wakeUp.waiters++;
    try {
      if (await until(wakeUp.isAsleep, signal)) yield { type: "queued", reason: `waking ${name}` };
      await until(wakeUp.done, signal);
    } finally {
      leave(name, wakeUp);
    }
  };
  return {
    isAwake,
    awaken,
    async ensureAwake(name, signal) {
      for await (const _ of awaken(name, signal)); // the event is for those who show it
    },
    prewarm(name) {
      const wakeUp = share(name);
      if (wakeUp) wakeUp.isPrewarm = true;
    },
    noteAwake,
    noteLost: (name) => void freshUntil.delete(name),
    close() {
      for (const wakeUp of wakeUps.values()) wakeUp.stop();
    },
  };
}
