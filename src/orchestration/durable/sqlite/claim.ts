// How a process takes a run that it is told to resume. In one transaction: two processes never have one.

import { BosunError } from "../../../error.ts";
import { shownOwner } from "../../../owner.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { RunRow } from "./run-table.ts";
import type { SignalRow } from "./signal-table.ts";
import type { StepRow } from "./step-table.ts";

/** A run that is this process's now, with what earlier executions kept. */
export type Claimed = {
  readonly row: RunRow;
  readonly fence: number;
  readonly kept: readonly StepRow[];
  readonly signals: readonly SignalRow[];
};

/** Takes a run that nobody executes. @throws BosunError `run/owned`, `run/ended`, `run/version`. */
export function claimRun(parts: EngineParts, runId: string): Claimed {
  const { sqlite, runs, lease } = parts;
  const owner = lease.id();
  return sqlite.transaction(() => {
    const row = runs.find(runId);
    if (row === undefined) throw new BosunError("run/unknown", `run ${runId} is gone`);
    if (row.endedAt !== undefined)
      throw new BosunError(
        "run/ended",
        `run ${runId} has ended: it is ${row.phase}. \`bosun runs show\` has what it came to, \`rerun\` and \`fork\` begin another one from it`,
      );
    if (lease.isHeld(row))
      throw new BosunError(
        "run/owned",
        `run ${runId} is executed by process ${shownOwner(row.owner?.name ?? "")}. Stop that one first, or wait for its end`,
        { retryable: true },
      );
    if (parts.flowOf(row.flow, row.version) === undefined)
      throw new BosunError(
        "run/version",
        `run ${runId} began with ${row.flow}, version ${row.version}, which this process does not have. Resume it with the code that it began with`,
      );
    return take(parts, row, owner);
  });
}

/** Gives the run to this process; within a transaction. */
export function take(
  { runs, steps, signals, clock }: EngineParts,
  row: RunRow,
  owner: number,
): Claimed {
  const fence = runs.take(row.id, owner, clock.now());
  return { row, fence, kept: steps.of(row.id), signals: signals.of(row.id) };
}
