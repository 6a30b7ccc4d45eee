// The documents below a folder, within bounds. Looks at names, sizes and times only: nothing is read here.

import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { basename, extname, join, relative, resolve, sep } from "node:path";
import { BosunError, messageOf } from "../../error.ts";

/** How much is looked at. What is beyond is left out and counted. */
export type FolderBounds = {
  /** Default 2,000. */
  readonly maxFiles?: number | undefined;
  /** Of one file. Default 1 MiB. */
  readonly maxFileBytes?: number | undefined;
  /** Of all files together. Default 64 MiB. */
  readonly maxTotalBytes?: number | undefined;
  /** Levels of folders. Default 8. */
  readonly maxDepth?: number | undefined;
};

/** A document as it is on the disk. */
export type DocumentFile = {
  readonly path: string;
  /** How it is quoted: relative to the parent of its folder, "docs/guide/start.md". */
  readonly source: string;
  /** Changes when the file does. */
  readonly stamp: string;
};

/** What a folder holds. `skipped` counts documents beyond a bound. */
export type FolderList = { readonly files: readonly DocumentFile[]; readonly skipped: number };

/** Default of `maxFileBytes`. */
export const MAX_FILE_BYTES = 1_048_576;

const EXTENSIONS: ReadonlySet<string> = new Set([
  ".md",
  ".markdown",
  ".txt",
  ".html",
  ".htm",
  ".json",
]);
/** Most folders that are opened: a bound of the walk itself. */
const MAX_FOLDERS = 5_000;

/**
 * The documents below a folder, nearest to it first. Hidden files and folders, node_modules and all links are left out: what a link
 * inside the folder leads to is found at its own place, what it leads to outside is none of the folder's.
 * @throws BosunError `config/invalid` when the folder cannot be read.
 */
export async function listDocuments(
  folder: string,
  bounds: FolderBounds = {},
): Promise<FolderList> {
  const {
    maxFiles = 2_000,
    maxFileBytes = MAX_FILE_BYTES,
    maxTotalBytes = 64 * 1_048_576,
    maxDepth = 8,
  } = bounds;
  const given = resolve(folder);
  const root = await rootOf(given, folder);
  const files: DocumentFile[] = [];
  let skipped = 0;
  let totalBytes = 0;
  for await (const path of walk(root, maxDepth)) {
    const facts = await lstat(path).catch(() => undefined);
    if (!facts?.isFile()) continue; // gone, or replaced by a link, since its folder was read
    if (
      files.length >= maxFiles ||
      facts.size > maxFileBytes ||
      totalBytes + facts.size > maxTotalBytes
    ) {
      skipped++;
      continue;
    }
    totalBytes += facts.size;
    const source = [basename(given), ...relative(root, path).split(sep)].filter(Boolean).join("/");
    files.push({ path, source, stamp: `${facts.mtimeMs} ${facts.size} ${facts.ino}` });
  }
  return { files, skipped };
}

async function rootOf(given: string, folder: string): Promise<string> {
  try {
    const root = await realpath(given);
    if ((await stat(root)).isDirectory()) return root;
  } catch (cause) {
    throw new BosunError(
      "config/invalid",
      `the documents' folder ${folder} cannot be read: ${messageOf(cause)}. Make it, or name another folder`,
      { cause },
    );
  }
  throw new BosunError(
    "config/invalid",
    `the documents' folder ${folder} is not a folder. Name the folder that the documents are in`,
  );
}

/** Paths of files that may be documents: nearest first, then by name. */
async function* walk(root: string, maxDepth: number): AsyncGenerator<string> {
  let opened = 0;
  let level = [root];
  for (let depth = 0; depth <= maxDepth && level.length > 0; depth++) {
    const next: string[] = [];
    for (const folder of level) {
      if (++opened > MAX_FOLDERS) return;
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => []); // one that may not be read is left out
      for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
        if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
        if (entry.isDirectory()) next.push(join(folder, entry.name));
        else if (entry.isFile() && EXTENSIONS.has(extname(entry.name).toLowerCase())) {
          yield join(folder, entry.name);
        }
      }
    }
    level = next;
  }
}
