// A search over the documents of folders: an FTS5 index in memory, made at the first search and kept up with the files.
//
// Texts are kept once: the index itself is contentless. Any number of searches may run at once; they share one look at the files.
// How passages are ranked: rank.ts.
//
// Invariants
//   I1  No file is open between two calls.
//   I2  A search sees the files as they were at most `refreshMs` before it.

import { strict as assert } from "node:assert";
import { extname } from "node:path";
import { type Clock, systemClock } from "../../clock.ts";
import { parseJson } from "../../json.ts";
import { openSqlite, type Sqlite } from "../../sqlite.ts";
import { readTextFile } from "./file.ts";
import { type DocumentFile, type FolderBounds, listDocuments, MAX_FILE_BYTES } from "./folder.ts";
import { htmlToText } from "./html.ts";
import { jsonToText } from "./json-text.ts";
import { type Passage, toPassages } from "./passage.ts";
import { PASSAGE_SCHEMA, removePassages, replacePassages } from "./passage-table.ts";
import { type DocumentHits, findPassages } from "./rank.ts";

/** Options of `createDocumentIndex`. The bounds hold for each folder. */
export type DocumentIndexOptions = FolderBounds & {
  /** Folders with .md, .txt, .html and .json files. At least one. */
  readonly folders: readonly string[];
  /** How old the look at the files may be, in milliseconds. Default 2,000. */
  readonly refreshMs?: number | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
};

/** What is in an index. `skipped` counts documents that are too large, too many or not text. */
export type IndexSize = {
  readonly files: number;
  readonly passages: number;
  readonly skipped: number;
};

/** A search over documents. Disposing it frees its memory. */
export interface DocumentIndex extends Disposable {
  /**
   * The passages that answer a question in plain words best.
   * @throws BosunError `config/invalid` when a folder cannot be read, or the signal's reason.
   */
  search(
    question: string,
    options: { readonly limit?: number | undefined; readonly signal: AbortSignal },
  ): Promise<DocumentHits>;
  /** Looks at the files now, whatever `refreshMs` says. @throws as `search` does. */
  refresh(signal: AbortSignal): Promise<IndexSize>;
}

/** Makes an index. Nothing is read before the first search. */
export function createDocumentIndex(options: DocumentIndexOptions): DocumentIndex {
  const { folders, refreshMs = 2_000, clock = systemClock } = options;
  assert(folders.length > 0, "an index needs a folder");
  let store: Sqlite | undefined;
  let isDisposed = false;
  let checkedAt = Number.NEGATIVE_INFINITY;
  let pending: Promise<IndexSize> | undefined;

  const opened = (): Sqlite => {
    assert(!isDisposed, "the index was disposed");
    return (store ??= openSqlite(":memory:", [PASSAGE_SCHEMA]));
  };
  const update = async (signal: AbortSignal): Promise<IndexSize> => {
    signal.throwIfAborted();
    // Shared: one caller's abort does not stop the look that another one waits for; it is bounded by the files.
    pending ??= updateIndex(opened, options).finally(() => {
      pending = undefined;
    });
    const size = await pending;
    checkedAt = clock.now();
    signal.throwIfAborted();
    return size;
  };
  return {
    async search(question, { limit = 5, signal }) {
      if (clock.now() - checkedAt >= refreshMs) await update(signal);
      signal.throwIfAborted();
      return findPassages(opened().database, question, limit);
    },
    refresh: update,
    [Symbol.dispose]() {
      isDisposed = true;
      store?.close();
    },
  };
}

/** Brings the index to what the files are now: only files that are new or changed are read. */
async function updateIndex(
  opened: () => Sqlite,
  options: DocumentIndexOptions,
): Promise<IndexSize> {
  const lists = await Promise.all(options.folders.map((folder) => listDocuments(folder, options)));
  const files = new Map(lists.flatMap((list) => list.files.map((file) => [file.path, file])));
  const known = new Map(
    opened()
      .database.prepare("SELECT path, stamp FROM file")
      .all()
      .map(({ path, stamp }) => [String(path), stamp]),
  );
  for (const path of known.keys()) if (!files.has(path)) removePassages(opened(), path);
  for (const file of files.values()) {
    if (known.get(file.path) === file.stamp) continue;
    const passages = await readPassages(file, options.maxFileBytes ?? MAX_FILE_BYTES);
    replacePassages(opened(), file, passages);
  }
  const count = opened()
    .database.prepare(
      "SELECT (SELECT count(*) FROM file WHERE is_read) AS files, (SELECT count(*) FROM passage) AS passages",
    )
    .get();
  const read = Number(count?.["files"]);
  const skipped = lists.reduce((sum, list) => sum + list.skipped, files.size - read);
  return { files: read, passages: Number(count?.["passages"]), skipped };
}

/** Undefined for a file that is no text, or that is gone. */
async function readPassages(
  file: DocumentFile,
  maxBytes: number,
): Promise<readonly Passage[] | undefined> {
  const read = await readTextFile(file.path, maxBytes).catch(() => undefined); // counted as skipped
  if (read?.type !== "text") return undefined;
  switch (extname(file.path).toLowerCase()) {
    case ".html":
    case ".htm": {
      const { title, text } = htmlToText(read.text);
      return toPassages(title === undefined ? text : `# ${title}\n\n${text}`);
    }
    case ".json": {
      const value = parseJson(read.text);
      return toPassages(value === undefined ? read.text : jsonToText(value));
    }
    default:
      return toPassages(read.text);
  }
}
