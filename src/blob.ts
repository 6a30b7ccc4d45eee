// Content-addressed texts: values too large for a row, each in one file named by its hash.
//
// A file is written beside its name and then moved there, so that one which exists is whole. Equal texts are one file.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BosunError, messageOf } from "./error.ts";

/** The texts of one folder. */
export interface Blobs {
  /** Keeps a text and returns its name: the SHA-256 of its UTF-8 bytes, 64 hexadecimal digits. @throws BosunError `store/failed`. */
  put(text: string): string;
  /** @throws BosunError `store/failed` when it is not there, or is not what was kept. */
  get(name: string): string;
  /** Removes a text; one that is not there is no error. */
  remove(name: string): void;
}

/** @param folder Is made when the first text is kept. */
export function openBlobs(folder: string): Blobs {
  // Two letters a folder: some file systems are slow with many files in one.
  const folderOf = (name: string): string => join(folder, name.slice(0, 2));
  const pathOf = (name: string): string => join(folderOf(name), name);
  return {
    put(text) {
      const name = hashOf(text);
      const path = pathOf(name);
      const draft = `${path}.${process.pid}`;
      try {
        mkdirSync(folderOf(name), { recursive: true, mode: 0o700 });
        writeFileSync(draft, text, { mode: 0o600, flush: true });
        renameSync(draft, path);
      } catch (cause) {
        rmSync(draft, { force: true });
        const message = `cannot write ${path}: ${messageOf(cause)}. Look at the disk's free space and the folder's rights`;
        throw new BosunError("store/failed", message, { cause });
      }
      return name;
    },
    get(name) {
      const path = pathOf(name);
      let text: string;
      try {
        text = readFileSync(path, "utf8");
      } catch (cause) {
        const message = `cannot read ${path}: ${messageOf(cause)}. The run needs it: restore it from a copy of the data folder`;
        throw new BosunError("store/failed", message, { cause });
      }
      if (hashOf(text) === name) return text;
      throw new BosunError(
        "store/failed",
        `${path} is damaged: its content is not what its name says. Restore it from a copy`,
      );
    },
    remove: (name) => rmSync(pathOf(name), { force: true }),
  };
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
