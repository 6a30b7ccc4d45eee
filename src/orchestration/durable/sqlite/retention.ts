// Removes the oldest runs that have ended, a bounded number at a time, and the blobs that nobody needs any more.

import type { Blobs } from "../../../blob.ts";
import type { Sqlite } from "../../../sqlite.ts";
import { textIn } from "./cell.ts";

/** Most runs that one call removes: it blocks the event loop. */
const MAX_REMOVED = 200;
/** Pages that are given back to the file system at once. */
const MAX_PAGES = 1_000;

/** @param keep Runs that stay, the newest; those that have not ended stay in any case. @returns whether there may be more to remove. */
export function removeOld(sqlite: Sqlite, blobs: Blobs, keep: number): boolean {
  const { database } = sqlite;
  const oldest = database
    .prepare(
      `SELECT id FROM runs WHERE ended_at IS NOT NULL AND id <= (SELECT COALESCE(MAX(id), 0) - ? FROM runs) ORDER BY id LIMIT ${MAX_REMOVED}`,
    )
    .all(keep)
    .map(({ id }) => Number(id));
  if (oldest.length === 0) return false;
  const ids = JSON.stringify(oldest);
  const ofThem = "run IN (SELECT value FROM json_each(?))";
  const unused = sqlite.transaction(() => {
    const named = database.prepare(`SELECT DISTINCT name FROM blobs WHERE ${ofThem}`).all(ids);
    for (const table of ["steps", "signals", "blobs"])
      database.prepare(`DELETE FROM ${table} WHERE ${ofThem}`).run(ids);
    database.prepare("DELETE FROM runs WHERE id IN (SELECT value FROM json_each(?))").run(ids);
    const isUsed = database.prepare("SELECT 1 FROM blobs WHERE name = ? LIMIT 1");
    return named
      .map((row) => textIn(row, "name") ?? "")
      .filter((name) => isUsed.get(name) === undefined);
  });
  for (const name of unused) blobs.remove(name);
  database.exec(`PRAGMA incremental_vacuum(${MAX_PAGES})`);
  return oldest.length === MAX_REMOVED;
}
