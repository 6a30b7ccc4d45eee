// One node of a JSON Schema without its references and alternatives: what has to be filled.

import { isObject, type Json, type JsonObject, ownValue } from "../../../json.ts";

/** A node that says directly what it takes. */
export type Resolved = {
  readonly schema: JsonObject;
  readonly isNullable: boolean;
  /** How many branches lead to different nodes, at least 1. */
  readonly branches: number;
};

/** Most branches that are worth a try. */
const MAX_BRANCHES = 8;

/** Longest chain of references and combinations. */
const MAX_STEPS = 32;

/** undefined for a node that takes nothing (`false`), or whose references lead nowhere. */
export function resolveSchema(
  node: unknown,
  root: JsonObject,
  branch: number,
): Resolved | undefined {
  return resolve(node, { root, branch, steps: 0 });
}

type Walk = { readonly root: JsonObject; readonly branch: number; steps: number };

function resolve(node: unknown, walk: Walk): Resolved | undefined {
  if (walk.steps++ > MAX_STEPS) return undefined;
  if (node === true || node === undefined) return { schema: {}, isNullable: false, branches: 1 };
  if (!isObject(node)) return undefined;
  const { $ref, allOf, anyOf, oneOf, ...own } = node as JsonObject; // `as`: a schema is JSON
  const alternatives = [anyOf, oneOf].filter((options) => Array.isArray(options));
  const parts: unknown[] = [
    ...(typeof $ref === "string" ? [pointed($ref, walk.root)] : []),
    ...(Array.isArray(allOf) ? allOf : []),
    own,
    ...alternatives.map((options) => optionOf(options, walk.branch)),
  ];
  const isOptional =
    (Array.isArray(own["type"]) && own["type"].includes("null")) ||
    alternatives.some((options) => options.some(isNull));
  const branches = alternatives.reduce(
    (most, options) => Math.max(most, options.filter((option) => !isNull(option)).length),
    1,
  );
  return parts.reduce<Resolved | undefined>(
    (whole, part) => {
      const next =
        part === own ? { schema: own, isNullable: false, branches: 1 } : resolve(part, walk);
      return (
        whole &&
        next && {
          schema: merge(whole.schema, next.schema),
          isNullable: whole.isNullable || next.isNullable,
          branches: Math.min(MAX_BRANCHES, Math.max(whole.branches, next.branches)),
        }
      );
    },
    { schema: {}, isNullable: isOptional, branches },
  );
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
    const key = decoded(step).replaceAll("~1", "/").replaceAll("~0", "~");
    node = isObject(node)
      ? ownValue(node, key)
      : Array.isArray(node)
        ? node[Number(key)]
        : undefined;
  }
  return node ?? false;
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step; // a lone % is no escape
  }
}

/** Both nodes at once: the narrower bound wins, properties and required names add up. */
function merge(a: JsonObject, b: JsonObject): JsonObject {
  const merged = new Map(Object.entries(a));
  for (const [key, value] of Object.entries(b)) {
    const before = merged.get(key);
    const isBoth = before !== undefined && value !== undefined;
    merged.set(key, isBoth ? mergeValues(key, before, value) : (value ?? before));
  }
  return Object.fromEntries(merged);
}

function narrower(key: string, a: number, b: number): number {
  if (/^(?:min|exclusiveMin)/.test(key)) return Math.max(a, b);
  return /^(?:max|exclusiveMax)/.test(key) ? Math.min(a, b) : b;
}

function mergeValues(key: string, before: Json, value: Json): Json {
  if (typeof before === "number" && typeof value === "number") return narrower(key, before, value);
  if (Array.isArray(before) && Array.isArray(value)) return mergeLists(key, before, value);
  if (key === "properties" && isObject(before) && isObject(value))
    return mergeProperties(before, value);
  if (key === "type" && (before === "integer" || value === "integer")) return "integer";
  return key === "additionalProperties" && before === false ? false : value;
}

function mergeLists(key: string, before: readonly Json[], value: readonly Json[]): Json {
  if (key === "required") return [...new Set([...before, ...value])];
  return key === "enum" ? before.filter((option) => value.includes(option)) : value;
}

function mergeProperties(a: JsonObject, b: JsonObject): JsonObject {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries(
    [...names].map((name) => {
      const nodes = [ownValue(a, name), ownValue(b, name)].filter((node) => node !== undefined);
      return [name, nodes.length > 1 ? { allOf: nodes } : nodes[0]];
    }),
  );
}
