// The tasks of a project: their agents and contexts found, their names made unique.

import { applyKeys, requireKey, type Subject } from "./key.ts";
import { errorAt, type NoteBook, type Place, type ProjectNote } from "./place.ts";
import { notePlaceholders } from "./placeholder.ts";
import type { RawPart, RawProject } from "./raw.ts";
import { findPart, toName } from "./reference.ts";
import { type Reference, TASK_KEYS, type TaskFields } from "./task-key.ts";

/** A task. Its agent and its context are keys and names of the same project. */
export type TaskDefinition = Omit<TaskFields, "agent" | "context" | "guardrail" | "markdown"> & {
  readonly key: string;
  readonly name: string;
  readonly agent: string | undefined;
  readonly context: readonly string[] | undefined;
  /** Where its tools stand; undefined for none of its own. */
  readonly toolPlace: Place | undefined;
  readonly notes: readonly ProjectNote[];
};

/** What tasks are defined beside. */
export type TaskScene = {
  readonly book: NoteBook;
  readonly isHierarchical: boolean;
};

/** @throws BosunError `crew/…` with the place for a task that cannot be done. */
export function defineTasks(
  raw: RawProject,
  subject: Subject,
  scene: TaskScene,
): readonly TaskDefinition[] {
  const defined: TaskDefinition[] = [];
  for (const part of raw.tasks) {
    const before = scene.book.all.length;
    const what = { what: `the task "${part.id}"`, place: part.place };
    notePlaceholders(part, TEXTS, scene.book.note);
    for (const key of ["description", "expected_output"]) requireKey(part.entries, key, what);
    const fields = applyKeys(part.entries, TASK_KEYS, subject);
    const agent = fields.agent && findPart(raw.agents, fields.agent, "agent").id;
    if (agent === undefined && !scene.isHierarchical)
      throw errorAt(
        part.place,
        `the task "${part.id}" has no agent. Name one: ${raw.agents.map(({ id }) => id).join(", ")}`,
        "crew/no-agent",
      );
    noteUnguarded(part, fields, scene.book);
    const context = fields.context?.map((one) => earlierTask(one, raw.tasks, defined));
    const name = uniqueName(toName(fields.name ?? part.id, "task"), defined, part.place);
    const toolPlace = fields.tools && part.entries.find(({ key }) => key === "tools")?.place;
    const own = { key: part.id, name, agent, context, toolPlace };
    const made = { ...settleTask(fields), ...own };
    defined.push({ ...made, notes: scene.book.all.slice(before) });
  }
  return defined;
}

/** Keys whose texts may hold placeholders. */
const TEXTS: readonly string[] = ["description", "expected_output", "output_file"];

/** Retries of guardrails do nothing without one. */
function noteUnguarded(
  { entries }: RawPart,
  { guardrail, guardrails = [], guardrailRetries }: Partial<TaskFields>,
  { note }: NoteBook,
): void {
  if (guardrailRetries === undefined || guardrail !== undefined || guardrails.length > 0) return;
  const entry = entries.find(({ key }) => RETRY_KEYS.includes(key));
  if (entry) note(entry.place, entry.key, "note", "counts only with a guardrail");
}

const RETRY_KEYS: readonly string[] = ["guardrail_max_retries", "max_retries"];

type Settled = Omit<TaskDefinition, "key" | "name" | "agent" | "context" | "toolPlace" | "notes">;

function settleTask(fields: Partial<TaskFields>): Settled {
  const {
    description = "",
    expectedOutput = "",
    guardrail,
    guardrails = [],
    guardrailRetries,
    markdown,
    ...rest
  } = fields;
  const { agent: _agent, context: _context, name: _name, ...plain } = rest;
  const all = [...(guardrail === undefined ? [] : [guardrail]), ...guardrails];
  return {
    ...plain,
    description,
    expectedOutput: markdown ? `${expectedOutput}\n\n${MARKDOWN}` : expectedOutput,
    ...(all.length > 0 ? { guardrails: all } : {}),
    ...(all.length > 0 && guardrailRetries !== undefined ? { guardrailRetries } : {}),
  };
}

/** What `markdown: true` asks for. */
const MARKDOWN = "Write it in Markdown, without a code fence around the whole.";

function earlierTask(
  reference: Reference,
  parts: readonly RawPart[],
  defined: readonly TaskDefinition[],
): string {
  const { id } = findPart(parts, reference, "task");
  const task = defined.find(({ key }) => key === id);
  if (task) return task.name;
  throw errorAt(
    reference.place,
    `the task "${id}" is done later: its output cannot be context here`,
  );
}

function uniqueName(name: string, defined: readonly TaskDefinition[], place: Place): string {
  if (!defined.some((task) => task.name === name)) return name;
  throw errorAt(
    place,
    `two tasks are named "${name}". Names must differ: results and events are found by them`,
    "crew/duplicate-name",
  );
}
