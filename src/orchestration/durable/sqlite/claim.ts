// Which runs this process takes: one that is resumed, or the next of the queues, in the order of their priority and within the limits.
// Each is taken in one transaction: two processes never have one.

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
        `run ${runId} has ended: it is ${row.phase}. \`bosun runs rerun\` and \`fork\` begin another one from it`,
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

export type Claiming = {
  readonly most: number;
  /** Default: all. */
  readonly queues: readonly string[] | undefined;
};

/** Takes what is due. */
export function claimDue(parts: EngineParts, { most, queues }: Claiming): readonly Claimed[] {
  if (most <= 0) return [];
  const { clock, sqlite, runs, lease } = parts;
  const owner = lease.id();
  return sqlite.transaction(() => {
    const now = clock.now();
    const rows = runs.due(now, queues);
    const room = createRoom(
      parts,
      rows.filter((row) => row.phase === "running" && lease.isHeld(row)),
    );
    const claimed: Claimed[] = [];
    for (const row of rows) {
      if (claimed.length >= most) break;
      const isKnown = parts.flowOf(row.flow, row.version) !== undefined;
      if (isKnown && !lease.isHeld(row) && room.take(row, now))
        claimed.push(take(parts, row, owner));
    }
    return claimed;
  });
}

function take({ runs, steps, signals, clock }: EngineParts, row: RunRow, owner: number): Claimed {
  const fence = runs.take(row.id, owner, clock.now());
  return { row, fence, kept: steps.of(row.id), signals: signals.of(row.id) };
}

/** What the limits of the queues leave, counted on with each run that is taken. */
function createRoom(
  { runs, queues }: EngineParts,
  running: readonly RunRow[],
): { take(row: RunRow, now: number): boolean } {
  const counts = new Map<string, number>();
  const add = (key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const row of running) keysOf(row).forEach(add);
  const begun = new Map<string, number>();
  return {
    take(row, now) {
      const { queue = "", begunAt } = row;
      const { concurrency = Infinity, perTenant = Infinity, rate } = queues.of(queue);
      const [all, own] = keysOf(row);
      if ((counts.get(all) ?? 0) >= concurrency || (counts.get(own) ?? 0) >= perTenant)
        return false;
      if (rate && begunAt === undefined) {
        const before = begun.get(queue) ?? runs.begunSince(queue, now - rate.ms);
        if (before >= rate.count) return false;
        begun.set(queue, before + 1);
      }
      add(all);
      add(own);
      return true;
    },
  };
}

/** What counts a run: its queue, and its tenant there. */
function keysOf({ queue = "", tenant = "" }: RunRow): readonly [string, string] {
  return [queue, `${queue}/${tenant}`];
}
