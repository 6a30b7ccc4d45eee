// One way to open, migrate and close a node:sqlite file.
//
// DatabaseSync blocks the event loop for the length of a statement: callers keep statements short and batch their writes.
// Several processes may have one file open (WAL): a writer that finds another one waits for it, busyTimeoutMs at most.
// Importing this file imports node:sqlite, which takes half a millisecond.
//
// Invariants
//   S1  A file whose schema is newer than this version knows is never written to.
//   S2  All pending migrations are one transaction: a file has all of them or none.

import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  statfsSync,
} from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { BosunError, isBosunError, messageOf } from "./error.ts";

/** Options of `openSqlite`. */
export type SqliteOptions = {
  /** What a commit waits for. "normal" survives the death of the process, "full" also the loss of power. Default "normal". */
  readonly synchronous?: "normal" | "full" | undefined;
  /** Lets `PRAGMA incremental_vacuum` give pages back. Only a new file takes it. Default false. */
  readonly isVacuumed?: boolean | undefined;
  /** How long a statement waits for another process's lock, in milliseconds. Default 5,000. */
  readonly busyTimeoutMs?: number | undefined;
};

/** An open database with its newest schema. Disposing it closes it. */
export interface Sqlite extends Disposable {
  readonly path: string;
  readonly database: DatabaseSync;
  /** Runs `work`, which must be synchronous, as one transaction: all of its writes are kept, or none when it throws. Not nested. */
  transaction<T>(work: () => T): T;
  /** Closes the file. A second call does nothing. */
  close(): void;
}

/**
 * Opens a file, or memory, and brings it to its newest schema.
 * @param path A file, made with its directory when it is not there, or ":memory:".
 * @param migrations SQL scripts; the n-th takes a file from `user_version` n-1 to n. One that was released is never edited, moved
 *   or removed: append another.
 * @throws BosunError `store/failed` with what is wrong, the path and what to do; `retryable` when another process holds a lock.
 */
export function openSqlite(
  path: string,
  migrations: readonly string[],
  options: SqliteOptions = {},
): Sqlite {
  const { synchronous = "normal", busyTimeoutMs = 5_000, isVacuumed = false } = options;
  let database: DatabaseSync | undefined;
  try {
    if (path !== MEMORY) prepareFile(path);
    database = new DatabaseSync(path, { timeout: busyTimeoutMs });
    // Before anything writes, and the journal mode does: a newer file stays as it is (S1).
    checkVersion(database, path, migrations.length);
    if (isVacuumed && versionOf(database) === 0) database.exec("PRAGMA auto_vacuum = INCREMENTAL");
    if (path !== MEMORY) enterWal(database);
    database.exec(`PRAGMA synchronous = ${synchronous === "full" ? "FULL" : "NORMAL"}`);
    migrate(database, path, migrations);
    return sqliteOf(database, path);
  } catch (error) {
    database?.close();
    throw toSqliteError(error, path, "open");
  }
}

/**
 * A failure of SQLite as a `store/failed` that says what to do. A BosunError is returned as it is.
 * @param doing What was tried, as a verb: "open", "write a run to".
 */
export function toSqliteError(error: unknown, path: string, doing: string): BosunError {
  if (isBosunError(error)) return error;
  if (hasCode(error, "ERR_INVALID_STATE")) {
    const message = `cannot ${doing} ${path}: this store is closed. Use it before it is closed, or open it again`;
    return new BosunError("store/failed", message, { cause: error });
  }
  const code = resultCodeOf(error);
  const advice = code === undefined ? undefined : ADVICE.get(code);
  const message = `cannot ${doing} ${path}: ${messageOf(error)}. ${advice ?? "Look at the file and its directory, or give another path"}`;
  return new BosunError("store/failed", message, {
    cause: error,
    retryable: code === BUSY || code === LOCKED,
  });
}

/** Does `work`; what SQLite says against it becomes a `store/failed`. Other errors are thrown as they are. */
export async function orStoreFailed<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isSqlites = hasCode(error, "ERR_SQLITE_ERROR") || hasCode(error, "ERR_INVALID_STATE");
    throw isSqlites ? toSqliteError(error, path, "use") : error;
  }
}

const MEMORY = ":memory:";
/** Primary result codes. Source: sqlite.org/rescode.html. */
const [BUSY, LOCKED, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB] = [
  5, 6, 8, 10, 11, 13, 14, 26,
];

const ADVICE: ReadonlyMap<number, string> = new Map([
  [BUSY, "Another process holds its lock: try again, or stop that process"],
  [LOCKED, "Another statement holds its lock: try again"],
  [
    READONLY,
    "The file is read-only: give this user the right to write the file and its directory, or give another path",
  ],
  [IOERR, "The disk failed to read or write: look at the disk and its free space"],
  [CORRUPT, "The file is damaged: restore a copy, or move it away, and a new one is made"],
  [FULL, "The disk is full: free some space"],
  [
    CANTOPEN,
    "It cannot be opened as a file: look whether it is a directory, and at the rights of its directory",
  ],
  [
    NOTADB,
    "The file is not an SQLite database, or it is damaged: give another path, or move it away, and a new one is made",
  ],
]);

