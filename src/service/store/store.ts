// The store: the RunEvents of every run, in one SQLite file under the data folder.
//
// Events are written in groups: one transaction for everything that all runs emitted within some milliseconds.
//
// Invariants
//   E1  An event is called kept only after its transaction was committed; events of a run are kept in the order of their `seq`.
//   E2  A run whose process is gone shows as "interrupted", never as running.

import { strict as assert } from "node:assert";
import { hostname } from "node:os";
import { join } from "node:path";
import { systemClock, type Timer } from "../../clock.ts";
import type { BosunError } from "../../error.ts";
import { parseJson } from "../../json.ts";
import type { RunEvent, RunStatus } from "../../orchestration/run/event.ts";
import type { Recorder } from "../../orchestration/run/log.ts";
import { openSqlite, type Sqlite, toSqliteError } from "../../sqlite.ts";

/** One run as a list shows it. Times are ms since 1970. */
export type RunSummary = {
  readonly runId: string;
  readonly crew: string;
  readonly status: RunStatus | "running" | "interrupted";
  readonly startedAt: number;
  readonly endedAt: number | undefined;
};

export interface Store {
  readonly path: string;
  readonly record: Recorder;
  /** Newest first. `limit` default 50. */
  list(query?: {
    readonly limit?: number | undefined;
    readonly status?: string | undefined;
  }): readonly RunSummary[];
  /** The run with this id, or the only one whose id begins with it. */
  find(idOrPrefix: string): RunSummary | undefined;
  /** A run's events by `seq`. */
  events(runId: string): readonly RunEvent[];
  /** Writes what is waiting and closes the file. */
  close(): void;
}

const MIGRATIONS = [
  `CREATE TABLE runs (
     id INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, crew TEXT NOT NULL, status TEXT NOT NULL,
     started_at REAL NOT NULL, ended_at REAL, owner TEXT NOT NULL);
   CREATE TABLE events (run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, seq INTEGER NOT NULL, body TEXT NOT NULL);
   CREATE UNIQUE INDEX events_by_run ON events (run, seq);`,
];

/** Runs that are kept; older ones are removed when the store is opened. */
const MAX_RUNS = 10_000;
/** Most events of one transaction: a longer one would block the event loop. */
const MAX_BATCH = 1_000;
/** Most events of a run that are read back: over the bound of any run (tasks × iterations × tools). */
const MAX_EVENTS = 1_000_000;

/**
 * How long events wait for others, in real milliseconds on every clock: a transaction took 40 µs of CPU and an event in it 9 (profiled, 2-core VM).
 * A reader sees an event that much later; the store is not what a run resumes from.
 */
const GROUP_MS = 5;

type Waiting = { readonly event: RunEvent; readonly kept: (error: BosunError | undefined) => void };

/**
 * Opens the store of a data folder, which is made when it is not there.
 * @throws BosunError `store/failed` with the path and what to do.
 */
export function openStore(dataFolder: string): Store {
  const sqlite = openSqlite(join(dataFolder, "runs.db"), MIGRATIONS);
  const { database, path } = sqlite;
  database.exec(
    `PRAGMA foreign_keys = ON; DELETE FROM runs WHERE id <= (SELECT COALESCE(MAX(id), 0) - ${MAX_RUNS} FROM runs)`,
  );
  const writer = createWriter(sqlite);
  const all = "SELECT run_id, crew, status, started_at, ended_at, owner FROM runs";
  return {
    path,
    record: writer.record,
    list({ limit = 50, status } = {}) {
      const rows = database.prepare(`${all} ORDER BY id DESC LIMIT ?`).all(MAX_RUNS);
      return rows
        .map(toSummary)
        .filter((run) => status === undefined || run.status === status)
        .slice(0, limit);
    },
    find(idOrPrefix) {
      const exact = database.prepare(`${all} WHERE run_id = ?`).get(idOrPrefix);
      if (exact) return toSummary(exact);
      const some = database
        .prepare(`${all} WHERE substr(run_id, 1, length(?1)) = ?1 LIMIT 2`)
        .all(idOrPrefix);
      return some.length === 1 && some[0] ? toSummary(some[0]) : undefined;
    },
    events(runId) {
      const ofRun =
        "SELECT body FROM events JOIN runs ON runs.id = events.run WHERE run_id = ? ORDER BY seq LIMIT ?";
      const rows = database.prepare(ofRun).all(runId, MAX_EVENTS);
      return rows.map((row) => parseJson(String(row["body"])) as RunEvent); // `as`: only the writer below fills this column
    },
    close() {
      writer.drain();
      sqlite.close();
    },
  };
}

