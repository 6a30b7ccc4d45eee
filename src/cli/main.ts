#!/usr/bin/env node
// The command's process: parses the command line, runs the command, prints its error, exits. Nothing else in Bosun ends a process.

import { CommanderError } from "commander";
import { BosunError, isBosunError } from "../error.ts";
import { EXIT, exitCodeOf, failureText } from "./failure.ts";
import { createInterrupt } from "./interrupt.ts";
import { createProgram } from "./program.ts";
import { createTerminal, type Terminal } from "./terminal.ts";

const isDebug = process.env["BOSUN_DEBUG"] === "1";

process.on("uncaughtException", (error) => {
  process.stderr.write(`${failureText(error, isDebug)}\n`);
  process.exit(EXIT.failed);
});
using interrupt = createInterrupt(() => process.exit(EXIT.interrupted));
// A reader that has left, as in `bosun runs list | head`, is no error of ours.
process.stdout.on("error", () => process.exit(EXIT.failed));
process.stderr.on("error", () => undefined);

const code = await main(process.argv.slice(2), createTerminal(interrupt.signal));
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
// Not left to the event loop: a handle that a crew's file keeps open must not keep the command from ending.
process.exit(code);

/** Runs one command line. @returns the exit code; errors are printed. */
async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode: number = EXIT.done;
  try {
    const program = createProgram(terminal, (given) => (exitCode = given));
    for (const command of [program, ...program.commands, ...program.commands.flatMap((one) => one.commands)]) // prettier-ignore
      command.exitOverride().configureOutput({ outputError: () => undefined });
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    return tellFailure(error, terminal);
  }
}

function tellFailure(error: unknown, { err, signal }: Terminal): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.done; // help and version
    if (error.code === "commander.help") return EXIT.usage; // printed, because a sub-command is missing
    return tellFailure(toUsage(error), { err, signal } as Terminal);
  }
  err.write(`${err.paint("red", failureText(error, isDebug))}\n`);
  const isInterrupted =
    signal.aborted && isBosunError(error) && error.code === "run/cancelled";
  return isInterrupted ? EXIT.interrupted : exitCodeOf(error);
}

function toUsage(error: CommanderError): BosunError {
  return new BosunError("usage", error.message.replace(/^error: /, ""));
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) resolve();
    else stream.write("", () => resolve());
  });
}
