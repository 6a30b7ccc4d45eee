// Lets ordinary async code run over Restate, whose SDK hangs on native Promise.all over its promises.
//
// Invariants
//   K1  Only the pump awaits promises of the SDK, one race at a time. Their order is the journal's, in every execution alike.
//   K2  One of them is delivered in a turn of the event loop: what the body does about it, it has done before the next race (D5).
//   K6  What a fork has taken over comes before what is raced, in the order in which it came to the other run.
//   K5  There is a race only while the body waits for something. What it begins while one is under way it began out of turn, after
//       awaiting something else than its Durable (D2): that race would not see it, and the run would hang. It ends with an error.

import type { RestatePromise } from "@restatedev/restate-sdk";
import type { RestateSdk } from "./sdk.ts";

/** What a promise of the SDK came to. */
export type Settled<T> = { readonly value: T } | { readonly error: Error };

/** A promise that is raced until it settles. */
export type Pumped = {
  /** It is not waited for any more. */
  drop(): void;
};

type Pending = {
  readonly promise: RestatePromise<{ readonly id: number; readonly settled: Settled<unknown> }>;
  readonly deliver: (settled: Settled<never>) => void;
  /** Nobody waits for it alone: a cancel, the end of a limit. */
  readonly isBackground: boolean;
};

/** What a fork has taken over, and the body has asked for. */
type Recalled = { readonly place: number; readonly deliver: () => void };

export type PumpOptions = {
  readonly sdk: RestateSdk;
  /** The server cancels the run. What was pending stays so. */
  readonly onCancelled: () => void;
  /** Called before each race, when the body has done all that it can. It must call the SDK only as the body's own state tells. */
  readonly beforeRace: () => void;
  /** Something was begun while a race is under way. */
  readonly onOutOfTurn: () => void;
  /** Awaited before each delivery. */
  readonly beforeDelivery: () => Promise<void>;
};

export class Pump {
  readonly #options: PumpOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #recalled = new Set<Recalled>();
  #next = 0;
  #foreground = 0;
  #isRunning = false;
  readonly #held = new Set<Promise<unknown>>();
  #isRacing = false;

  constructor(options: PumpOptions) {
    this.#options = options;
  }

  /** Calls `deliver` with what the promise comes to, in its turn. */
  add<T>(
    promise: RestatePromise<T>,
    deliver: (settled: Settled<T>) => void,
    options: { readonly isBackground?: boolean } = {},
  ): Pumped {
    const { isBackground = false } = options;
    const id = this.#next++;
    const settled = promise.map((value, error) => ({
      id,
      settled: error ? { error } : { value },
    }));
    this.#pending.set(id, { promise: settled, deliver, isBackground });
    if (!isBackground) this.#foreground++;
    this.#begin(isBackground);
    return { drop: () => this.#remove(id) };
  }

  /** Calls `deliver` when all that was asked for and came before this place was delivered (K6). */
  recall(place: number, deliver: () => void): Pumped {
    const recalled = { place, deliver };
    this.#recalled.add(recalled);
    this.#begin(false);
    return { drop: () => void this.#recalled.delete(recalled) };
  }

  /** There is no race while this goes on: what the body does after it, it does in its turn. */
  hold(work: Promise<unknown>): void {
    this.#held.add(work);
    const letGo = (): void => void this.#held.delete(work);
    work.then(letGo, letGo);
  }

  #begin(isBackground: boolean): void {
    if (this.#isRacing) this.#options.onOutOfTurn();
    else if (!this.#isRunning && !isBackground) {
      this.#isRunning = true;
      setImmediate(() => void this.#loop());
    }
  }

  #remove(id: number): void {
    if (this.#pending.get(id)?.isBackground === false) this.#foreground--;
    this.#pending.delete(id);
  }

  /** When its execution ends, whatever it waits for stays pending for ever, and so does this. */
  async #loop(): Promise<void> {
    while (this.#foreground > 0 || this.#recalled.size > 0) {
      while (this.#held.size > 0) {
        await Promise.allSettled(this.#held);
        await new Promise((resolve) => setImmediate(resolve)); // what the body does about it
      }
      const recalled = this.#takeFirst();
      if (recalled) recalled.deliver();
      else {
        this.#options.beforeRace();
        await this.#race();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isRunning = false;
  }

  #takeFirst(): Recalled | undefined {
    const [first, ...others] = this.#recalled;
    if (first === undefined) return undefined;
    const next = others.reduce((least, one) => (one.place < least.place ? one : least), first);
    this.#recalled.delete(next);
    return next;
  }

  async #race(): Promise<void> {
    const { sdk, onCancelled, beforeDelivery } = this.#options;
    try {
      this.#isRacing = true;
      const race = [...this.#pending.values()].map(({ promise }) => promise);
      const { id, settled } = await sdk.RestatePromise.race(race);
      const won = this.#pending.get(id);
      if (won) await beforeDelivery();
      this.#isRacing = false;
      this.#remove(id);
      won?.deliver(settled as Settled<never>); // `as`: add() kept them together
    } catch (error) {
      this.#isRacing = false;
      if (!(error instanceof sdk.CancelledError)) throw error;
      onCancelled();
    }
  }
}
