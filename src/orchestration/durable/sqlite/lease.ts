// The lease of this process on the runs that it executes: a row with the time of its last beat. Who stands still for leaseMs loses
// them to whoever asks for them, and finds out at its next write (the fence, writer.ts).
//
// The beat comes from a thread of its own: a busy event loop is not a dead process. Times here are always real ones.

import { Worker } from "node:worker_threads";
import { systemClock, type Timer } from "../../../clock.ts";
import { lookAtOwner, OWNER } from "../../../owner.ts";
import type { Sqlite } from "../../../sqlite.ts";
import { textIn } from "./cell.ts";
import type { RunRow } from "./run-table.ts";

export interface Lease extends AsyncDisposable {
  /** The row of this process, made when it is first needed; not within a transaction, which might take it back. */
  id(): number;
  /** It beats from now until `release` has been called as often. */
  acquire(): void;
  release(): void;
  /** The rows of processes that live. */
  alive(): readonly number[];
  /** Whether the run's process has it and lives. */
  isHeld(run: Pick<RunRow, "owner">): boolean;
}

/** What the thread is given. */
export type Beating = { readonly path: string; readonly id: number; readonly everyMs: number };

/** Beats of a lease. A process whose runs end before the first one needs no thread. */
const BEATS = 5;
/** Rows of processes that have not beaten for so long are removed. */
const FORGET_MS = 3_600_000;

export function createLease({ database, path }: Sqlite, leaseMs: number): Lease {
  const everyMs = leaseMs / BEATS;
  const insert = database.prepare("INSERT INTO owners (name, beat_at) VALUES (?, ?) RETURNING id");
  const renew = database.prepare(BEAT_SQL);
  const all = database.prepare("SELECT id, name, beat_at FROM owners");
  let own: number | undefined;
  let renewedAt = 0;
  let holders = 0;
  let timer: Timer | undefined;
  let thread: Worker | undefined;
  const isAlive = (owner: Owner): boolean => hasBeaten(owner, leaseMs);
  const beginThread = (id: number): void => {
    timer = undefined;
    thread ??= startThread({ path, id, everyMs });
  };
  const forget = database.prepare("DELETE FROM owners WHERE beat_at < ?");
  const begin = (now: number): number => {
    forget.run(now - FORGET_MS);
    return Number(insert.get(OWNER, now)?.["id"]);
  };
  const idOf = (): number => (own ??= begin(systemClock.now()));
  return {
    id() {
      const id = idOf();
      const now = systemClock.now();
      if (thread === undefined && now - renewedAt > everyMs) {
        if (renew.run(now, id).changes === 0) own = begin(now); // it had done nothing for so long that it was forgotten
        renewedAt = now;
      }
      return idOf();
    },
    acquire() {
      const id = idOf();
      if (thread === undefined && holders === 0) {
        timer = systemClock.timer(everyMs, () => beginThread(id));
      }
      holders++;
    },
    release() {
      holders--;
      if (holders > 0) return;
      timer?.[Symbol.dispose](); // it would keep the process from ending
      timer = undefined;
    },
    alive: () =>
      all
        .all()
        .filter((row) =>
          isAlive({ name: textIn(row, "name") ?? "", beatAt: Number(row["beat_at"]) }),
        )
        .map((row) => Number(row["id"])),
    isHeld: ({ owner }) => owner !== undefined && isAlive(owner),
    async [Symbol.asyncDispose]() {
      timer?.[Symbol.dispose]();
      await thread?.terminate();
      if (own !== undefined && database.isOpen) forgetOwner(database, own);
    },
  };
}

/** What a beat writes: the time, and whose it is. */
export const BEAT_SQL = "UPDATE owners SET beat_at = ? WHERE id = ?";

function forgetOwner(database: Sqlite["database"], id: number): void {
  try {
    database.prepare("DELETE FROM owners WHERE id = ?").run(id);
  } catch {
    // a full disk, a lock: the row says nothing once this process is gone, and closing must not hide why it closes
  }
}

type Owner = NonNullable<RunRow["owner"]>;

function hasBeaten({ name, beatAt }: Owner, leaseMs: number): boolean {
  return lookAtOwner(name) !== "gone" && beatAt > systemClock.now() - leaseMs;
}

function startThread(beating: Beating): Worker {
  const name = import.meta.url.endsWith(".ts") ? "beat-thread.ts" : "beat-thread.js";
  const thread = new Worker(new URL(name, import.meta.url), { workerData: beating, stdout: false });
  thread.on("error", () => undefined); // its lease runs out: others take the runs, and the fence keeps them apart
  thread.unref();
  return thread;
}
