// The time-outs of one call to an AI SDK model, and the signal that ends it. Only waiting counts: not what the caller does between.
//
// The SDK does not tell when a connection is there, so the wait for the first token begins with the call.

import { type Clock, until } from "../../../clock.ts";
import { type Phase, timedOut } from "../watch.ts";

export interface Watch extends Disposable {
  /** Aborts when the caller's signal does, when a time-out is over (with its error as the reason) and when the watch is disposed. */
  readonly signal: AbortSignal;
  /** What `work` comes to. @throws the signal's reason as soon as it aborts. */
  wait<T>(work: PromiseLike<T>): Promise<T>;
  /** A token has come: the next wait is for another one. */
  touch(): void;
}

export type WatchOptions = {
  readonly clock: Clock;
  readonly timeouts: Readonly<Record<Phase, number>>;
  readonly where: string;
};

export function createWatch({ clock, timeouts, where }: WatchOptions, signal: AbortSignal): Watch {
  const controller = new AbortController();
  let phase: "first-token" | "inter-token" = "first-token";
  let waitingSince: number | undefined;
  const expire = (which: Phase): void => controller.abort(timedOut(where, which, timeouts[which]));
  // A wait only notes its beginning, so that no timer is set for each token; the timer looks at it when it fires.
  const onTimer = (): void => {
    const leftMs = (waitingSince ?? clock.now()) + timeouts[phase] - clock.now();
    if (leftMs > 0) timer.restart(leftMs);
    else expire(phase);
  };
  const timer = clock.timer(timeouts[phase], onTimer);
  const total = clock.timer(timeouts.total, () => expire("total"));
  const onAbort = (): void => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return {
    signal: controller.signal,
    async wait(work) {
      waitingSince = clock.now();
      try {
        return await until(Promise.resolve(work), controller.signal);
      } finally {
        waitingSince = undefined;
      }
    },
    touch() {
      if (phase === "inter-token") return;
      phase = "inter-token";
      timer.restart(timeouts[phase]);
    },
    [Symbol.dispose]() {
      timer[Symbol.dispose]();
      total[Symbol.dispose]();
      signal.removeEventListener("abort", onAbort);
      controller.abort();
    },
  };
}
