// Pieces of the sources that fit a pattern or a format: dates, addresses, versions, codes.

import type { Bench, Evidence, Focus } from "./bench.ts";
import { piecesOf } from "./fit-text.ts";
import { linesFor } from "./lookup.ts";
import { sectionsOf, sourcesOf } from "./unit.ts";
import type { Slot } from "./valuer.ts";

/** The piece for a slot: the best one, or for an item of a list the one at its place. Looked for once for all items of a list. */
export function pieceFor(
  slot: Slot,
  { evidence }: Bench,
  focus: Focus | undefined,
): string | undefined {
  const { name, schema, index, isItem } = slot;
  if (focus) return piecesOf(schema, textsIn(focus))[isItem ? index : 0];
  const { description, format, pattern, minLength, maxLength } = schema;
  const key = JSON.stringify([name, description, format, pattern, minLength, maxLength]);
  const known = evidence.pieces.get(key) ?? piecesOf(schema, textsFor(slot, evidence));
  evidence.pieces.set(key, known);
  return known[isItem ? index : 0];
}

/** A list's item holds its own pieces. */
function textsIn(focus: Focus): string[] {
  return focus.type === "item"
    ? [...focus.item.fields.map(({ value }) => `${value}`), focus.item.source]
    : [focus.unit.text, ...sourcesOf([focus.unit]), ...sectionsOf([focus.unit])];
}

/** All lines, those with the slot's words first. */
function textsFor(slot: Slot, { lines, taskLines, items, pool }: Evidence): string[] {
  const values = items.flatMap(({ fields }) => fields.map(({ value }) => value));
  const named = values.filter((value) => typeof value === "string");
  // A date or an address is one wherever it stands; what a pattern finds among the words of a task only where the task names it.
  const spare = typeof slot.schema["format"] === "string" ? taskLines : [];
  const all = [...linesFor(slot, [...lines, ...taskLines]), ...lines, ...spare];
  return [...all.map(({ text }) => text), ...named, ...sourcesOf(pool)];
}
