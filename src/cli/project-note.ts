// What a CrewAI project means differently here, as lines. Pure.

import { noteLine, type ProjectNote } from "../orchestration/crew/project/place.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./width.ts";

/** Most lines of one project. */
const MAX_LINES = 60;

/**
 * A line for each warning and, with `withNotes`, for each note; without, one line says how many notes there are, or stands for a single
 * one. Of those that say the same of the same key the first stands, with how many more there are.
 */
export function projectNoteLines(
  notes: readonly ProjectNote[],
  paint: Paint,
  { withNotes }: { readonly withNotes: boolean },
): readonly string[] {
  const groups = [
    ...Map.groupBy(notes, ({ level, key, message }) => `${level} ${key} ${message}`).values(),
  ];
  const isCounted = !withNotes && groups.filter(isNote).length > 1;
  const isShown = (group: readonly ProjectNote[]): boolean => !isCounted || !isNote(group);
  const lines = groups.filter(isShown).map(groupLine);
  const left = lines.length - MAX_LINES;
  const shown = left > 0 ? [...lines.slice(0, MAX_LINES), `Note: and ${left} more`] : lines;
  const count = groups.length - lines.length;
  const hidden = count > 0 ? [paint("dim", `${count} notes; --notes prints them`)] : [];
  return [...shown.map((line) => paint("yellow", line)), ...hidden];
}

function isNote([first]: readonly ProjectNote[]): boolean {
  return first?.level === "note";
}

function groupLine([first, ...others]: readonly ProjectNote[]): string {
  if (!first) return "";
  const label = first.level === "warning" ? "Warning" : "Note";
  const more = others.length > 0 ? ` (and ${others.length} more like this)` : "";
  return printable(`${label}: ${noteLine(first)}${more}`);
}
