// A value for a JSON Schema: the mechanics. What a value means comes from a Valuer.
//
// Covers the keywords that models are given: types, properties, required, additionalProperties, items, prefixItems, contains, enum,
// const, bounds, lengths, patterns, formats, $ref, allOf, anyOf, oneOf. Not if/then/else, not, patternProperties: the caller
// validates what it gets. Bounded in depth and nodes, so a recursive schema ends.

import { isObject, type Json, type JsonObject, ownValue } from "../../../json.ts";
import { fitNumber, fitText } from "./fit-value.ts";
import { createLeastValuer } from "./least.ts";
import { resolveSchema } from "./resolve.ts";
import { listShapeOf, type Shape, shapeOf, typeOf } from "./shape.ts";
import type { Slot, Valuer } from "./valuer.ts";

/** How to fill. */
export type FillOptions = {
  /** Which of several alternatives (anyOf, oneOf) is taken: this one, modulo their number. */
  readonly branch: number;
  /** true leaves out whatever may be left out. */
  readonly isMinimal: boolean;
  /** Takes the names of required values that nothing is known for; without it the least valid value stands there. */
  readonly missing?: Set<string>;
};

/** Deeper than this optional properties are left out, and at the second bound nothing more is filled. */
const MAX_OPTIONAL_DEPTH = 6;
const MAX_DEPTH = 24;
/** Most values of one filling, and items of one array. */
const MAX_NODES = 3_000;
const MAX_ITEMS = 200;

type Filling = FillOptions & { readonly root: JsonObject; nodes: number };

/** A value for the schema; undefined when nothing can be put there. Not yet validated. */
export function fillSchema(
  schema: JsonObject,
  valuer: Valuer,
  options: FillOptions,
): Json | undefined {
  const filling: Filling = { ...options, root: schema, nodes: 0 };
  return fillNode(
    schema,
    { name: "", isRequired: true, siblings: [], index: 0 },
    { valuer, filling, depth: 0 },
  );
}

type Place = { readonly valuer: Valuer; readonly filling: Filling; readonly depth: number };

function fillNode(schema: unknown, at: Omit<Slot, "schema">, place: Place): Json | undefined {
  const { filling, depth } = place;
  const resolved = resolveSchema(schema, filling.root, filling.branch);
  if (!resolved || depth > MAX_DEPTH || filling.nodes++ > MAX_NODES) return undefined;
  const slot: Slot = { ...at, schema: resolved.schema };
  // Where null is allowed, it is the honest answer for what nobody said.
  const value = valueOf(resolved.isNullable ? { ...slot, isRequired: false } : slot, place);
  if (value !== undefined) return value;
  if (resolved.isNullable) return null;
  if (!at.isRequired) return undefined;
  const { missing } = filling;
  if (!missing) return valueOf(slot, { ...place, valuer: createLeastValuer() });
  const isPart = ["object", "array"].includes(typeOf(slot.schema));
  if (!isPart || missing.size === 0) missing.add(at.name || "the answer");
  return undefined;
}

function valueOf(slot: Slot, place: Place): Json | undefined {
  const { schema } = slot;
  const { missing } = place.filling;
  if ("const" in schema)
    return missing ? place.valuer.choice(slot, [schema["const"] ?? null]) : schema["const"];
  const options = schema["enum"];
  if (Array.isArray(options)) return place.valuer.choice(slot, options);
  switch (typeOf(schema)) {
    case "object":
      return fillObject(slot, place);
    case "array":
      return fillArray(slot, place);
    case "integer":
    case "number":
      return fitNumber(schema, place.valuer.number(slot), slot.isRequired && !missing);
    case "boolean":
      return (
        place.valuer.flag(slot) ??
        (typeof schema["default"] === "boolean" ? schema["default"] : undefined)
      );
    case "null":
      return null;
    default:
      return fitText(schema, place.valuer.texts(slot), slot.isRequired && !missing);
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
    };
    const node = ownValue(shape.properties, name) ?? shape.extra;
    const value = fillNode(node, at, { ...place, depth: place.depth + 1 });
    if (value !== undefined) filled.set(name, value);
  };
  for (const name of wantedNames(slot, shape, place)) fill(name, false);
  for (const name of dependents(schema, [...filled.keys()])) fill(name, true);
  const spares = shape.extra === false ? 0 : Math.min(shape.least, MAX_ITEMS);
  const spare = Array.from({ length: spares }, (_, index) => `extra_${index + 1}`);
  for (const name of [...shape.names, ...spare]) {
    if (filled.size < shape.least) fill(name, true);
  }
  const isGap = shape.required.some((name) => !filled.has(name)) || filled.size < shape.least;
  return place.filling.missing && isGap ? undefined : Object.fromEntries(filled);
}

/** In the schema's order, so that an answer reads as its author wrote it; required ones keep their room. */
function wantedNames(slot: Slot, shape: Shape, { valuer, filling, depth }: Place): string[] {
  const { names, required, most } = shape;
  if (filling.isMinimal || depth >= MAX_OPTIONAL_DEPTH) return [...required];
  if (names.length === 0) return [...required, ...(shape.extra === false ? [] : valuer.keys(slot))];
  const { schema, index } = slot;
  const optional = names.filter(
    (name) =>
      !required.includes(name) &&
      valuer.wants({ name, schema, isRequired: false, siblings: names, index }),
  );
  const chosen = new Set([...required, ...optional.slice(0, Math.max(0, most - required.length))]);
  return [...names.filter((name) => chosen.has(name)), ...required];
}

function fillArray(slot: Slot, { valuer, filling, depth }: Place): Json | undefined {
  const { schema } = slot;
  const { prefix, rest, contained, least, most, isUnique } = listShapeOf(schema, MAX_ITEMS);
  const wanted =
    filling.isMinimal || depth >= MAX_OPTIONAL_DEPTH
      ? 0
      : Math.max(valuer.count(slot), prefix.length);
  const count = Math.min(Math.max(least, wanted), most);
  const items = new Map<string, Json>();
  // Unique items may need more tries than items: what the valuer gives may repeat, what is made up then does not.
  for (let index = 0; items.size < count && index < (isUnique ? count * 3 + 8 : count); index++) {
    const own = prefix[items.size] ?? rest;
    const item = items.size < contained ? { allOf: [own, schema["contains"]] } : own;
    const at = { name: slot.name, isRequired: items.size < least, siblings: [], index };
    const value = fillNode(item, at, {
      valuer:
        index < count || filling.missing
          ? valuer.item(slot, index)
          : createLeastValuer(index - count + 1),
      filling,
      depth: depth + 1,
    });
    if (value !== undefined) items.set(isUnique ? JSON.stringify(value) : `${index}`, value);
  }
  return filling.missing && items.size < least ? undefined : [...items.values()];
}

/** Names that the filled ones bring with them. */
function dependents(schema: JsonObject, filled: readonly string[]): string[] {
  const rules = schema["dependentRequired"];
  if (!isObject(rules)) return [];
  return filled.flatMap((name) => {
    const names = ownValue(rules, name);
    return Array.isArray(names) ? names.filter((other) => typeof other === "string") : [];
  });
}
