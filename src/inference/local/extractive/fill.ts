// A value for a JSON Schema: the mechanics. What a value means comes from a Valuer; nothing is made up here.
//
// Covers the keywords that models are given: types, properties, required, additionalProperties, items, prefixItems, contains, enum,
// const, bounds, lengths, patterns, formats, $ref, allOf, anyOf, oneOf. Not if/then/else, not, patternProperties: the caller
// validates what it gets. Bounded in depth and nodes, so a recursive schema ends.
// Invariants
//   F1  A value comes from the Valuer or is stated by the schema: const, an enum of one value, default, null where null is allowed.
//   F2  What the Valuer does not know is left out, null, or an empty list; where the schema allows none of these it is a gap.

import { isObject, type Json, type JsonObject, ownValue } from "../../../json.ts";
import { resolveSchema } from "./resolve.ts";
import { type ListShape, listShapeOf, type Shape, shapeOf, typeOf } from "./shape.ts";
import type { Slot, Valuer } from "./valuer.ts";

/** How to fill. */
export type FillOptions = {
  /** Which of several alternatives (anyOf, oneOf) is tried first: this one, modulo their number. */
  readonly branch: number;
  /** true leaves out whatever may be left out. */
  readonly isMinimal: boolean;
};

/** A value, or the names of the required values that nothing is known for. */
export type Filled =
  | { readonly type: "filled"; readonly value: Json }
  | { readonly type: "gaps"; readonly missing: readonly string[] };

/** Deeper than this optional properties are left out, and at the second bound nothing more is filled. */
const MAX_OPTIONAL_DEPTH = 6;
const MAX_DEPTH = 24;
/** Most values of one filling, and items of one array. */
const MAX_NODES = 6_000;
const MAX_ITEMS = 200;
/** Items that are tried for each one that is wanted: an item that lacks a required value is skipped. */
const TRIES = 4;

type Filling = FillOptions & { readonly root: JsonObject; nodes: number };

/** A value for the schema. Not yet validated. */
export function fillSchema(schema: JsonObject, valuer: Valuer, options: FillOptions): Filled {
  const filling: Filling = { ...options, root: schema, nodes: 0 };
  const root = { name: "", isRequired: true, siblings: [], index: 0, isItem: false };
  const missing = new Set<string>();
  const value = fillNode(schema, root, { valuer, filling, depth: 0, missing });
  return value === undefined ? { type: "gaps", missing: [...missing] } : { type: "filled", value };
}

type Place = {
  readonly valuer: Valuer;
  readonly filling: Filling;
  readonly depth: number;
  /** Takes the names of gaps (F2). */
  readonly missing: Set<string>;
};

function fillNode(schema: unknown, at: Omit<Slot, "schema">, place: Place): Json | undefined {
  const { filling, depth, missing } = place;
  const gaps = new Set<string>();
  let isNullable = false;
  for (let tried = 0, branches = 1; tried < branches; tried++) {
    const resolved = resolveSchema(schema, filling.root, filling.branch + tried);
    if (!resolved || depth > MAX_DEPTH || filling.nodes++ > MAX_NODES) continue;
    branches = resolved.branches;
    isNullable = resolved.isNullable;
    // Where null is allowed, it is the honest answer for what nobody said.
    const slot = { ...at, schema: resolved.schema, isRequired: at.isRequired && !isNullable };
    const value = valueOf(slot, { ...place, missing: gaps });
    if (value !== undefined) return value;
  }
  if (isNullable) return null;
  if (!at.isRequired) return undefined;
  for (const gap of gaps.size > 0 ? gaps : [at.name || "the answer"]) missing.add(gap);
  return undefined;
}

function valueOf(slot: Slot, place: Place): Json | undefined {
  const { schema } = slot;
  const { valuer } = place;
  if ("const" in schema) return schema["const"];
  const options = schema["enum"];
  if (Array.isArray(options))
    return options.length === 1 ? (options[0] as Json) : valuer.choice(slot, options); // `as`: a schema is JSON
  switch (typeOf(schema)) {
    case "object":
      return fillObject(slot, place);
    case "array":
      return fillArray(slot, place);
    case "integer":
    case "number":
      return valuer.number(slot);
    case "boolean":
      return valuer.flag(slot);
    case "null":
      return null;
    default:
      return valuer.text(slot);
  }
}

