// A project's files as bounded text.

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../../error.ts";
import { errorAt } from "./place.ts";

/** A file's text. `file` is its path, beginning with the project's folder as it was given. */
export type Source = { readonly file: string; readonly text: string };

/** Largest file that is read: a crew's texts take kilobytes. */
const MAX_FILE_BYTES = 1_048_576;

/**
 * Reads a file of a project.
 * @throws BosunError `crew/invalid` for a file that is too large, that is not UTF-8 or that cannot be read.
 */
export function readSource(root: string, file: string): Source {
  const path = join(root, file);
  const place = { file: path, line: 1, column: 1 };
  try {
    const { size } = statSync(path);
    if (size > MAX_FILE_BYTES)
      throw errorAt(place, `the file has ${size} bytes; at most ${MAX_FILE_BYTES} are read`);
    const bytes = readFileSync(path);
    return { file: path, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch (cause) {
    if (cause instanceof TypeError) throw errorAt(place, "the file is not UTF-8 text");
    if (cause instanceof Error && cause.name === "BosunError") throw cause;
    throw errorAt(place, `the file cannot be read: ${messageOf(cause)}`, "crew/invalid", cause);
  }
}
