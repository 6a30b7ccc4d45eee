// What a tool returned, as JSON. Stricter than JSON.stringify, which drops functions and turns a Map into {} without a word.

import { BosunError } from "../../error.ts";
import type { Json } from "../../json.ts";

/** Bounds of a result before it is cut to its limit: what is larger is a mistake, and walking it would block the process. */
const MAX_VALUES = 1_000_000;
const MAX_DEPTH = 200;

/**
 * A copy of the value as JSON, with JSON's own conventions: no value is null (undefined keys are left out), a Date is its ISO text,
 * NaN and the infinities are null, an object of a class is its enumerable fields.
 * @throws BosunError `tool/failed` that says what is not JSON and where it stands.
 */
export function toJsonResult(value: unknown): Json {
  return copy(value, { path: [], ancestors: new Set(), values: 0 });
}

/** Where the walk is; one object for the whole walk, because a copy for each of a million values would cost more than the values. */
type Walk = { readonly path: string[]; readonly ancestors: Set<object>; values: number };

function copy(value: unknown, walk: Walk): Json {
  if (++walk.values > MAX_VALUES) {
    throw notJson(walk, `more than ${MAX_VALUES} values. Return less`);
  }
  if (value === undefined || value === null) return null;
  if (typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "bigint") {
    throw notJson(walk, "a BigInt. Return Number(value) or String(value)");
  }
  if (typeof value !== "object") throw notJson(walk, `a ${typeof value}. Return plain data`);
  if (walk.ancestors.has(value)) {
    throw notJson(walk, "an object that contains itself. Return plain data without cycles");
  }
  if (walk.path.length >= MAX_DEPTH) {
    throw notJson(walk, `more than ${MAX_DEPTH} levels of lists and objects. Return flatter data`);
  }
  const special = SPECIAL.find(([is]) => is(value));
  if (special) throw notJson(walk, special[1]);
  walk.ancestors.add(value);
  const copied = copyObject(value, walk);
  walk.ancestors.delete(value);
  return copied;
}

function copyObject(value: object, walk: Walk): Json {
  const inside = (key: string, child: unknown): Json => {
    walk.path.push(key);
    const copied = copy(child, walk);
    walk.path.pop();
    return copied;
  };
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return inside("toJSON()", value.toJSON());
  }
  if (Array.isArray(value)) return Array.from(value, (item, index) => inside(String(index), item));
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(entries.map(([key, field]) => [key, inside(key, field)]));
}

/** Objects that JSON.stringify makes nonsense of, and what to return instead. */
const SPECIAL: readonly (readonly [(value: object) => boolean, string])[] = [
  [(value) => value instanceof Promise, "a promise. Await it before you return"],
  [(value) => value instanceof Map, "a Map. Return Object.fromEntries(map)"],
  [(value) => value instanceof Set, "a Set. Return [...set]"],
  [(value) => value instanceof Error, "an Error. Throw it, or return its message"],
  [
    (value) => ArrayBuffer.isView(value) || value instanceof ArrayBuffer,
    "binary data. Return text, or a path to a file",
  ],
];

function notJson({ path }: Walk, what: string): BosunError {
  return new BosunError(
    "tool/failed",
    `the result is not JSON: ${path.length === 0 ? "it" : `result/${path.join("/")}`} is ${what}`,
  );
}
