// Requests that wait for a worker, in the order in which they came.

import { until } from "../../../clock.ts";
import { BosunError } from "../../../error.ts";

/** Requests that wait at once; Runpod bounds only their rate. */
const MAX_QUEUED = 100_000;

/** A sum of floating-point milliseconds may miss by a hair the moment that it means. */
const HAIR_MS = 1e-6;

type Waiting<Place> = { readonly sinceMs: number; readonly given: PromiseWithResolvers<Place> };

/** A queue whose requests are given a place each. */
export class RequestQueue<Place> {
  readonly #waiting: Waiting<Place>[] = [];
  readonly #giveBack: (place: Place) => void;

  /** @param giveBack takes a place that was given in the moment in which its caller aborted. */
  constructor(giveBack: (place: Place) => void) {
    this.#giveBack = giveBack;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /**
   * Adds a request that came at `sinceMs`. Where it came before those that wait, it goes first.
   * @returns its place, undefined when the caller aborts before.
   * @throws BosunError `model/overloaded` when MAX_QUEUED wait.
   */
  add(sinceMs: number, signal: AbortSignal): Promise<Place | undefined> {
    if (this.#waiting.length >= MAX_QUEUED)
      throw new BosunError("model/overloaded", `twin endpoint: ${MAX_QUEUED} requests wait`);
    const one: Waiting<Place> = { sinceMs, given: Promise.withResolvers() };
    const first = this.#waiting[0];
    if (first && first.sinceMs > sinceMs) this.#waiting.unshift(one);
    else this.#waiting.push(one);
    return until(one.given.promise, signal).catch(() => {
      // Only the caller's abort comes here.
      const index = this.#waiting.indexOf(one);
      if (index >= 0) this.#waiting.splice(index, 1);
      else void one.given.promise.then(this.#giveBack);
      return undefined;
    });
  }

  /** Gives a place to the first. */
  give(place: Place): void {
    this.#waiting.shift()?.given.resolve(place);
  }

  /** How many came at `dueMs` or before. */
  countUntil(dueMs: number): number {
    const fresh = this.#waiting.findIndex(({ sinceMs }) => sinceMs > dueMs + HAIR_MS);
    return fresh < 0 ? this.#waiting.length : fresh;
  }

  /** When request `index` came, counted from the first. */
  sinceMs(index: number): number | undefined {
    return this.#waiting[index]?.sinceMs;
  }
}
