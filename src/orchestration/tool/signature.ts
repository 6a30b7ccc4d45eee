// A schema in a few words, as a model that got it wrong reads it again: { query: string, maxResults?: integer }.

import { isObject, type JsonObject } from "../../json.ts";

const MAX_DEPTH = 3;
const MAX_KEYS = 20;
const MAX_CHOICES = 12;
const MAX_TEXT = 600;

/** The shape that a JSON Schema describes, in TypeScript's notation; at most about 600 characters. What it cannot say is "any". */
export function signatureOf(schema: JsonObject): string {
  const text = shapeOf(schema, 0);
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

function shapeOf(schema: unknown, depth: number): string {
  if (!isObject(schema)) return "any";
  const { type, const: only, enum: choices, anyOf, oneOf, items, properties } = schema;
  if (only !== undefined) return JSON.stringify(only);
  if (Array.isArray(choices)) return unionOf(choices, (choice) => JSON.stringify(choice));
  const variants = Array.isArray(anyOf) ? anyOf : oneOf;
  if (Array.isArray(variants)) return unionOf(variants, (variant) => shapeOf(variant, depth + 1));
  if (type === "array") {
    return items === undefined
      ? "any[]"
      : `(${shapeOf(items, depth + 1)})[]`.replace(/^\((\w+)\)/, "$1");
  }
  if (isObject(properties)) {
    return depth < MAX_DEPTH ? objectOf(schema, properties, depth) : "object";
  }
  if (Array.isArray(type)) return unionOf(type, String);
  return typeof type === "string" ? `${type}${rangeOf(schema)}` : "any";
}

function objectOf(
  schema: Readonly<Record<string, unknown>>,
  properties: Readonly<Record<string, unknown>>,
  depth: number,
): string {
  const required: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  const entries = Object.entries(properties);
  const shown = entries
    .slice(0, MAX_KEYS)
    .map(
      ([key, value]) => `${key}${required.includes(key) ? "" : "?"}: ${shapeOf(value, depth + 1)}`,
    );
  if (entries.length > MAX_KEYS) shown.push(`… ${entries.length - MAX_KEYS} more`);
  return shown.length === 0 ? "{}" : `{ ${shown.join(", ")} }`;
}

function unionOf(parts: readonly unknown[], show: (part: unknown) => string): string {
  const shown = parts.slice(0, MAX_CHOICES).map(show);
  if (parts.length > MAX_CHOICES) shown.push("…");
  return shown.join(" | ");
}

function rangeOf({ minimum, maximum }: Readonly<Record<string, unknown>>): string {
  if (typeof minimum !== "number" && typeof maximum !== "number") return "";
  return ` ${typeof minimum === "number" ? minimum : ""}..${typeof maximum === "number" ? maximum : ""}`;
}
