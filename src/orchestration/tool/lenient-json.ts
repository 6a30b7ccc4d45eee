// Reads JSON as models write it: JSON.parse for what is JSON, and a reader of its own for what is almost JSON.
//
// Beyond JSON it takes what cannot be meant otherwise: a comma before a closing bracket, texts in single quotes, line breaks and
// tabs inside texts, keys without quotes, and True, False and None. It knows nothing of tools and schemas.
//
// Invariants
//   J1  Text that is JSON has the value that JSON.parse gives it, but for keys named __proto__, which are dropped at every level:
//       a tool that merges its arguments into an object must not change that object's prototype.
//   J2  No value is nested deeper than MAX_DEPTH, so that whoever walks it may recurse.

import { isObject, type Json, parseJson } from "../../json.ts";

/** A value, or the first place where the text cannot be read. */
export type LenientJson =
  | { readonly type: "value"; readonly value: Json }
  | { readonly type: "fault"; readonly position: number; readonly expected: string };

/** The value of a text. Never throws; linear in the text's length. */
export function readLenientJson(text: string): LenientJson {
  const plain = parseJson(text);
  if (cleanse(plain)) return { type: "value", value: plain };
  if (plain !== undefined) return { type: "fault", position: 0, expected: DEPTH };
  const reader: Reader = { text, at: 0, fault: undefined };
  const value = readValue(reader, 0);
  skipSpace(reader);
  if (!reader.fault && reader.at < text.length) fail(reader, "the end of the text");
  if (reader.fault || value === undefined) {
    return { type: "fault", ...(reader.fault ?? { position: 0, expected: "a value" }) };
  }
  return { type: "value", value };
}

/** Arguments nested deeper than this are a mistake or an attack. */
const MAX_DEPTH = 64;
const DEPTH = `at most ${MAX_DEPTH} levels of lists and objects`;

/** Drops every key named __proto__ from what JSON.parse gave. False when it gave nothing, or more than MAX_DEPTH levels. */
function cleanse(root: unknown): root is Json {
  if (root === undefined) return false;
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return false;
    const next: unknown[] = [];
    for (const value of level) {
      if (isObject(value)) Reflect.deleteProperty(value, "__proto__");
      if (typeof value !== "object" || value === null) continue;
      for (const child of Object.values(value)) {
        if (typeof child === "object" && child !== null) next.push(child);
      }
    }
    level = next;
  }
  return true;
}

/** Where the reader is. Once `fault` is set every function returns without reading on. */
type Reader = {
  readonly text: string;
  at: number;
  fault: { readonly position: number; readonly expected: string } | undefined;
};

function readValue(reader: Reader, depth: number): Json | undefined {
  skipSpace(reader);
  if (depth > MAX_DEPTH) return fail(reader, DEPTH);
  const first = reader.text[reader.at];
  if (first === "{") return readObject(reader, depth);
  if (first === "[") return readList(reader, depth);
  if (first === '"' || first === "'") return readText(reader, first);
  const word = readPattern(reader, WORD);
  if (word === undefined) return fail(reader, "a value");
  if (WORDS.has(word)) return WORDS.get(word);
  const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(word)
    ? Number(word)
    : undefined;
  if (number !== undefined && Number.isFinite(number)) return number;
  reader.at -= word.length;
  return fail(reader, "a value (texts stand in double quotes)");
}

const WORD = /[\w.+-]+/y;
const KEY = /[A-Za-z_$][\w$-]*/y;
const WORDS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ["true", true],
  ["True", true],
  ["false", false],
  ["False", false],
  ["null", null],
  ["None", null],
]);

function readObject(reader: Reader, depth: number): Json | undefined {
  const entries: [string, Json][] = [];
  reader.at++;
  while (!takes(reader, "}")) {
    const key = readKey(reader);
    if (key === undefined) return undefined;
    if (!takes(reader, ":")) return fail(reader, "':' after the key");
    const value = readValue(reader, depth + 1);
    if (value === undefined) return undefined;
    if (key !== "__proto__") entries.push([key, value]); // J1
    if (!takes(reader, ",") && !isAt(reader, "}")) return fail(reader, "',' or '}'");
  }
  return Object.fromEntries(entries);
}

function readList(reader: Reader, depth: number): Json | undefined {
  const items: Json[] = [];
  reader.at++;
  while (!takes(reader, "]")) {
    const item = readValue(reader, depth + 1);
    if (item === undefined) return undefined;
    items.push(item);
    if (!takes(reader, ",") && !isAt(reader, "]")) return fail(reader, "',' or ']'");
  }
  return items;
}

function readKey(reader: Reader): string | undefined {
  skipSpace(reader);
  const first = reader.text[reader.at];
  if (first === '"' || first === "'") return readText(reader, first);
  return readPattern(reader, KEY) ?? fail(reader, "a key in double quotes, or '}'");
}

function readText(reader: Reader, quote: string): string | undefined {
  const start = reader.at;
  let end = start + 1;
  while (end < reader.text.length && reader.text[end] !== quote) {
    end += reader.text[end] === "\\" ? 2 : 1;
  }
  if (end >= reader.text.length) {
    reader.at = reader.text.length;
    return fail(reader, `the closing ${quote} of the text that starts at position ${start}`);
  }
  const inner = reader.text.slice(start + 1, end).replace(/\\.|"|[^ -\uffff]/gs, toJsonEscape);
  const value = parseJson(`"${inner}"`);
  if (typeof value !== "string") {
    return fail(reader, "a text with JSON's escapes only (a backslash is written \\\\)");
  }
  reader.at = end + 1;
  return value;
}

/** What JSON wants instead of an escaped single quote, a double quote between single ones, or a raw line break. */
function toJsonEscape(found: string): string {
  if (found === "\\'") return "'";
  if (found === '"') return '\\"';
  if (found.length === 1) return `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return found;
}

function readPattern(reader: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text)?.[0];
  reader.at += found?.length ?? 0;
  return found;
}

function takes(reader: Reader, mark: string): boolean {
  if (!isAt(reader, mark)) return false;
  reader.at++;
  return true;
}

function isAt(reader: Reader, mark: string): boolean {
  skipSpace(reader);
  return reader.text[reader.at] === mark;
}

function skipSpace(reader: Reader): void {
  while (reader.at < reader.text.length && /\s/.test(reader.text[reader.at] ?? "")) reader.at++;
}

/** Keeps the first fault. Returns undefined, as every reading function then does. */
function fail(reader: Reader, expected: string): undefined {
  reader.fault ??= { position: reader.at, expected };
}
