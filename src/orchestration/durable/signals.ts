// What is told to a root run from outside, by name. One that comes before its wait is kept; one that nobody can wait for is not.

import type { Clock } from "../../clock.ts";
import type { Json } from "../../json.ts";

/** Most values that are kept for waits to come. */
const MAX_EARLY = 1_000;

export interface Signals {
  /** False when it changes nothing: this name has been answered, or too many wait already to be waited for. */
  give(name: string, value: Json): boolean;
  /** Nobody waits for this name any more. */
  close(name: string): void;
  /** Calls back once, at once for a value that was there. Returns how to stop listening. */
  listen(name: string, onValue: (value: Json) => void): () => void;
}

export function createSignals(): Signals {
  const early = new Map<string, Json>();
  const listeners = new Map<string, (value: Json) => void>();
  const answered = new Set<string>();
  return {
    give(name, value) {
      if (answered.has(name) || early.has(name) || early.size >= MAX_EARLY) return false;
      const listener = listeners.get(name);
      if (!listener) early.set(name, value);
      else {
        answered.add(name);
        listener(value);
      }
      return true;
    },
    close: (name) => void answered.add(name),
    listen(name, onValue) {
      const value = early.get(name);
      if (value === undefined) listeners.set(name, onValue);
      else {
        early.delete(name);
        answered.add(name);
        onValue(value);
      }
      return () => {
        listeners.delete(name);
        answered.add(name); // its time is over: a late answer is told that it is one
      };
    },
  };
}

type Waiting = {
  readonly name: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/** What somebody gives under the name, or undefined when its time is over. @throws the signal's reason. */
export function waitFor(
  signals: Signals,
  { name, timeoutMs, clock, signal }: Waiting,
): Promise<Json | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Json | undefined>();
  const timer = clock.timer(timeoutMs, () => resolve(undefined));
  const unlisten = signals.listen(name, resolve);
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  const end = (): void => {
    timer[Symbol.dispose]();
    unlisten();
    signal.removeEventListener("abort", abort);
  };
  promise.then(end, end);
  return promise;
}
