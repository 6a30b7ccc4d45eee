// How far a batch is: counted, and shown in place on a terminal, as a line for each result elsewhere.

import { EXIT } from "./failure.ts";
import type { BatchRecord } from "./job.ts";
import { count, duration } from "./number.ts";
import { createScreen } from "./screen.ts";
import { canRedraw, type Terminal, writeLines } from "./terminal.ts";
import { cutTo, oneLine } from "./width.ts";

/** The count of a batch. Disposing it removes what is drawn. */
export interface Tally extends Disposable {
  /** A job that had its result already. */
  skipped(hasFailed: boolean): void;
  ended(record: BatchRecord): void;
  /** Writes lines where they do not disturb the count. */
  print(lines: readonly string[]): void;
  /** Says what the batch came to. @returns the exit code: 1 when a job failed, now or before, 130 when it was interrupted. */
  sum(out: string): number;
}

/** A count of nothing. */
export function createTally(terminal: Terminal): Tally {
  const { err, clock, signal } = terminal;
  const startedAt = clock.now();
  const screen = canRedraw(terminal) ? createScreen(err) : undefined;
  const counts = { done: 0, failed: 0, skipped: 0, failedBefore: 0 };
  const before = (): string =>
    counts.failedBefore > 0 ? ` (${count(counts.failedBefore)} of them failed)` : "";
  const said = (): string =>
    `${count(counts.done)} done, ${count(counts.failed)} failed, ${count(counts.skipped)} had a result${before()}; ${duration(clock.now() - startedAt)}`;
  const print = (lines: readonly string[]): void => {
    if (screen) screen.print(lines);
    else writeLines(err, lines);
  };
  return {
    print,
    skipped(hasFailed) {
      counts.skipped++;
      if (hasFailed) counts.failedBefore++;
    },
    ended(record) {
      const isDone = record.status === "done" || record.status === "partial";
      counts[isDone ? "done" : "failed"]++;
      if (screen) screen.draw([cutTo(said(), err.columns() - 1)]);
      else print([lineOf(record)]);
    },
    sum(out) {
      print([`Results in ${out}: ${said()}`]);
      if (!signal.aborted) return counts.failed + counts.failedBefore > 0 ? EXIT.failed : EXIT.done;
      print(["Interrupted. The same command goes on where it stopped."]);
      return EXIT.interrupted;
    },
    [Symbol.dispose]: () => screen?.clear(),
  };
}

function lineOf({ index, status, runId, error }: BatchRecord): string {
  const run = runId === undefined ? "" : `, run ${runId}`;
  return oneLine(
    `line ${index + 1}: ${status}${run}${error ? ` [${error.code}] ${error.message}` : ""}`,
  );
}
