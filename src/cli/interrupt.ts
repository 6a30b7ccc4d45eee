// Ctrl-C and SIGTERM: the first cancels cleanly, the second ends the process at once.

import { BosunError, isBosunError, messageOf } from "../error.ts";

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

/** How long steps under way may take to end after SIGTERM: less than what container hosts give a process. Ctrl-C does not wait. */
const GRACE_MS = 8_000;

/** How long runs that are given back may take for it. @param signal An Interrupt's, aborted. */
export function graceOf({ reason }: AbortSignal): number {
  return isBosunError(reason) && reason.message.includes("SIGTERM") ? GRACE_MS : 0;
}

/** What is told at the first interrupt: what follows it may take some time. */
export function stoppingText({ reason }: AbortSignal): string {
  return `${messageOf(reason)}. Stopping: what is done is kept, and can go on; Ctrl-C again ends at once.`;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
