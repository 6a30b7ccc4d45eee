// What is said when a fleet's file changes for the worse while a command runs.

import type { BosunOptions } from "../bosun.ts";
import { type Terminal, writeLines } from "./terminal.ts";
import { oneLine } from "./width.ts";

/** Options of a Bosun that print a fleet's problems as warnings. */
export function fleetWarnings({ err }: Terminal): Pick<BosunOptions, "onFleetProblem"> {
  return {
    onFleetProblem: ({ message }) =>
      writeLines(err, [err.paint("yellow", `Warning: ${oneLine(message)}; the old fleet goes on`)]),
  };
}
