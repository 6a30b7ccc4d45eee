// The store: the RunEvents of every run, in one SQLite file under the data folder.
//
// Events are written in groups: one transaction for everything that all runs emitted within some milliseconds.
//
// Invariants
//   E1  An event is called kept only after its transaction was committed; events of a run are kept in the order of their `seq`.
//   E2  A run whose process is gone shows as "interrupted", never as running.
//   E3  After an event of a run could not be kept, none of its later ones is: what is kept of a run is its beginning, without gaps.

import { join } from "node:path";
import { systemClock, type Timer } from "../../clock.ts";
import { BosunError } from "../../error.ts";
import { type JsonObject, parseJson } from "../../json.ts";
import type { RunEvent, RunStatus } from "../../orchestration/run/event.ts";
import type { Recorder } from "../../orchestration/run/log.ts";
import { lookAtOwner, OWNER } from "../../owner.ts";
import { openSqlite, type Sqlite, toSqliteError } from "../../sqlite.ts";

/** One run as a list shows it. Times are ms since 1970. */
export type RunSummary = {
  readonly runId: string;
  readonly crew: string;
  /** "waiting": for a person; the store itself does not know of it. */
  readonly status: RunStatus | "running" | "waiting" | "interrupted";
  readonly startedAt: number;
  readonly endedAt: number | undefined;
};

/** Once it is closed every use fails with `store/failed`. */
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
  /**
   * Goes on with a run that has not ended: this process records it from now on. A run that is not there yet is no error.
   * @returns its events so far.
   */
  resume(runId: string): readonly RunEvent[];
  /** What was asked and answered in the runs of a conversation that ended well: the newest `limit`, oldest first. */
  session(
    name: string,
    limit: number,
  ): readonly { readonly inputs: JsonObject; readonly raw: string }[];
  /** Writes what is waiting and closes the file. */
  close(): void;
}

const MIGRATIONS = [
  `CREATE TABLE runs (
     id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL UNIQUE, crew TEXT NOT NULL, status TEXT NOT NULL,
     started_at REAL NOT NULL, ended_at REAL, owner TEXT NOT NULL);
   CREATE TABLE events (run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, seq INTEGER NOT NULL, body TEXT NOT NULL);
   CREATE UNIQUE INDEX events_by_run ON events (run, seq);`,
  `ALTER TABLE runs ADD COLUMN session TEXT;
   CREATE INDEX runs_by_session ON runs (session) WHERE session IS NOT NULL;`,
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
  const rowsOf = (sql: string, ...values: readonly (string | number)[]): readonly Row[] => {
    try {
      return database.prepare(sql).all(...values);
    } catch (error) {
      throw toSqliteError(error, path, "read runs from");
    }
  };
  const all = "SELECT run_id, crew, status, started_at, ended_at, owner FROM runs";
  const eventsOf = (runId: string): readonly RunEvent[] => {
    const ofRun =
      "SELECT body FROM events JOIN runs ON runs.id = events.run WHERE run_id = ? ORDER BY seq LIMIT ?";
    const rows = rowsOf(ofRun, runId, MAX_EVENTS);
    return rows.map((row) => parseJson(String(row["body"])) as RunEvent); // `as`: only the writer below fills this column
  };
  return {
    path,
    record: writer.record,
    list({ limit = 50, status } = {}) {
      return rowsOf(`${all} ORDER BY id DESC LIMIT ?`, MAX_RUNS)
        .map(toSummary)
        .filter((run) => status === undefined || run.status === status)
        .slice(0, limit);
    },
    find(idOrPrefix) {
      const [exact] = rowsOf(`${all} WHERE run_id = ?`, idOrPrefix);
      if (exact) return toSummary(exact);
      const some = rowsOf(`${all} WHERE substr(run_id, 1, length(?1)) = ?1 LIMIT 2`, idOrPrefix);
      return some.length === 1 && some[0] ? toSummary(some[0]) : undefined;
    },
    events: eventsOf,
    resume(runId) {
      writer.drain();
      writer.adopt(runId);
      return eventsOf(runId);
    },
    session(name, limit) {
      const rows = rowsOf(OF_SESSION, name, limit);
      return rows.toReversed().map((row) => {
        const { inputs } = parseJson(String(row["first"])) as { inputs: JsonObject }; // `as`: run-start is a run's first event
        const { raw } = parseJson(String(row["last"])) as { raw: string }; // `as`: run-end is its last
        return { inputs, raw };
      });
    },
    close() {
      writer.drain();
      sqlite.close();
    },
  };
}

const OF_SESSION = `SELECT
    (SELECT body FROM events WHERE run = runs.id ORDER BY seq LIMIT 1) AS first,
    (SELECT body FROM events WHERE run = runs.id ORDER BY seq DESC LIMIT 1) AS last
  FROM runs WHERE session = ? AND status IN ('done', 'partial') ORDER BY id DESC LIMIT ?`;

type Row = Readonly<Record<string, unknown>>;

