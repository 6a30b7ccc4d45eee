// What a node of a JSON Schema takes: its type, the names of an object, the bounds of a list.

import { isObject, type Json, type JsonObject } from "../../../json.ts";

/** What an object may hold. */
export type Shape = {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly names: readonly string[];
  readonly required: readonly string[];
  readonly least: number;
  readonly most: number;
  /** The schema of properties that have none of their own; false when they are not allowed. */
  readonly extra: Json;
};

/** The shape of an object's schema. */
export function shapeOf(schema: JsonObject): Shape {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"])
    ? schema["required"].filter((name) => typeof name === "string")
    : [];
  const { minProperties: least, maxProperties: most } = schema;
  return {
    properties,
    names: Object.keys(properties),
    required,
    least: typeof least === "number" ? least : 0,
    most: typeof most === "number" ? most : Number.POSITIVE_INFINITY,
    extra: schema["additionalProperties"] ?? true,
  };
}

/** What a list may hold. */
export type ListShape = {
  /** Schemas of the first items, then that of all others. */
  readonly prefix: readonly unknown[];
  readonly rest: Json;
  /** How many of the items must fit `contains` too. */
  readonly contained: number;
  readonly least: number;
  readonly most: number;
  readonly isUnique: boolean;
};

/** The shape of an array's schema, with at most `maxItems` items where the schema states no bound. */
export function listShapeOf(schema: JsonObject, maxItems: number): ListShape {
  const prefix: readonly unknown[] = Array.isArray(schema["prefixItems"])
    ? schema["prefixItems"]
    : [];
  const rest = schema["items"] ?? true;
  const contained = "contains" in schema ? (numberAt(schema, "minContains") ?? 1) : 0;
  const most = Math.min(
    numberAt(schema, "maxItems") ?? maxItems,
    rest === false ? prefix.length : maxItems,
  );
  return {
    prefix,
    rest,
    contained,
    least: Math.max(numberAt(schema, "minItems") ?? 0, contained),
    most,
    isUnique: schema["uniqueItems"] === true,
  };
}

/** The type that is filled: the first one that is not null; without any, the one that the other keywords speak of. */
export function typeOf(schema: JsonObject): string {
  const type = schema["type"];
  const named = Array.isArray(type) ? type.find((one) => one !== "null") : type;
  if (typeof named === "string") return named;
  const has = (...keys: readonly string[]): boolean => keys.some((key) => key in schema);
  if (has("properties", "required", "additionalProperties", "minProperties")) return "object";
  if (has("items", "prefixItems", "minItems", "maxItems", "contains")) return "array";
  if (has("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"))
    return "number";
  return "string";
}

/** A number of a schema. */
export function numberAt(schema: JsonObject, key: string): number | undefined {
  const value = schema[key];
  return typeof value === "number" ? value : undefined;
}