type Writer = { readonly record: Recorder; drain(): void };

/** Groups the events of all runs into transactions (E1). */
function createWriter(sqlite: Sqlite): Writer {
  const insert = createInsert(sqlite);
  let waiting: Waiting[] = [];
  let timer: Timer | undefined;
  const keep = (batch: readonly Waiting[]): BosunError | undefined => {
    try {
      sqlite.transaction(() => batch.forEach(({ event }) => insert(event)));
      return undefined;
    } catch (error) {
      return toSqliteError(error, sqlite.path, "write the events of a run to");
    }
  };
  const settle = (batch: readonly Waiting[], failure: BosunError | undefined): void => {
    for (const { kept } of batch) kept(failure);
  };
  const flush = (): void => {
    timer = undefined;
    const batch = waiting.slice(0, MAX_BATCH);
    waiting = waiting.slice(MAX_BATCH);
    if (waiting.length > 0) setImmediate(flush);
    // Together; and when that fails, run by run, so that the events of one cannot take those of the others with them.
    if (keep(batch) === undefined) settle(batch, undefined);
    else
      for (const ofRun of Map.groupBy(batch, ({ event }) => event.runId).values())
        settle(ofRun, keep(ofRun));
  };
  const flushSoon = (event: RunEvent): void => {
    if (event.type === "run-end") {
      timer?.[Symbol.dispose]();
      setImmediate(flush); // whoever waits for the run waits for this
    } else timer ??= systemClock.timer(GROUP_MS, flush);
  };
  return {
    record(event, kept) {
      waiting.push({ event, kept });
      flushSoon(event);
    },
    drain() {
      while (waiting.length > 0) flush();
    },
  };
}

function createInsert({ database }: Sqlite): (event: RunEvent) => void {
  const owner = `${process.pid}@${hostname()}`;
  const insertRun = database.prepare(
    "INSERT INTO runs (run_id, crew, status, started_at, owner) VALUES (?, ?, 'running', ?, ?) RETURNING id",
  );
  const endRun = database.prepare("UPDATE runs SET status = ?, ended_at = ? WHERE id = ?");
  const insertEvent = database.prepare("INSERT INTO events (run, seq, body) VALUES (?, ?, ?)");
  const rowIds = new Map<string, number>();
  return (event) => {
    const { runId, type, at } = event;
    if (type === "run-start")
      rowIds.set(runId, Number(insertRun.get(runId, event.crew, at, owner)?.["id"]));
    const row = rowIds.get(runId);
    assert(row !== undefined, `the first event of run ${runId} is not run-start`);
    insertEvent.run(row, event.seq, JSON.stringify(event));
    if (type !== "run-end") return;
    endRun.run(event.status, at, row);
    rowIds.delete(runId);
  };
}

function toSummary(row: Record<string, unknown>): RunSummary {
  const status = String(row["status"]) as RunStatus | "running"; // `as`: only this file fills this column
  const isGone = status === "running" && !isAlive(String(row["owner"]));
  return {
    runId: String(row["run_id"]),
    crew: String(row["crew"]),
    status: isGone ? "interrupted" : status,
    startedAt: Number(row["started_at"]),
    endedAt: row["ended_at"] === null ? undefined : Number(row["ended_at"]),
  };
}

/** Whether the process that wrote a run still lives; one on another host is taken to live (E2 holds for this host). */
function isAlive(owner: string): boolean {
  const [pid = "", host] = owner.split("@");
  if (host !== hostname()) return true;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"; // it lives and belongs to another user
  }
}
