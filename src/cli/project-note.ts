// What a CrewAI project means differently here, as lines. Pure.

import { noteLine, type ProjectNote } from "../orchestration/crew/project/place.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./width.ts";

/** Most lines of one project. */
const MAX_LINES = 60;

/** A line for each note; of those that say the same of the same key, the first, with how many more there are. */
export function projectNoteLines(notes: readonly ProjectNote[], paint: Paint): readonly string[] {
  const groups = Map.groupBy(notes, ({ level, key, message }) => `${level} ${key} ${message}`);
  const lines = [...groups.values()].flatMap(([first, ...others]) => {
    if (!first) return [];
    const label = first.level === "warning" ? "Warning" : "Note";
    const more = others.length > 0 ? ` (and ${others.length} more like this)` : "";
    return [printable(`${label}: ${noteLine(first)}${more}`)];
  });
  const left = lines.length - MAX_LINES;
  const shown = left > 0 ? [...lines.slice(0, MAX_LINES), `Note: and ${left} more`] : lines;
  return shown.map((line) => paint("yellow", line));
}
