/** A value that JSON can carry, readonly. Use type aliases for objects that must fit: an `interface` has no index signature. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json | undefined };

/** True for what JSON can carry, whole: no function, no symbol, no NaN, no Map. Deeper than MAX_DEPTH is not. */
export function isJson(value: unknown, depth = 0): value is Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth + 1));
  if (!isPlain(value)) return false;
  return Object.values(value).every((item) => item === undefined || isJson(item, depth + 1));
}

const MAX_DEPTH = 100;

/** Of a value that isJson refuses the first place that is none, and what stands there: `list[2].when is a Date`, `it is a function`. */
export function notJsonIn(value: unknown): string {
  const { path, what } = faultIn(value, "", []) ?? { path: "", what: "no JSON" };
  return `${path === "" ? "it" : path.slice(0, MAX_PATH)} is ${what}`;
}

/** Characters of a path that are shown. */
const MAX_PATH = 200;

type Fault = { readonly path: string; readonly what: string };

/** @param above The objects that the value is in. */
function faultIn(value: unknown, path: string, above: readonly object[]): Fault | undefined {
  if (typeof value !== "object" || value === null)
    return isJson(value) ? undefined : { path, what: wordOf(value) };
  if (above.includes(value)) return { path, what: "a cycle" };
  if (above.length > MAX_DEPTH) return { path, what: `deeper than ${MAX_DEPTH} levels` };
  const isList = Array.isArray(value);
  if (!isList && !isPlain(value)) return { path, what: wordOf(value) };
  const inside = [...above, value];
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined && !isList) continue;
    const fault = faultIn(item, isList ? `${path}[${key}]` : placeOf(path, key), inside);
    if (fault) return fault;
  }
  return undefined;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function placeOf(path: string, key: string): string {
  if (!/^[\w$-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** What is no JSON, by its kind. */
function wordOf(value: unknown): string {
  if (value === undefined || typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null) return `a ${typeof value}`;
  const { constructor } = value;
  const name = typeof constructor === "function" ? constructor.name : "";
  if (name === "") return "an object of a class";
  return /^[AEIOU]/.test(name) ? `an ${name}` : `a ${name}`;
}

/** True for a plain object: not null, not an array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value of a key that is the record's own: a name from outside may be "constructor". */
export function ownValue<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** JSON text that is the same for equal values: keys are sorted at every level. Recursive: for values of bounded depth. */
export function canonicalJson(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value ?? null);
  const keys = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .toSorted();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`).join(",")}}`;
}

/** The parsed text, or undefined when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller decides what a text that is no JSON means
  }
}