function fillObject(slot: Slot, place: Place): Json | undefined {
  const { schema } = slot;
  const shape = shapeOf(schema);
  // A map, because a property may be called "__proto__".
  const filled = new Map<string, Json>();
  const fill = (name: string, isForced: boolean): void => {
    if (filled.has(name) || filled.size >= shape.most) return;
    const at = {
      name,
      isRequired: isForced || shape.required.includes(name),
      siblings: shape.names.filter((other) => other !== name),
      index: slot.index,
      isItem: false,
    };
    const node = ownValue(shape.properties, name) ?? shape.extra;
    const value = fillNode(node, at, { ...place, depth: place.depth + 1 });
    if (value !== undefined) filled.set(name, value);
  };
  for (const name of wantedNames(slot, shape, place)) fill(name, false);
  for (const name of dependents(schema, [...filled.keys()])) fill(name, true);
  const spare = shape.extra === false ? [] : place.valuer.keys(slot);
  for (const name of [...shape.names, ...spare]) {
    if (filled.size < shape.least) fill(name, true);
  }
  const isGap = shape.required.some((name) => !filled.has(name)) || filled.size < shape.least;
  return isGap ? undefined : Object.fromEntries(filled);
}

/** In the schema's order, so that an answer reads as its author wrote it; required ones keep their room. */
function wantedNames(slot: Slot, shape: Shape, { valuer, filling, depth }: Place): string[] {
  const { names, required, most } = shape;
  if (filling.isMinimal || depth >= MAX_OPTIONAL_DEPTH) return [...required];
  if (names.length === 0) return [...required, ...(shape.extra === false ? [] : valuer.keys(slot))];
  const optional = names.filter(
    (name) =>
      !required.includes(name) &&
      valuer.wants({ ...slot, name, isRequired: false, siblings: names, isItem: false }),
  );
  const chosen = new Set([...required, ...optional.slice(0, Math.max(0, most - required.length))]);
  return [...names.filter((name) => chosen.has(name)), ...required];
}

function fillArray(slot: Slot, place: Place): Json | undefined {
  const { valuer, filling, depth, missing } = place;
  const shape = listShapeOf(slot.schema, MAX_ITEMS);
  const wanted =
    filling.isMinimal || depth >= MAX_OPTIONAL_DEPTH
      ? 0
      : Math.max(valuer.count(slot), shape.prefix.length);
  const count = Math.min(Math.max(shape.least, wanted), shape.most);
  const gaps = new Set<string>();
  const items = fillItems(slot, { ...place, missing: gaps }, { ...shape, count });
  if (items.length < shape.least) {
    for (const gap of gaps) missing.add(gap);
    return undefined;
  }
  return items.length === 0 && !slot.isRequired ? undefined : items;
}

type ListPlan = ListShape & { readonly count: number };

/** Items up to the planned number. A place of a tuple is tried once; of other items those are skipped that lack a value. */
function fillItems(slot: Slot, place: Place, plan: ListPlan): Json[] {
  const { prefix, rest, contained, least, count, isUnique } = plan;
  const items: Json[] = [];
  const seen = new Set<string>();
  for (let index = 0; items.length < count && index < count * TRIES + 8; index++) {
    const own = prefix[items.length] ?? rest;
    const item = items.length < contained ? { allOf: [own, slot.schema["contains"]] } : own;
    const isItem = items.length >= prefix.length; // a tuple's places are not one list
    const at = { name: slot.name, isRequired: true, siblings: [], index, isItem };
    const valuer = place.valuer.item(slot, index);
    const value = fillNode(item, at, { ...place, valuer, depth: place.depth + 1 });
    if (value === undefined && !isItem) break;
    const key = JSON.stringify(value ?? null);
    const isNew = !seen.has(key) && (items.length < least || !SAYS_NOTHING.has(key));
    if (value === undefined || (!isNew && (isUnique || items.length >= least))) continue;
    items.push(value);
    seen.add(key);
  }
  return items;
}

/** Items that only a list's least length is a reason for. So is an item that came before. */
const SAYS_NOTHING: ReadonlySet<string> = new Set(["null", "{}", "[]"]);

/** Names that the filled ones bring with them. */
function dependents(schema: JsonObject, filled: readonly string[]): string[] {
  const rules = schema["dependentRequired"];
  if (!isObject(rules)) return [];
  return filled.flatMap((name) => {
    const names = ownValue(rules, name);
    return Array.isArray(names) ? names.filter((other) => typeof other === "string") : [];
  });
}
