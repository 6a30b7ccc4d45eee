// Lets ordinary async code run over Restate, whose SDK hangs on native Promise.all over its promises.
//
// Invariants
//   K1  Only the pump awaits promises of the SDK, one race at a time. Their order is the journal's, in every execution alike.
//   K2  One of them is delivered in a turn of the event loop: what the body does about it, it has done before the next race (D5).

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
};

export type PumpOptions = {
  readonly sdk: RestateSdk;
  /** The server cancels the run. What was pending stays so. */
  readonly onCancelled: () => void;
  /** Called before each race, when the body has done all that it can. It must call the SDK only as the body's own state tells. */
  readonly beforeRace: () => void;
  /** Awaited before each delivery. */
  readonly beforeDelivery: () => Promise<void>;
};

export class Pump {
  readonly #options: PumpOptions;
  readonly #pending = new Map<number, Pending>();
  #next = 0;
  #isRunning = false;

  constructor(options: PumpOptions) {
    this.#options = options;
  }

  /** Calls `deliver` with what the promise comes to, in its turn. */
  add<T>(promise: RestatePromise<T>, deliver: (settled: Settled<T>) => void): Pumped {
    const id = this.#next++;
    const settled = promise.map((value, error) => ({
      id,
      settled: error ? { error } : { value },
    }));
    this.#pending.set(id, { promise: settled, deliver });
    if (!this.#isRunning) {
      this.#isRunning = true;
      setImmediate(() => void this.#loop());
    }
    return { drop: () => void this.#pending.delete(id) };
  }

  /** When its execution ends, whatever it waits for stays pending for ever, and so does this. */
  async #loop(): Promise<void> {
    const { sdk, onCancelled, beforeRace, beforeDelivery } = this.#options;
    while (this.#pending.size > 0) {
      beforeRace();
      try {
        const race = [...this.#pending.values()].map(({ promise }) => promise);
        const { id, settled } = await sdk.RestatePromise.race(race);
        const won = this.#pending.get(id);
        if (won) await beforeDelivery();
        this.#pending.delete(id);
        won?.deliver(settled as Settled<never>); // `as`: add() kept them together
      } catch (error) {
        if (!(error instanceof sdk.CancelledError)) throw error;
        onCancelled();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isRunning = false;
  }
}
