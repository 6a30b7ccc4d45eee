// Races over the same promises again and again, as a scheduler runs them: what they leave behind is linear in the promises.
//
// Promise.race leaves a reaction on each loser, every time: a crew of 1,000 parallel tasks would leave a million. Here each promise
// is watched once, however often it races. A race still looks through all that run, which at 1,000 (the most of a crew) comes to
// 26 ms of a run's CPU.

import type { Pending } from "./durable.ts";

export interface Racing {
  /** The key of a promise that has settled: of several, the first in their order. @throws the signal's reason. */
  winner<K extends string>(pending: Pending<K>): Promise<K>;
}

export function createRacing(signal: AbortSignal): Racing {
  return new Races(signal);
}

class Races implements Racing {
  readonly #signal: AbortSignal;
  /** Each promise that was seen and has not won, and whether it has settled. Not a WeakMap, which costs the collector more. */
  readonly #settled = new Map<Promise<unknown>, boolean>();
  #wake: (() => void) | undefined;
  #changed: Promise<void> | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#tell(), { once: true });
  }

  async winner<K extends string>(pending: Pending<K>): Promise<K> {
    const entries = entriesOf(pending);
    for (;;) {
      this.#signal.throwIfAborted();
      for (const [key, promise] of entries) {
        if (this.#settled.get(promise)) {
          this.#settled.delete(promise);
          return key;
        }
      }
      for (const [, promise] of entries) this.#watch(promise);
      // Several may race at once: all wait for the same change.
      await (this.#changed ??= new Promise((resolve) => (this.#wake = resolve)));
    }
  }

  #watch(promise: Promise<unknown>): void {
    if (this.#settled.has(promise)) return;
    this.#settled.set(promise, false);
    const onSettled = (): void => {
      this.#settled.set(promise, true);
      this.#tell();
    };
    promise.then(onSettled, onSettled); // a rejection wins too: the caller reads it from the promise itself
  }

  #tell(): void {
    this.#changed = undefined;
    this.#wake?.();
  }
}

function entriesOf<K extends string>(
  pending: Pending<K>,
): Iterable<readonly [K, Promise<unknown>]> {
  if (pending instanceof Map) return pending;
  return Object.entries(pending) as [K, Promise<unknown>][]; // `as`: a record's keys are those of its type
}
