// Ctrl-C and SIGTERM: the first cancels cleanly, the second ends the process at once.

import { BosunError } from "../error.ts";

/** A signal that the user's first interrupt aborts. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Cancels as a first Ctrl-C would; does nothing after one. */
  cancel(reason: string): void;
  /**
   * Lets `handle` have the interrupts until it is disposed: one turn of a talk is cancelled, not the talk. One that it does not take
   * (false) does what it does without.
   */
  catch(handle: () => boolean): Disposable;
}

/** Listens for SIGINT and SIGTERM. `exit` is called at the second one and must not return. */
export function createInterrupt(exit: () => void): Interrupt {
  const controller = new AbortController();
  const cancel = (reason: string): void =>
    controller.abort(new BosunError("run/cancelled", reason));
  let catching: (() => boolean) | undefined;
  const listener = (name: NodeJS.Signals): void => {
    if (catching?.() === true) return;
    if (controller.signal.aborted) exit();
    else cancel(`interrupted by ${name}`);
  };
  for (const name of SIGNALS) process.on(name, listener);
  return {
    signal: controller.signal,
    cancel,
    catch(handle) {
      catching = handle;
      return { [Symbol.dispose]: () => void (catching = undefined) };
    },
  };
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