type Writer = {
  readonly record: Recorder;
  drain(): void;
  /** The run of an earlier process is recorded by this one. */
  adopt(runId: string): void;
};

/** Groups the events of all runs into transactions (E1). */
function createWriter(sqlite: Sqlite): Writer {
  const inserter = createInserter(sqlite);
  let waiting: Waiting[] = [];
  let timer: Timer | undefined;
  const keep = (batch: readonly Waiting[]): BosunError | undefined => {
    try {
      inserter.insert(batch.map(({ event }) => event));
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
    if (waiting.length === 0) return; // the run-end of another run has taken all
    const batch = waiting.slice(0, MAX_BATCH);
    waiting = waiting.slice(MAX_BATCH);
    if (waiting.length > 0) setImmediate(flush);
    // Together; and when that fails, run by run, so that the events of one cannot take those of the others with them.
    if (keep(batch) === undefined) settle(batch, undefined);
    else
      for (const [runId, ofRun] of Map.groupBy(batch, ({ event }) => event.runId)) {
        const failure = keep(ofRun);
        // E3. A failed run-start leaves the run that has this id already alone.
        if (failure && !(ofRun[0] && isBeginning(ofRun[0].event))) inserter.forget(runId);
        settle(ofRun, failure);
      }
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
    adopt: (runId) => inserter.adopt(runId),
  };
}

/** Row ids of runs that were begun and not ended; undefined for one that ends. */
type RowIds = Map<string, number | undefined>;

type Inserter = {
  /** Keeps all of them, or throws and keeps none. */
  insert(events: readonly RunEvent[]): void;
  /** Later events of this run fail. */
  forget(runId: string): void;
  adopt(runId: string): void;
};

function createInserter(sqlite: Sqlite): Inserter {
  const insertOne = createInsertOne(sqlite);
  const adopt = sqlite.database.prepare(
    "UPDATE runs SET owner = ? WHERE run_id = ? AND status = 'running' RETURNING id",
  );
  const rowIds = new Map<string, number>();
  return {
    insert(events) {
      // Ids are noted after the commit: those of a transaction that was rolled back belong to nobody.
      const changed: RowIds = new Map();
      const rowOf = (runId: string): number | undefined =>
        changed.has(runId) ? changed.get(runId) : rowIds.get(runId);
      sqlite.transaction(() => {
        for (const event of events) changed.set(event.runId, insertOne(event, rowOf(event.runId)));
      });
      for (const [runId, row] of changed) {
        if (row === undefined) rowIds.delete(runId);
        else rowIds.set(runId, row);
      }
    },
    forget: (runId) => void rowIds.delete(runId),
    adopt(runId) {
      const row = adopt.get(OWNER, runId);
      if (row) rowIds.set(runId, Number(row["id"]));
    },
  };
}

/** Inserts an event of the run with this row, and returns the run's row from then on. */
function createInsertOne({
  database,
}: Sqlite): (event: RunEvent, row: number | undefined) => number | undefined {
  const insertRun = database.prepare(
    "INSERT INTO runs (run_id, crew, session, status, started_at, owner) VALUES (?, ?, ?, 'running', ?, ?) RETURNING id",
  );
  const endRun = database.prepare("UPDATE runs SET status = ?, ended_at = ? WHERE id = ?");
  const insertEvent = database.prepare("INSERT INTO events (run, seq, body) VALUES (?, ?, ?)");
  return (event, known) => {
    const { runId, type, at, seq } = event;
    const row = isBeginning(event)
      ? Number(insertRun.get(runId, ...beginningOf(event), at, OWNER)?.["id"])
      : known;
    if (row === undefined) {
      throw new BosunError(
        "store/failed",
        `event ${seq} of run ${runId} is not kept, because an earlier one could not be. Look at the first error of this run`,
      );
    }
    insertEvent.run(row, seq, JSON.stringify(event));
    if (type !== "run-end") return row;
    endRun.run(event.status, at, row);
    return undefined;
  };
}

type Beginning = Extract<RunEvent, { readonly type: "run-start" | "flow-start" }>;

/** Whether it is a run's first event. */
function isBeginning(event: RunEvent): event is Beginning {
  return event.type === "run-start" || event.type === "flow-start";
}

/** The crew's or the flow's name, and the conversation. */
function beginningOf(event: Beginning): readonly [string, string | null] {
  return event.type === "run-start" ? [event.crew, event.session ?? null] : [event.flow, null];
}

function toSummary(row: Row): RunSummary {
  const status = String(row["status"]) as RunStatus | "running"; // `as`: only this file fills this column
  const isGone = status === "running" && lookAtOwner(String(row["owner"])) === "gone";
  return {
    runId: String(row["run_id"]),
    crew: String(row["crew"]),
    status: isGone ? "interrupted" : status,
    startedAt: Number(row["started_at"]),
    endedAt: row["ended_at"] === null ? undefined : Number(row["ended_at"]),
  };
}
