// Names: found among a project's agents and tasks, and made into names that Bosun takes.

import { errorAt } from "./place.ts";
import type { RawPart } from "./raw.ts";
import type { Reference } from "./task-key.ts";

/** @throws BosunError `crew/unknown-agent` or `crew/unknown-task` with the names that there are. */
export function findPart(
  parts: readonly RawPart[],
  { name, place }: Reference,
  kind: "agent" | "task",
): RawPart {
  const found =
    parts.find(({ id }) => id === name) ?? parts.find(({ aliases }) => aliases.includes(name));
  if (found) return found;
  const known = parts.map(({ id }) => id).join(", ");
  const message = `there is no ${kind} "${name}". The project's ${kind}s: ${known}`;
  throw errorAt(place, message, kind === "agent" ? "crew/unknown-agent" : "crew/unknown-task");
}

/** Names of Bosun have 1 to 64 letters, digits, "_" or "-", and are not digits alone. */
export function toName(text: string, kind: "crew" | "task"): string {
  const name = text
    .replaceAll(/[^\w-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 64);
  if (name === "") return kind;
  return /^\d+$/.test(name) ? `${kind}-${name}`.slice(0, 64) : name;
}
