// Group commit: whatever all runs of this process write in one turn of the event loop is one transaction.
//
// Each entry of a run is written only while this process holds the run: its fence is looked at in the same transaction (Q1).
//
// Invariants
//   J1  An entry is called kept only after its transaction was committed, in the order in which entries were added.
//   J2  An owner that has lost a run writes nothing of it.

import type { Clock } from "../../../clock.ts";
import { BosunError } from "../../../error.ts";
import { type Sqlite, toSqliteError } from "../../../sqlite.ts";

/** The right to write a run: the run's row and the number of the execution. */
export type Fence = { readonly run: number; readonly fence: number; readonly runId: string };

/** Something to write. `kept` is told the number of the commit, or the error that prevented it. Neither may throw. */
export type Entry = {
  /** Undefined for what belongs to no execution. */
  readonly fence: Fence | undefined;
  readonly write: () => void;
  readonly kept: (error: BosunError | undefined, commit: number) => void;
};

export interface Writer {
  add(entry: Entry): void;
  /** Writes what is waiting, now. */
  flush(): void;
  /** Whether the run is still this process's. */
  isHeld(fence: Fence): boolean;
}

/** Most entries of one transaction: a longer one would block the event loop. */
const MAX_BATCH = 1_000;

export function createWriter(sqlite: Sqlite, clock: Clock): Writer {
  const isHeld = createHeld(sqlite);
  const keep = createKeep(sqlite, isHeld);
  let waiting: Entry[] = [];
  let commit = 0;
  let release: (() => void) | undefined;
  const attempt = (batch: readonly Entry[]): BosunError | undefined => {
    let lost: ReadonlySet<Entry>;
    try {
      lost = keep(batch);
    } catch (error) {
      return toSqliteError(error, sqlite.path, "write a run to");
    }
    commit++;
    for (const entry of batch)
      entry.kept(lost.has(entry) ? toLeaseLost(entry.fence?.runId ?? "") : undefined, commit);
    return undefined;
  };
  const flush = (): void => {
    const batch = waiting.slice(0, MAX_BATCH);
    waiting = waiting.slice(MAX_BATCH);
    const done = release;
    release = undefined;
    if (waiting.length > 0) schedule();
    if (batch.length > 0 && attempt(batch) !== undefined) {
      // Together it failed; run by run, so that one cannot take the others with it.
      for (const [, ofRun] of Map.groupBy(batch, ({ fence }) => fence?.run)) {
        const failure = attempt(ofRun);
        if (failure) for (const { kept } of ofRun) kept(failure, commit);
      }
    }
    done?.();
  };
  const schedule = (): void => {
    if (release) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    release = resolve;
    void clock.external(promise); // a virtual clock stands still meanwhile
    setImmediate(flush);
  };
  return {
    add(entry) {
      waiting.push(entry);
      schedule();
    },
    flush() {
      while (waiting.length > 0) flush();
    },
    isHeld(fence) {
      try {
        return isHeld(fence);
      } catch {
        return true; // a file that cannot be read: the next write says why
      }
    },
  };
}

function createHeld({ database }: Sqlite): (fence: Fence) => boolean {
  const fenceOf = database.prepare("SELECT fence FROM runs WHERE id = ?");
  return ({ run, fence }) => Number(fenceOf.get(run)?.["fence"]) === fence;
}

/** Writes entries in one transaction; returns those that were not written, because their run is another's now. */
function createKeep(
  sqlite: Sqlite,
  isHeldNow: (fence: Fence) => boolean,
): (batch: readonly Entry[]) => ReadonlySet<Entry> {
  return (batch) => {
    const lost = new Set<Entry>();
    sqlite.transaction(() => {
      const isHeld = new Map<Fence, boolean>(); // by execution: an earlier one of the same run has lost it
      for (const entry of batch) {
        const { fence } = entry;
        if (fence && !isHeld.has(fence)) isHeld.set(fence, isHeldNow(fence));
        if (fence && isHeld.get(fence) === false) lost.add(entry);
        else entry.write();
      }
    });
    return lost;
  };
}

/** The error of a run that another process has taken. */
export function toLeaseLost(runId: string): BosunError {
  return new BosunError(
    "run/lease-lost",
    `run ${runId} belongs to another process now: this one stood still for too long, or gave it back. Nothing more of it is written here`,
  );
}
