// The fields of a flow's state, as its schema or what it begins with tells of them: their names, and which JSON types they take.

import { isObject, type Json, type JsonObject, ownValue } from "../../json.ts";
import { type Schema, toJsonSchema } from "../../schema.ts";
import type { Flow } from "./flow.ts";

/** A type of JSON, by its name in JSON Schema. */
export type JsonType = "null" | "boolean" | "integer" | "number" | "string" | "array" | "object";

/** By field the types that it takes; no types where nothing is known of them. */
export type FieldTypes = ReadonlyMap<string, readonly JsonType[]>;

/** As the flow's schema says, and where it says nothing as `initial` is. A schema that has no JSON Schema says nothing. */
export async function fieldTypesOf({ options }: Pick<Flow, "options">): Promise<FieldTypes> {
  const { initial = {}, state } = options;
  const types = new Map<string, readonly JsonType[]>();
  for (const [field, value] of Object.entries(initial)) types.set(field, typesOfValue(value));
  const schema = state === undefined ? {} : await jsonSchemaOf(state);
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  for (const [field, property] of Object.entries(properties)) {
    const own = typesIn(property, schema);
    if (own.length > 0 || !types.has(field)) types.set(field, own);
  }
  return types;
}

async function jsonSchemaOf(schema: Schema): Promise<JsonObject> {
  try {
    return await toJsonSchema(schema);
  } catch {
    return {}; // nothing is known of its fields but what it says of a state
  }
}

/** Of null nothing is known: it stands for what is not there yet. */
function typesOfValue(value: Json | undefined): readonly JsonType[] {
  return value === null || value === undefined ? [] : [typeOfJson(value)];
}

export function typeOfJson(value: Json): JsonType {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  const type = typeof value;
  return type === "string" || type === "number" || type === "boolean" ? type : "object";
}

/** Whether a value is of one of the types. */
export function isOfType(value: Json, types: readonly JsonType[]): boolean {
  return types.some((type) =>
    type === "integer" ? Number.isInteger(value) : type === typeOfJson(value),
  );
}

/** The types as a text says them: "a number or null". */
export function showTypes(types: readonly JsonType[]): string {
  return types.map((type) => WORDS[type]).join(" or ");
}

const WORDS: Readonly<Record<JsonType, string>> = {
  null: "null",
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
  string: "a text",
  array: "a list",
  object: "an object",
};

/** What a property's schema lets through at most; nothing when one part of it does not say. References are followed once. */
function typesIn(property: unknown, root: JsonObject, depth = 0): readonly JsonType[] {
  if (!isObject(property) || depth > MAX_DEPTH) return [];
  const { type, anyOf, oneOf, $ref } = property;
  const parts = anyOf ?? oneOf;
  if (type !== undefined) return named(Array.isArray(type) ? type : [type]);
  if (typeof $ref === "string") return typesIn(definitionIn(root, $ref), root, depth + 1);
  if (!Array.isArray(parts)) return [];
  const all = parts.map((part) => typesIn(part, root, depth + 1));
  return all.some((types) => types.length === 0) ? [] : [...new Set(all.flat())];
}

const MAX_DEPTH = 5;

function named(types: readonly unknown[]): readonly JsonType[] {
  const known = types.filter(
    (type): type is JsonType => ownValue<string>(WORDS, String(type)) !== undefined,
  );
  return known.length === types.length ? known : [];
}

function definitionIn(root: JsonObject, ref: string): unknown {
  const [, name] = /^#\/\$defs\/([^/]+)$/.exec(ref) ?? [];
  const definitions = root["$defs"];
  return name !== undefined && isObject(definitions) ? ownValue(definitions, name) : undefined;
}
