// What belongs into the slots of an answer's schema: labelled values, ranked sentences, their sources, what stands near their words.
//
// Pure but for the memory of what is used already, which lives as long as one filling.
// Invariants
//   E1  A text stands word for word in a source, or is made of the task's words; a number and an option stand there too.
//   E2  Inside a list's item, values come from the item's own sentence or its own labelled values: facts are not mixed.

import { isObject } from "../../../json.ts";
import { type Bench, type Evidence, type Focus, nextUnit } from "./bench.ts";
import type { Item } from "./field.ts";
import { fitNumber } from "./fit-number.ts";
import { fitText, wantsPiece } from "./fit-text.ts";
import { hasValue, valuesFor } from "./lookup.ts";
import { numberAt } from "./shape.ts";
import { roleOf, type SlotRole } from "./slot-role.ts";
import { choiceFor, flagFor, numbersToTell } from "./tell-value.ts";
import { pieceFor } from "./tell-piece.ts";
import { labelledTexts, textsFor } from "./tell-text.ts";
import { sectionsOf, sourcesOf } from "./unit.ts";
import type { Slot, Valuer } from "./valuer.ts";

/** Items of an array whose size nobody stated, and of an array in an item. */
const DEFAULT_ITEMS = 6;
const INNER_ITEMS = 2;
/** Names of an object that takes any. */
const MAX_KEYS = 3;

/** Fills slots from evidence; a unit is not used twice while there are others. */
export function createEvidenceValuer(evidence: Evidence): Valuer {
  return valuerFor({ evidence, used: new Set() }, undefined, undefined);
}

/** `around` is what the list is about that an item stands in: a bare value in a list belongs to that. */
function valuerFor(bench: Bench, own: Focus | undefined, around: Focus | undefined): Valuer {
  const { pool, verdict } = bench.evidence;
  const focusOf = (slot: Slot): Focus | undefined => (slot.isItem ? around : own);
  const records = new Map<Slot["schema"], readonly Item[]>();
  const recordsOf = (slot: Slot): readonly Item[] => {
    const known = records.get(slot.schema) ?? recordsFor(slot, bench, own);
    records.set(slot.schema, known);
    return known;
  };
  return {
    text(slot) {
      const { schema } = slot;
      const said = verdict?.texts(slot);
      if (said) return fitText(schema, said);
      const standard = schema["default"];
      return (
        fitText(schema, labelledTexts(slot, bench, focusOf(slot))) ??
        (wantsPiece(schema)
          ? pieceFor(slot, bench, focusOf(slot))
          : fitText(schema, textsFor(slot, bench, own))) ??
        (typeof standard === "string" ? standard : undefined)
      );
    },
    number: (slot) => fitNumber(slot.schema, numbersToTell(slot, bench, focusOf(slot))),
    flag: (slot) => verdict?.flag(slot) ?? flagFor(slot, bench, focusOf(slot)),
    choice: (slot, options) =>
      verdict?.choice(options) ?? choiceFor(slot, options, bench, focusOf(slot)),
    count: (slot) => verdict?.count(slot) ?? countFor(slot, bench, own, recordsOf(slot)),
    wants: () => true,
    keys(slot) {
      const most = Math.max(MAX_KEYS, numberAt(slot.schema, "minProperties") ?? 0);
      const isNamed = typeof slot.schema["additionalProperties"] === "object";
      return [
        ...(isNamed ? [] : ["answer"]),
        ...(isNamed || most > MAX_KEYS ? sectionsOf(pool) : []),
      ].slice(0, most);
    },
    item(slot, index) {
      if (recordsOf(slot).length > 0)
        return valuerFor(bench, { type: "item", item: recordsOf(slot)[index] ?? NO_ITEM }, own);
      if (LISTED.has(roleOf(slot.name))) return valuerFor(bench, undefined, own);
      const unit = nextUnit(slot, bench, own);
      if (unit) bench.used.add(unit);
      return valuerFor(bench, unit && { type: "unit", unit, isTold: false }, own);
    },
  };
}

/** Past the last of the labelled values there is nothing to say. */
const NO_ITEM: Item = { source: "", fields: [] };

/** Roles whose arrays list names, not sentences: an item is the name at its index. */
const LISTED: ReadonlySet<SlotRole> = new Set(["source", "section", "keyword"]);

function countFor(
  slot: Slot,
  { evidence }: Bench,
  own: Focus | undefined,
  records: readonly Item[],
): number {
  if (records.length > 0) return evidence.count ?? records.length;
  const { pool } = evidence;
  const there: Partial<Record<SlotRole, number>> = {
    source: sourcesOf(pool).length,
    section: sectionsOf(pool).length,
    keyword: evidence.keywords.length,
  };
  const wanted = own ? INNER_ITEMS : (evidence.count ?? DEFAULT_ITEMS);
  const listed = valuesFor(slot, itemsOf(evidence, own)).length;
  return Math.max(
    listed,
    Math.min(
      there[roleOf(slot.name)] ?? pool.length,
      Math.max(1, Math.round(wanted * evidence.scale)),
    ),
  );
}

function itemsOf(evidence: Evidence, focus: Focus | undefined): readonly Item[] {
  if (!focus) return evidence.items;
  return focus.type === "item" ? [focus.item] : [];
}

/** The labelled items that hold what a list's items require: all of them when the sources give the list as such. */
function recordsFor(slot: Slot, { evidence }: Bench, own: Focus | undefined): readonly Item[] {
  const node = slot.schema["items"];
  if (own || !isObject(node) || !isObject(node["properties"])) return [];
  const { properties, required } = node;
  const names = Object.keys(properties);
  const needed = names.filter(
    (name) => Array.isArray(required) && required.includes(name) && roleOf(name) !== "source",
  );
  const least = needed.length > 0 ? 1 : Math.ceil(names.length / 2);
  return evidence.items.filter(
    (item) =>
      needed.every((name) => hasValue(item, name)) &&
      names.filter((name) => hasValue(item, name)).length >= Math.max(1, least),
  );
}
