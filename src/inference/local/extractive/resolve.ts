// One node of a JSON Schema without its references and alternatives: what has to be filled.

import { isObject, type Json, type JsonObject } from "../../../json.ts";

/** A node that says directly what it takes. */
export type Resolved = { readonly schema: JsonObject; readonly isNullable: boolean };

/** Longest chain of references and combinations. */
const MAX_STEPS = 32;

/** undefined for a node that takes nothing (`false`), or whose references lead nowhere. */
export function resolveSchema(node: unknown, root: JsonObject, branch: number): Resolved | undefined {
  return resolve(node, { root, branch, steps: 0 });
}

type Walk = { readonly root: JsonObject; readonly branch: number; steps: number };

function resolve(node: unknown, walk: Walk): Resolved | undefined {
  if (walk.steps++ > MAX_STEPS) return undefined;
  if (node === true || node === undefined) return { schema: {}, isNullable: false };
  if (!isObject(node)) return undefined;
  const { $ref, allOf, anyOf, oneOf, ...own } = node as JsonObject; // `as`: a schema is JSON
  const isNullable = Array.isArray(own["type"]) && own["type"].includes("null");
  let resolved: Resolved = { schema: own, isNullable };
  const parts: unknown[] = Array.isArray(allOf) ? [...allOf] : [];
  if (typeof $ref === "string") parts.unshift(pointed($ref, walk.root));
  for (const part of parts) {
    const next = resolve(part, walk);
    if (!next) return undefined;
    resolved = { schema: merge(next.schema, resolved.schema), isNullable: resolved.isNullable || next.isNullable };
  }
  for (const options of [anyOf, oneOf]) {
    if (!Array.isArray(options)) continue;
    const next = resolve(optionOf(options, walk.branch), walk);
    if (!next) return undefined;
    resolved = { schema: merge(resolved.schema, next.schema), isNullable: resolved.isNullable || next.isNullable || options.some(isNull) };
  }
  return resolved;
}

/** Null is what a slot gets when there is nothing to say, so it is the last choice here. */
function optionOf(options: readonly Json[], branch: number): Json | undefined {
  const real = options.filter((option) => !isNull(option));
  return real.length > 0 ? real[branch % real.length] : options[0];
}

function isNull(option: Json): boolean {
  return isObject(option) && (option["type"] === "null" || option["const"] === null);
}

/** The node that "#/$defs/Fact" points at. References into other documents lead nowhere. */
function pointed(reference: string, root: JsonObject): unknown {
  if (!reference.startsWith("#")) return false;
  const steps = reference.slice(1).split("/").filter(Boolean);
  let node: unknown = root;
  for (const step of steps) {
    const key = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
    node = isObject(node) ? node[key] : Array.isArray(node) ? node[Number(key)] : undefined;
  }
  return node ?? false;
}

/** Both nodes at once: the narrower bound wins, properties and required names add up. */
function merge(a: JsonObject, b: JsonObject): JsonObject {
  const merged: Record<string, Json | undefined> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const before = merged[key];
    merged[key] = before === undefined || value === undefined ? (value ?? before) : mergeValues(key, before, value);
  }
  return merged;
}

function mergeValues(key: string, before: Json, value: Json): Json {
  if (typeof before === "number" && typeof value === "number") {
    if (/^(?:min|exclusiveMin)/.test(key)) return Math.max(before, value);
    if (/^(?:max|exclusiveMax)/.test(key)) return Math.min(before, value);
    return value;
  }
  if (key === "required" && Array.isArray(before) && Array.isArray(value)) return [...new Set([...before, ...value])];
  if (key === "enum" && Array.isArray(before) && Array.isArray(value)) return before.filter((option) => value.includes(option));
  if (key === "properties" && isObject(before) && isObject(value)) {
    const names = new Set([...Object.keys(before), ...Object.keys(value)]);
    const both = (name: string): Json => (name in before && name in value ? { allOf: [before[name] as Json, value[name] as Json] } : ((before[name] ?? value[name]) as Json)); // `as`: a schema is JSON
    return Object.fromEntries([...names].map((name) => [name, both(name)]));
  }
  if (key === "type" && (before === "integer" || value === "integer")) return "integer";
  if (key === "additionalProperties" && (before === false || value === false)) return false;
  return value;
}
