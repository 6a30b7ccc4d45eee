import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BosunError } from "../src/error.ts";
import { checkFileSystem, openSqlite, toSqliteError } from "../src/sqlite.ts";

const FIRST = "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)";
const SECOND = "ALTER TABLE note ADD COLUMN at INTEGER NOT NULL DEFAULT 0";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bosun-sqlite-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The error that `work` throws. */
function failureOf(work: () => unknown): BosunError {
  try {
    work();
  } catch (error) {
    if (error instanceof BosunError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

describe("openSqlite", () => {
  it("makes the directory and the file, for this user alone", () => {
    const path = join(folder, "a", "b", "store.sqlite");

    using store = openSqlite(path, [FIRST]);

    expect(store.path).toBe(path);
    expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o700);
    expect(statSync(path).isFile()).toBe(true);
  });

  it("makes files for this user alone in a directory that others may read", () => {
    chmodSync(folder, 0o755);
    const path = join(folder, "store.sqlite");

    using store = openSqlite(path, [FIRST]);
    store.database.exec("INSERT INTO note (text) VALUES ('secret')");

    const modes = [path, `${path}-wal`, `${path}-shm`].map((file) => statSync(file).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600, 0o600]);
  });

  it("leaves the mode of a file that exists as it is", () => {
    const path = join(folder, "store.sqlite");
    writeFileSync(path, "");
    chmodSync(path, 0o640);

    using store = openSqlite(path, [FIRST]);

    expect(statSync(store.path).mode & 0o777).toBe(0o640);
  });

  it("says that it is closed to whoever writes after that", () => {
    const store = openSqlite(join(folder, "store.sqlite"), [FIRST]);
    store.close();

    const closed = failureOf(() => {
      try {
        store.transaction(() => undefined);
      } catch (error) {
        throw toSqliteError(error, store.path, "write to");
      }
    });

    expect(closed.code).toBe("store/failed");
    expect(closed.message).toContain("this store is closed");
  });

  it("writes ahead, syncs as asked and waits five seconds for a lock", () => {
    using store = openSqlite(join(folder, "store.sqlite"), [FIRST]);
    using durable = openSqlite(join(folder, "journal.sqlite"), [FIRST], {
      synchronous: "full",
      busyTimeoutMs: 7,
    });

    expect(pragma(store.database, "journal_mode")).toBe("wal");
    expect(pragma(store.database, "synchronous")).toBe(1);
    expect(pragma(store.database, "busy_timeout")).toBe(5_000);
    expect(pragma(durable.database, "synchronous")).toBe(2);
    expect(pragma(durable.database, "busy_timeout")).toBe(7);
  });

  it("opens memory without touching the disk", () => {
    using store = openSqlite(":memory:", [FIRST]);

    store.database.exec("INSERT INTO note (text) VALUES ('kept nowhere')");

    expect(store.database.prepare("SELECT text FROM note").get()).toEqual({ text: "kept nowhere" });
  });

  it("applies only the migrations that a file lacks, and keeps its rows", () => {
    const path = join(folder, "store.sqlite");
    {
      using old = openSqlite(path, [FIRST]);
      old.database.exec("INSERT INTO note (text) VALUES ('old')");
    }

    using store = openSqlite(path, [FIRST, SECOND]);

    expect(store.database.prepare("SELECT text, at FROM note").all()).toEqual([
      { text: "old", at: 0 },
    ]);
    expect(store.database.prepare("PRAGMA user_version").get()).toEqual({ user_version: 2 });
  });

  it("applies nothing to a file that is up to date", () => {
    const path = join(folder, "store.sqlite");
    openSqlite(path, [FIRST, SECOND]).close();

    using store = openSqlite(path, [FIRST, SECOND]); // a second CREATE TABLE would throw

    expect(store.database.prepare("PRAGMA user_version").get()).toEqual({ user_version: 2 });
  });

  it("leaves a file as it was when one of its migrations fails", () => {
    const path = join(folder, "store.sqlite");
    openSqlite(path, [FIRST]).close();

    const failure = failureOf(() => openSqlite(path, [FIRST, SECOND, "CREATE TABEL wrong (x)"]));

    expect(failure.code).toBe("store/failed");
    expect(failure.message).toContain("migration 3 of 3");
    expect(failure.message).toContain(path);
    using store = openSqlite(path, [FIRST]); // still version 1: SECOND was rolled back
    expect(store.database.prepare("PRAGMA table_info(note)").all()).toHaveLength(2);
  });

  it("refuses a file with a newer schema and leaves its bytes untouched", () => {
    const path = join(folder, "store.sqlite");
    openSqlite(path, [FIRST, SECOND]).close();
    const before = readFileSync(path);

    const failure = failureOf(() => openSqlite(path, [FIRST]));

    expect(failure.code).toBe("store/failed");
    expect(failure.message).toContain("version 2");
    expect(failure.message).toContain("Update Bosun");
    expect(failure.details).toEqual({ version: 2, known: 1 });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("does not turn a newer file that is not in WAL mode into one", () => {
    const path = join(folder, "store.sqlite");
    const other = new DatabaseSync(path);
    other.exec("PRAGMA user_version = 9");
    other.close();
    const before = readFileSync(path);

    failureOf(() => openSqlite(path, [FIRST]));

    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("says that a file is no database, and leaves it", () => {
    const path = join(folder, "notes.txt");
    writeFileSync(path, "This is a text and not a database. ".repeat(50));

    const failure = failureOf(() => openSqlite(path, [FIRST]));

    expect(failure.code).toBe("store/failed");
    expect(failure.message).toContain(path);
    expect(failure.message).toContain("not an SQLite database");
    expect(readFileSync(path, "utf8")).toContain("This is a text");
  });

  it("says that a file is damaged", () => {
    const path = join(folder, "store.sqlite");
    {
      using store = openSqlite(path, [FIRST]);
      store.transaction(() => {
        for (let row = 0; row < 500; row++) {
          store.database.prepare("INSERT INTO note (text) VALUES (?)").run("x".repeat(100));
        }
      });
    }
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 100); // the header stays, everything after it is noise
    writeFileSync(path, bytes);

    const failure = failureOf(() => openSqlite(path, [FIRST, SECOND]));

    expect(failure.code).toBe("store/failed");
    expect(failure.message).toContain("damaged");
  });

  it("says that a directory is not a file", () => {
    const path = join(folder, "store.sqlite");
    mkdirSync(path);

    const failure = failureOf(() => openSqlite(path, [FIRST]));

    expect(failure.code).toBe("store/failed");
    expect(failure.message).toContain("whether it is a directory");
  });

  it("says that the directory cannot be made", () => {
    writeFileSync(join(folder, "file"), "");

    const failure = failureOf(() => openSqlite(join(folder, "file", "store.sqlite"), [FIRST]));

    expect(failure.code).toBe("store/failed");
    expect(failure.message).toContain("give another path");
  });

  it.skipIf(process.getuid?.() === 0)(
    "says that a file is read-only before anything is written",
    () => {
      const path = join(folder, "store.sqlite");
      openSqlite(path, [FIRST]).close();
      chmodSync(path, 0o444);

      const failure = failureOf(() => openSqlite(path, [FIRST]));

      expect(failure.code).toBe("store/failed");
      expect(failure.message).toContain("read-only");
    },
  );
});

describe("Sqlite", () => {
  it("keeps all writes of a transaction, or none when it throws", () => {
    using store = openSqlite(":memory:", [FIRST]);
    const insert = store.database.prepare("INSERT INTO note (text) VALUES (?)");

    const result = store.transaction(() => insert.run("kept").changes);
    const broken = (): never =>
      store.transaction(() => {
        insert.run("lost");
        throw new RangeError("half-way");
      });

    expect(result).toBe(1);
    expect(broken).toThrow(RangeError);
    expect(store.database.prepare("SELECT text FROM note").all()).toEqual([{ text: "kept" }]);
  });

  it("can be closed twice", () => {
    const store = openSqlite(":memory:", [FIRST]);

    store.close();
    store.close();

    expect(store.database.isOpen).toBe(false);
  });
});

describe("toSqliteError", () => {
  it("names a read-only file", () => {
    const path = join(folder, "store.sqlite");
    openSqlite(path, [FIRST]).close();
    using reader = new DatabaseSync(path, { readOnly: true });

    const failure = failureOf(() => {
      try {
        reader.exec("INSERT INTO note (text) VALUES ('x')");
      } catch (error) {
        throw toSqliteError(error, path, "write a note to");
      }
    });

    expect(failure.message).toContain(`cannot write a note to ${path}`);
    expect(failure.message).toContain("read-only");
    expect(failure.retryable).toBe(false);
  });

  it("is retryable when another connection holds the lock", () => {
    const path = join(folder, "store.sqlite");
    using holder = openSqlite(path, [FIRST]);
    using waiter = openSqlite(path, [FIRST], { busyTimeoutMs: 1 });
    holder.database.exec("BEGIN IMMEDIATE");

    const failure = failureOf(() => {
      try {
        waiter.transaction(() => undefined);
      } catch (error) {
        throw toSqliteError(error, path, "write to");
      }
    });

    expect(failure.code).toBe("store/failed");
    expect(failure.retryable).toBe(true);
    expect(failure.message).toContain("Another process holds its lock");
  });

  it("passes a BosunError through", () => {
    const error = new BosunError("tool/failed", "mine");

    expect(toSqliteError(error, "p", "open")).toBe(error);
  });
});

describe("a network file system", () => {
  it.runIf(process.platform === "linux").each([
    [0x6969, "NFS"],
    [0x517b, "SMB"],
    [0xff534d42, "CIFS"],
    [0xff534d42 | 0, "CIFS"], // as a 32-bit system gives it
    [0xfe534d42, "SMB2"],
    [0x00c36400, "Ceph"],
    [0x0bd00bd0, "Lustre"],
    [0x5346414f, "AFS"],
  ])("is refused by what statfs says of it (%i, %s), with what to do", (type, name) => {
    const refused = failureOf(() => checkFileSystem("/data/journal.db", type));

    expect(refused.code).toBe("store/failed");
    expect(refused.message).toContain(`/data/journal.db: it would lie on ${name}`);
    expect(refused.message).toContain("--data FOLDER or BOSUN_DATA");
  });

  it.each([
    ["ext4", 0xef53],
    ["xfs", 0x58465342],
    ["tmpfs", 0x01021994],
    ["overlay", 0x794c7630],
    ["9p", 0x01021997],
    ["FUSE", 0x65735546],
  ])("is not what containers and disks have: %s", (_, type) => {
    expect(() => checkFileSystem("/data/journal.db", type)).not.toThrow();
  });
});
