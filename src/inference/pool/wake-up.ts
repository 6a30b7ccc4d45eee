// One wake-up of one endpoint: look, ask it to wake, look again until it is awake. Waker shares it among all who wait.
//
// Looks come at growing intervals: a cold start takes a second when the host kept the worker's memory, and minutes when not.

import type { Clock } from "../../clock.ts";
import { BosunError, messageOf } from "../../error.ts";
import type { Health, Probe } from "./probe.ts";

export type WakeUp = {
  /** Resolves when it is awake; rejects with a BosunError. */
  readonly done: Promise<void>;
  /** True as soon as it is known not to be awake; false when it was. Never rejects. */
  readonly isAsleep: Promise<boolean>;
  waiters: number;
  stop(): void;
};

export type WakeUpCase = {
  readonly name: string;
  readonly probe: Probe;
  readonly clock: Clock;
  readonly maxMs: number;
  /** How long it stays awake when nobody asks it: seldom looked at, it would have come and gone. */
  readonly leavesAfterMs: number | undefined;
};

/** Between two looks: the first and the longest wait, and how it grows. */
const FIRST_MS = 250;
const LONGEST_MS = 5_000;
const GROWTH = 1.5;

export function beginWakeUp(it: WakeUpCase): WakeUp {
  const controller = new AbortController();
  const asleep = Promise.withResolvers<boolean>();
  const done = follow(it, controller.signal, () => asleep.resolve(true));
  done.catch(() => undefined).finally(() => asleep.resolve(false)); // `done` itself rejects for those who wait
  return {
    done,
    isAsleep: asleep.promise,
    waiters: 0,
    stop: () =>
      controller.abort(new BosunError("model/cancelled", `nobody waits for ${it.name} any more`)),
  };
}

async function follow(
  { name, probe, clock, maxMs, leavesAfterMs = Infinity }: WakeUpCase,
  signal: AbortSignal,
  onAsleep: () => void,
): Promise<void> {
  using deadline = clock.deadline(maxMs, signal, () => tooLong(name, maxMs));
  const longestMs = Math.min(LONGEST_MS, leavesAfterMs / 2);
  let isAsked = false;
  let hasStarted = false;
  let waitMs = FIRST_MS;
  for (;;) {
    const health = await look(probe, deadline.signal);
    if (health === "awake") return;
    if (health === "unhealthy" && !isAsked && !hasStarted)
      throw unreachable(name, "it says that it is not well");
    onAsleep();
    const hasLeft = hasStarted && health === "asleep"; // between two looks it was awake
    if (health === "starting") hasStarted = true;
    else if (!isAsked || hasLeft) {
      if (await ask(name, probe, deadline.signal)) return;
      isAsked = true; // from here whatever it says, it gets its time
      hasStarted = false;
    }
    await clock.sleep(Math.min(waitMs, longestMs), deadline.signal);
    waitMs = Math.min(LONGEST_MS, waitMs * GROWTH);
  }
}

/** Nobody answers for an endpoint without a worker: the same as asleep. */
export async function look(probe: Probe, signal: AbortSignal): Promise<Health> {
  try {
    return await probe.health(signal);
  } catch {
    signal.throwIfAborted();
    return "asleep"; // what is wrong shows in the answer to the wake
  }
}

/** @returns whether it has shown by its answer that it is awake. */
async function ask(name: string, probe: Probe, signal: AbortSignal): Promise<boolean> {
  try {
    return await probe.wake(signal);
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(name, messageOf(error), error);
  }
}

function unreachable(name: string, why: string, cause?: unknown): BosunError {
  return new BosunError("model/unreachable", `${name} cannot be woken: ${why}. Look at its host`, {
    retryable: true,
    cause,
  });
}

function tooLong(name: string, maxMs: number): BosunError {
  const seconds = Math.round(maxMs / 1_000);
  return new BosunError(
    "model/timed-out",
    `${name} was not awake after ${seconds} s. Look at its host's log, or keep a worker of it`,
    { retryable: true },
  );
}
