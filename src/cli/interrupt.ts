// Ctrl-C and SIGTERM: the first cancels cleanly, the second ends the process at once.

import { BosunError } from "../error.ts";

/** A signal that the user's first interrupt aborts. Dispose it to give the signals back to the process. */
export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
}

/** Listens for SIGINT and SIGTERM. `exit` is called at the second one and must not return. */
export function createInterrupt(exit: () => void): Interrupt {
  const controller = new AbortController();
  const listener = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) exit();
    else controller.abort(new BosunError("run/cancelled", `interrupted by ${name}`));
  };
  for (const name of SIGNALS) process.on(name, listener);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of SIGNALS) process.off(name, listener);
    },
  };
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
