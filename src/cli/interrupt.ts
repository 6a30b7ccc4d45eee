// Ctrl-C and SIGTERM: the first cancels cleanly, the second ends the process at once.

import { BosunError } from "../error.ts";

/** A signal that the user's first interrupt aborts. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Cancels as a first Ctrl-C would; does nothing after one. */
  cancel(reason: string): void;
}

/** Listens for SIGINT and SIGTERM. `exit` is called at the second one and must not return. */
export function createInterrupt(exit: () => void): Interrupt {
  const controller = new AbortController();
  const cancel = (reason: string): void =>
    controller.abort(new BosunError("run/cancelled", reason));
  const listener = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) exit();
    else cancel(`interrupted by ${name}`);
  };
  for (const name of SIGNALS) process.on(name, listener);
  return { signal: controller.signal, cancel };
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
