// A project before its keys mean anything: agents, tasks and crew as entries with places, from whichever files.

import { errorAt, type Place } from "./place.ts";
import type { PythonFile } from "./python-file.ts";
import type { PythonScope } from "./python-scope.ts";
import type { Entry, Located } from "./value.ts";

/** An agent or a task. Others refer to it by `id` or by one of `aliases`. */
export type RawPart = {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly entries: readonly Entry[];
  readonly place: Place;
};

/** A project. */
export type RawProject = {
  readonly name: string;
  readonly agents: readonly RawPart[];
  /** A manager that is not one of the agents. */
  readonly manager?: RawPart | undefined;
  /** In the order in which they are done. */
  readonly tasks: readonly RawPart[];
  readonly crew: readonly Entry[];
  readonly inputs: readonly Entry[];
  readonly scope: PythonScope;
  /** Python files in which its own tools may stand. */
  readonly toolFiles: readonly PythonFile[];
};

/** Most agents, and most tasks, of a project. */
const MAX_PARTS = 1_000;

/** @throws BosunError `crew/invalid` for more than a crew can have. */
export function checkCount(count: number, place: Place): void {
  if (count > MAX_PARTS)
    throw errorAt(
      place,
      `${count} are too many: a crew has at most ${MAX_PARTS} agents and ${MAX_PARTS} tasks`,
    );
}

/** `near` over `far`: of two entries with one key the nearer counts. */
export function overlay(near: readonly Entry[], far: readonly Entry[]): readonly Entry[] {
  const keys = new Set(near.map(({ key }) => key));
  return [...far.filter(({ key }) => !keys.has(key)), ...near];
}

/** The entries of a value that is an object; none of any other. */
export function entriesIn(value: Located | undefined): readonly Entry[] {
  return value?.type === "map" ? value.entries : [];
}
