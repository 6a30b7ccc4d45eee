// JSON and JSONC (comments, commas before a closing bracket) as located values. A parser of its own: JSON.parse tells no places of
// values, and the YAML library knows no `//`.

import { errorAt, type Place, repeatedKey } from "./place.ts";
import type { Source } from "./source.ts";
import type { Entry, Located } from "./value.ts";

/** Deeper brackets are refused: they must not overflow the stack. */
const MAX_DEPTH = 32;

/**
 * Reads a JSON or JSONC file.
 * @throws BosunError `crew/invalid` with the place for text that is neither, or empty; `crew/duplicate-name` for a key that stands
 *   twice in one object.
 */
export function readJsonc({ file, text }: Source): Located {
  const cursor = createCursor(file, text);
  cursor.skip();
  if (cursor.isAtEnd()) throw errorAt({ file, line: 1, column: 1 }, "the file is empty");
  const value = readValue(cursor, 0);
  cursor.skip();
  if (!cursor.isAtEnd()) throw cursor.unexpected("the end of the file");
  return value;
}

type Cursor = {
  /** Passes blanks and comments. */
  skip(): void;
  isAtEnd(): boolean;
  place(): Place;
  /** Passes this text if it comes next. */
  take(expected: string): boolean;
  /** Passes and returns what matches next; the pattern is sticky. */
  match(pattern: RegExp): string | undefined;
  unexpected(expected: string): Error;
};

function createCursor(file: string, text: string): Cursor {
  let at = 0;
  let [line, lineStart] = [1, 0];
  const place = (): Place => ({ file, line, column: at - lineStart + 1 });
  const advance = (end: number): void => {
    const passed = text.slice(at, end);
    const last = passed.lastIndexOf("\n");
    if (last >= 0) [line, lineStart] = [line + passed.split("\n").length - 1, at + last + 1];
    at = end;
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) advance(at + found.length);
    return found;
  };
  return {
    skip: () => void match(BLANKS),
    isAtEnd: () => at >= text.length,
    place,
    take(expected) {
      if (!text.startsWith(expected, at)) return false;
      advance(at + expected.length);
      return true;
    },
    match,
    unexpected(expected) {
      const got =
        at >= text.length ? "the end of the file" : JSON.stringify(text.slice(at, at + 12));
      return errorAt(place(), `this is not valid JSON: expected ${expected}, got ${got}`);
    },
  };
}

const BLANKS = /(?:[\s\uFEFF]+|\/\/[^\n]*|\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/)*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\.)*"/y; // oxlint-disable-line no-control-regex -- JSON forbids exactly these in a string
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /(?:true|false|null)\b/y;

function readValue(cursor: Cursor, depth: number): Located {
  const place = cursor.place();
  if (depth > MAX_DEPTH) throw errorAt(place, `the file is more than ${MAX_DEPTH} levels deep`);
  if (cursor.take("{"))
    return readReference({ type: "map", entries: readEntries(cursor, depth), place });
  if (cursor.take("[")) return { type: "list", items: readItems(cursor, depth), place };
  const token = cursor.match(STRING) ?? cursor.match(NUMBER) ?? cursor.match(WORD);
  if (token === undefined) throw cursor.unexpected("a value");
  return { type: "scalar", value: parseToken(token, place), place };
}

/** {"python": "module.name"} is how a JSON crew names something that is written in Python. */
function readReference(value: Located): Located {
  const [only, ...others] = value.type === "map" ? value.entries : [];
  if (only?.key !== "python" || others.length > 0 || only.value.type !== "scalar") return value;
  return { type: "python", text: String(only.value.value), place: value.place };
}

function readEntries(cursor: Cursor, depth: number): readonly Entry[] {
  const entries: Entry[] = [];
  const seen = new Set<string>();
  for (cursor.skip(); !cursor.take("}"); cursor.skip()) {
    const place = cursor.place();
    const token = cursor.match(STRING);
    if (token === undefined) throw cursor.unexpected('a key in quotes or "}"');
    const key = String(parseToken(token, place));
    if (seen.has(key)) throw repeatedKey(place, key);
    seen.add(key);
    cursor.skip();
    if (!cursor.take(":")) throw cursor.unexpected('":"');
    cursor.skip();
    entries.push({ key, value: readValue(cursor, depth + 1), place });
    endItem(cursor, "}");
  }
  return entries;
}

function readItems(cursor: Cursor, depth: number): readonly Located[] {
  const items: Located[] = [];
  for (cursor.skip(); !cursor.take("]"); cursor.skip()) {
    items.push(readValue(cursor, depth + 1));
    endItem(cursor, "]");
  }
  return items;
}

/** After an item comes a comma, or the closing bracket, which stays for the loop. */
function endItem(cursor: Cursor, closing: string): void {
  cursor.skip();
  if (cursor.take(",")) return;
  const isEnd = cursor.match(closing === "}" ? /(?=\})/y : /(?=\])/y) !== undefined;
  if (!isEnd) throw cursor.unexpected(`"," or "${closing}"`);
}

function parseToken(token: string, place: Place): string | number | boolean | null {
  try {
    return JSON.parse(token) as string | number | boolean | null; // `as`: the patterns above match nothing else
  } catch (cause) {
    throw errorAt(
      place,
      `this is not valid JSON: a wrong escape in ${token.slice(0, 40)}`,
      "crew/invalid",
      cause,
    );
  }
}
