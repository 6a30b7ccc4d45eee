// What a crew's own code writes with console.*: to stderr, above what is drawn there, so that stdout holds the result and nothing else.

import { format } from "node:util";
import { printable } from "./width.ts";

/** Where the console writes now. */
export interface UserConsole extends Disposable {
  to(print: (lines: readonly string[]) => void): void;
}

const METHODS = ["log", "info", "debug", "warn", "error"] as const;

/** Takes console.log and the like until it is disposed. */
export function captureConsole(print: (lines: readonly string[]) => void): UserConsole {
  let sink = print;
  const before = METHODS.map((name) => [name, console[name]] as const);
  for (const name of METHODS)
    console[name] = (...said: unknown[]) => sink(printable(format(...said)).split("\n"));
  return {
    to: (next) => void (sink = next),
    [Symbol.dispose]() {
      for (const [name, method] of before) console[name] = method;
    },
  };
}
