// Where something stands in a project's files, and the errors and notes that say so.

import { BosunError, type ErrorCode } from "../../../error.ts";

/** A place in a file. `line` and `column` begin at 1; `file` begins with the project's folder as it was given. */
export type Place = { readonly file: string; readonly line: number; readonly column: number };

/** A note is good to know; a warning means that the crew does something else than it would in CrewAI. */
export type NoteLevel = "note" | "warning";

/** What is said about a key of a project. */
export type ProjectNote = Place & {
  readonly key: string;
  readonly level: NoteLevel;
  readonly message: string;
};

/** Takes notes. */
export type Noting = (place: Place, key: string, level: NoteLevel, message: string) => void;

/** `config/agents.yaml:4:3`. */
export function showPlace({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

/** A note in one line: `config/agents.yaml:4:3 max_rpm: …`. */
export function noteLine(note: ProjectNote): string {
  return `${showPlace(note)} ${note.key}: ${note.message}`.replaceAll(/\s+/g, " ");
}

/** An error with its place in front of the message and in its details. */
export function errorAt(
  place: Place,
  message: string,
  code: ErrorCode = "crew/invalid",
  cause?: unknown,
): BosunError {
  const { file, line, column } = place;
  return new BosunError(code, `${showPlace(place)}: ${message}`, {
    details: { file, line, column },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The error of a key that its map has already. */
export function repeatedKey(place: Place, key: string): BosunError {
  const message = `the key "${key}" stands here a second time. Remove one`;
  return errorAt(place, message, "crew/duplicate-name");
}

/** Notes as they are taken. */
export type NoteBook = { readonly note: Noting; readonly all: readonly ProjectNote[] };

/** An empty one. */
export function createNoteBook(): NoteBook {
  const all: ProjectNote[] = [];
  return {
    all,
    note: (place, key, level, message) => void all.push({ ...place, key, level, message }),
  };
}