/** Makes the directory and the file, for this user alone: what Bosun stores holds prompts. What is there keeps its mode. */
function prepareFile(path: string): void {
  makeFolder(path, dirname(path));
  checkFileSystem(path, statfsSync(dirname(path)).type);
  if (!existsSync(path)) {
    makeFile(path);
    return;
  }
  try {
    // SQLite opens a file that it may not write read-only, and says so only at the first write.
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw new BosunError(
      "store/failed",
      `cannot open ${path}: this user may not write it. ${ADVICE.get(READONLY)}`,
      { cause },
    );
  }
}

/**
 * WAL keeps its index in memory that all processes of one host share: over a network it would be damaged sooner or later.
 * @param type What statfs says of the file's directory on Linux; elsewhere nothing is known.
 * @throws BosunError `store/failed` on a network file system.
 */
export function checkFileSystem(path: string, type: number): void {
  const name = NETWORK_FILE_SYSTEMS.get(type >>> 0); // one of them has its highest bit set
  if (name === undefined || process.platform !== "linux") return;
  throw new BosunError(
    "store/failed",
    `cannot open ${path}: it would lie on ${name}, a network file system, where SQLite damages files that two hosts write. Give a folder on a disk of this host, as --data FOLDER or BOSUN_DATA: a block volume that is mounted by one host is one`,
  );
}

/** By f_type. Source: Linux 6.12, include/uapi/linux/magic.h and the file systems' own headers. What may be local too (9p, FUSE, overlay) is not here. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x5346414f, "AFS"],
]);

/** One by one: mkdirSync with `recursive` never returns where the kernel says ENOENT below a directory that exists, such as /proc. */
function makeFolder(path: string, folder: string): void {
  const missing: string[] = [];
  // Bounded by the length of the path: "." and the root exist.
  for (let at = folder; !existsSync(at) && at !== dirname(at); at = dirname(at)) missing.push(at);
  for (const one of missing.toReversed()) {
    try {
      mkdirSync(one, { mode: 0o700 });
    } catch (cause) {
      if (hasCode(cause, "EEXIST")) continue; // another process made it meanwhile
      throw new BosunError(
        "store/failed",
        `cannot open ${path}: the directory ${one} cannot be made: ${messageOf(cause)}. Give a folder that this user may write, as --data FOLDER or BOSUN_DATA`,
        { cause },
      );
    }
  }
}

/** An empty file is an empty database to SQLite, which makes the files beside it (-wal, -shm) with the same mode. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error; // another process made it meanwhile
  }
}

/** Most tries to switch a new file to WAL; of 8 processes that open one at once, 1 in 25 needs a second try. */
const MAX_WAL_TRIES = 100;

/** Switching to WAL needs the file alone, and SQLite does not wait for that: it fails at once when another process opens the file. */
function enterWal(database: DatabaseSync): void {
  for (let tries = 1; ; tries++) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (resultCodeOf(error) !== BUSY || tries === MAX_WAL_TRIES) throw error;
      inTransaction(database, () => undefined); // this does wait for the other process
    }
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
}

function checkVersion(database: DatabaseSync, path: string, known: number): number {
  const version = versionOf(database);
  if (version <= known) return version;
  throw new BosunError(
    "store/failed",
    `cannot open ${path}: its schema is version ${version}, this version of Bosun knows up to ${known}. Update Bosun, or give another path; the file is left as it was`,
    { details: { version, known } },
  );
}

function migrate(database: DatabaseSync, path: string, migrations: readonly string[]): void {
  if (versionOf(database) === migrations.length) return;
  inTransaction(database, () => {
    // Read again under the write lock: another process may have migrated it meanwhile.
    const from = checkVersion(database, path, migrations.length);
    for (const [index, script] of migrations.entries()) {
      if (index < from) continue;
      try {
        database.exec(script);
      } catch (cause) {
        if (resultCodeOf(cause) !== SQL_ERROR) throw cause;
        const what = `migration ${index + 1} of ${migrations.length} failed: ${messageOf(cause)}`;
        throw new BosunError(
          "store/failed",
          `cannot open ${path}: ${what}. The file is left at version ${from}; report this with its path`,
          { cause },
        );
      }
    }
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

/** SQLITE_ERROR: wrong SQL, or SQL that does not fit what the file holds. */
const SQL_ERROR = 1;

function sqliteOf(database: DatabaseSync, path: string): Sqlite {
  const close = (): void => {
    if (database.isOpen) database.close();
  };
  return {
    path,
    database,
    transaction: (work) => inTransaction(database, work),
    close,
    [Symbol.dispose]: close,
  };
}

/** IMMEDIATE: the write lock is taken at the start, where waiting for it is still possible. */
function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // Some failures (disk full) have already rolled back.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** The primary result code of an error of node:sqlite. */
function resultCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return Number(error.errcode) & 0xff;
}
