// The agents of a project.

import { AGENT_KEYS, type AgentFields } from "./agent-key.ts";
import { applyKeys, requireKey, type Subject } from "./key.ts";
import type { NoteBook, ProjectNote } from "./place.ts";
import { notePlaceholders } from "./placeholder.ts";
import type { RawPart } from "./raw.ts";

/** An agent. `key` is what tasks call it. */
export type AgentDefinition = AgentFields & {
  readonly key: string;
  readonly name?: string | undefined;
  readonly notes: readonly ProjectNote[];
};

/** @throws BosunError `crew/invalid` with the place for an agent without role or goal, or a value of a wrong type. */
export function defineAgents(
  parts: readonly RawPart[],
  subject: Subject,
  book: NoteBook,
): readonly AgentDefinition[] {
  const agents = parts.map((part) => {
    const before = book.all.length;
    const what = { what: `the agent "${part.id}"`, place: part.place };
    notePlaceholders(part, ["role", "goal", "backstory"], book.note);
    for (const key of ["role", "goal"]) requireKey(part.entries, key, what);
    const { role = part.id, goal = "", ...rest } = applyKeys(part.entries, AGENT_KEYS, subject);
    return { ...rest, key: part.id, role, goal, notes: book.all.slice(before) };
  });
  // Bosun tells agents apart by their names, which are their roles where nothing else is said.
  const isShared = (role: string): boolean => agents.filter((one) => one.role === role).length > 1;
  return agents.map((agent) => (isShared(agent.role) ? { ...agent, name: agent.key } : agent));
}
