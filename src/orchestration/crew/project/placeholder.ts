// Placeholders that CrewAI reads otherwise: `{ topic }` is a placeholder here and plain text there.

import type { Noting } from "./place.ts";
import type { RawPart } from "./raw.ts";

/** A placeholder with a space beside its name. */
const SPACED = /\{(?:\s+([A-Za-z_][\w-]*)\s*|([A-Za-z_][\w-]*)\s+)\}/;

/** Warns of texts with such a placeholder: the crew asks for an input that CrewAI does not ask for. */
export function notePlaceholders(
  { entries }: RawPart,
  keys: readonly string[],
  note: Noting,
): void {
  for (const { key, value, place } of entries) {
    const text = value.type === "scalar" && keys.includes(key) ? String(value.value) : "";
    const [whole, before, after] = SPACED.exec(text) ?? [];
    const name = before ?? after;
    if (whole === undefined || name === undefined) continue;
    const shown = whole.replaceAll(/\s+/g, " ");
    note(
      place,
      key,
      "warning",
      `${shown} asks for the input ${name} here; CrewAI leaves it as it stands. To keep it, give the input: ${name}="${shown}"`,
    );
  }
}
