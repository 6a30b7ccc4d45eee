// What is said of a fleet while a command runs: its file changed for the worse, others use its endpoints.

import type { BosunOptions } from "../bosun.ts";
import { type Terminal, writeLines } from "./terminal.ts";
import { oneLine } from "./width.ts";

/** Options of a Bosun that print a fleet's problems as warnings. */
export function fleetWarnings({
  err,
}: Terminal): Pick<BosunOptions, "onFleetProblem" | "onForeignLoad"> {
  const warn = (text: string): void =>
    writeLines(err, [err.paint("yellow", `Warning: ${oneLine(text)}`)]);
  return {
    onFleetProblem: ({ message }) => warn(`${message}; the old fleet goes on`),
    onForeignLoad: ({ endpoint, running, sent }) =>
      warn(
        `${endpoint} runs ${running} calls, of which ${sent} are from here. Others use it too: give each process a share, or all of them one gateway`,
      ),
  };
}
