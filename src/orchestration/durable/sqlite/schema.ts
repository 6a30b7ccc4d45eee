// The tables of the journal's file. The n-th script takes a file from version n-1 to n; released ones are never edited.
//
// Rowid tables with a unique index: WITHOUT ROWID tripled the file. Runs are numbers inside, texts outside.

/** Scripts for openSqlite. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE owners (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, beat_at REAL NOT NULL);
   CREATE TABLE runs (
     id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL UNIQUE, flow TEXT NOT NULL, version TEXT NOT NULL,
     phase TEXT NOT NULL, input TEXT NOT NULL, output TEXT, error TEXT,
     queue TEXT, priority INTEGER NOT NULL, tenant TEXT, due_at REAL NOT NULL,
     created_at REAL NOT NULL, begun_at REAL, ended_at REAL,
     owner INTEGER, fence INTEGER NOT NULL, timeout_ms REAL, executions INTEGER NOT NULL DEFAULT 0, cancelled TEXT);
   CREATE INDEX runs_due ON runs (priority, id) WHERE ended_at IS NULL AND queue IS NOT NULL;
   CREATE INDEX runs_queued ON runs (queue) WHERE phase = 'queued' AND queue IS NOT NULL;
   CREATE INDEX runs_busy ON runs (queue, tenant, owner) WHERE phase = 'running' AND queue IS NOT NULL;
   CREATE INDEX runs_begun ON runs (queue, begun_at) WHERE queue IS NOT NULL;
   CREATE INDEX runs_cancelled ON runs (id) WHERE cancelled IS NOT NULL AND ended_at IS NULL;
   CREATE TABLE steps (
     run INTEGER NOT NULL, key TEXT NOT NULL, seq INTEGER, begun INTEGER NOT NULL, ok INTEGER,
     at REAL NOT NULL, ms REAL, value TEXT);
   CREATE UNIQUE INDEX steps_by_key ON steps (run, key);
   CREATE TABLE signals (id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, at REAL NOT NULL);
   CREATE UNIQUE INDEX signals_by_name ON signals (run, name);
   CREATE TABLE blobs (run INTEGER NOT NULL, name TEXT NOT NULL);
   CREATE INDEX blobs_by_run ON blobs (run);
   CREATE INDEX blobs_by_name ON blobs (name);
   CREATE TABLE queues (name TEXT PRIMARY KEY, limits TEXT NOT NULL);`,
];

/** Most bytes of a value in a row; larger ones are blobs. */
export const MAX_VALUE_BYTES: number = 1_048_576;
