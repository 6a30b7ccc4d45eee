// The command's process: parses the command line, runs the command, prints its error, exits. Nothing else in Bosun ends a process.

import { setFlagsFromString } from "node:v8";
import { CommanderError } from "commander";
import { BosunError, isBosunError } from "../error.ts";
import { EXIT, exitCodeOf, failureText } from "./failure.ts";
import { createInterrupt } from "./interrupt.ts";
import { createProgram } from "./program.ts";
import { createTerminal, type Output, type Terminal } from "./terminal.ts";

// This process is the command's own: a batch of a thousand crews holds 170 to 190 MB instead of 320 to 350, for 4 to 19 % more CPU
// (docs/decisions/2026-11-25-young-generation.md). The library leaves V8 as its user has set it.
// Only where it was measured: V8's options come and go, and it complains of one that it does not know.
if (process.versions.node.startsWith("24.")) setFlagsFromString("--semi-space-growth-factor=1");

const isDebug = process.env["BOSUN_DEBUG"] === "1";

process.on("uncaughtException", (error) => {
  process.stderr.write(`${failureText(error, isDebug)}\n`);
  process.exit(EXIT.failed);
});
const interrupt = createInterrupt(() => process.exit(EXIT.interrupted));
// A reader that has left, as in `bosun run … | head`, ends a run as Ctrl-C does; without these listeners it would be a crash.
process.stdout.on("error", () => interrupt.cancel("the reader of the output has left"));
process.stderr.on("error", () => undefined);

const code = await main(process.argv.slice(2), createTerminal(interrupt));
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
// Not left to the event loop: a handle that a crew's file keeps open must not keep the command from ending.
process.exit(code);

/** Runs one command line. @returns the exit code; errors are printed. */
async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode: number = EXIT.done;
  try {
    const program = createProgram(terminal, (given) => (exitCode = given));
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return tellFailure(error, terminal.err);
    if (error.exitCode === 0) return EXIT.done; // help and version
    if (error.code === "commander.help") return EXIT.usage; // printed: a sub-command is missing
    return tellFailure(
      new BosunError("usage", error.message.replace(/^error: /, "")),
      terminal.err,
    );
  }
}

function tellFailure(error: unknown, err: Output): number {
  err.write(`${err.paint("red", failureText(error, isDebug))}\n`);
  const isInterrupted =
    interrupt.signal.aborted && isBosunError(error) && error.code === "run/cancelled";
  return isInterrupted ? EXIT.interrupted : exitCodeOf(error);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) resolve();
    else stream.write("", () => resolve());
  });
}
