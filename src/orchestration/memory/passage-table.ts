// The tables of a search index: documents, their passages, and the words that FTS5 finds them by. rank.ts reads them.
//
// Texts are kept once: the index itself is contentless.

import type { Sqlite } from "../../sqlite.ts";
import { toIndexed, withSpellings } from "./indexed.ts";
import type { Passage } from "./passage.ts";

/** What the tables know of a document. `stamp` tells whether it has changed. */
export type IndexedFile = {
  readonly path: string;
  readonly source: string;
  readonly stamp: string;
};

/** The columns of `word` are those that rank.ts weighs. */
export const PASSAGE_SCHEMA = `
  CREATE TABLE file (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, source TEXT NOT NULL, stamp TEXT NOT NULL, is_read INTEGER NOT NULL);
  CREATE TABLE passage (id INTEGER PRIMARY KEY, file INTEGER NOT NULL, section TEXT NOT NULL, text TEXT NOT NULL);
  CREATE INDEX passage_file ON passage (file);
  CREATE VIRTUAL TABLE word USING fts5 (
    self, prev, next, headings, content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2'
  );`;

/** Puts a document into the index, in the place of what it was; undefined marks one that cannot be read. */
export function replacePassages(
  store: Sqlite,
  file: IndexedFile,
  passages: readonly Passage[] | undefined,
): void {
  const { database } = store;
  removePassages(store, file.path);
  store.transaction(() => {
    const { lastInsertRowid: id } = database
      .prepare("INSERT INTO file (path, source, stamp, is_read) VALUES (?, ?, ?, ?)")
      .run(file.path, file.source, file.stamp, passages ? 1 : 0);
    const insertPassage = database.prepare(
      "INSERT INTO passage (file, section, text) VALUES (?, ?, ?)",
    );
    const insertWords = database.prepare(
      "INSERT INTO word (rowid, self, prev, next, headings) VALUES (?, ?, ?, ?, ?)",
    );
    const indexed = (passages ?? []).map(({ text }) => toIndexed(text));
    for (const [index, passage] of (passages ?? []).entries()) {
      const { lastInsertRowid: rowid } = insertPassage.run(id, passage.section, passage.text);
      // A section's neighbours are its own: the next section is about something else.
      const neighbour = (at: number): string =>
        passages?.[at]?.headings === passage.headings ? (indexed[at] ?? "") : "";
      insertWords.run(
        rowid,
        indexed[index] ?? "",
        neighbour(index - 1),
        neighbour(index + 1),
        withSpellings(passage.headings),
      );
    }
  });
}

/** Takes a document out of the index. */
export function removePassages(store: Sqlite, path: string): void {
  const { database } = store;
  store.transaction(() => {
    database
      .prepare(
        "DELETE FROM word WHERE rowid IN (SELECT passage.id FROM passage JOIN file ON file.id = passage.file WHERE path = ?)",
      )
      .run(path);
    database
      .prepare("DELETE FROM passage WHERE file IN (SELECT id FROM file WHERE path = ?)")
      .run(path);
    database.prepare("DELETE FROM file WHERE path = ?").run(path);
  });
}
