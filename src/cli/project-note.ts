// What a CrewAI project means differently here, as lines. Pure.

import { noteLine, type ProjectNote } from "../orchestration/crew/project/place.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./width.ts";

/** Most lines of one project. */
const MAX_LINES = 60;

/**
 * A line for each warning and, with `withNotes`, for each note; without, one line says how many notes there are. Of those that say the
 * same of the same key the first stands, with how many more there are.
 */
export function projectNoteLines(
  notes: readonly ProjectNote[],
  paint: Paint,
  { withNotes }: { readonly withNotes: boolean },
): readonly string[] {
  const groups = [
    ...Map.groupBy(notes, ({ level, key, message }) => `${level} ${key} ${message}`).values(),
  ];
  const isShown = ([first]: readonly ProjectNote[]): boolean =>
    withNotes || first?.level === "warning";
  const lines = groups.filter(isShown).map(groupLine);
  const left = lines.length - MAX_LINES;
  const shown = left > 0 ? [...lines.slice(0, MAX_LINES), `Note: and ${left} more`] : lines;
  const hidden = groups.filter((group) => !isShown(group));
  return [
    ...shown.map((line) => paint("yellow", line)),
    ...hiddenLine(hidden.length).map((line) => paint("dim", line)),
  ];
}

function groupLine([first, ...others]: readonly ProjectNote[]): string {
  if (!first) return "";
  const label = first.level === "warning" ? "Warning" : "Note";
  const more = others.length > 0 ? ` (and ${others.length} more like this)` : "";
  return printable(`${label}: ${noteLine(first)}${more}`);
}

function hiddenLine(count: number): readonly string[] {
  if (count === 0) return [];
  return [count === 1 ? "1 note; --notes prints it" : `${count} notes; --notes prints them`];
}
