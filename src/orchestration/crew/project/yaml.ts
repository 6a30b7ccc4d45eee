// YAML as located values, the way CrewAI reads it: YAML 1.1, in which `no` is false. Loads the YAML library when it is needed.
//
// Y1 At most MAX_NODES values and MAX_DEPTH levels come out of one file, aliases counted each time: a few lines of aliases can
//    stand for billions of values.

import type * as Library from "yaml";
import type { Document, LineCounter, Node, Pair, Scalar } from "yaml";
import { messageOf } from "../../../error.ts";
import { errorAt, type Place, repeatedKey } from "./place.ts";
import type { Source } from "./source.ts";
import type { Entry, Located, MapValue } from "./value.ts";

type Yaml = typeof Library;

const MAX_NODES = 50_000;
const MAX_DEPTH = 32;

/**
 * Reads a YAML file.
 * @throws BosunError `crew/invalid` with the place for YAML that is broken, empty, over the bounds (Y1) or has tags of Python objects;
 *   `crew/duplicate-name` for a key that stands twice in one object.
 */
export async function readYaml({ file, text }: Source): Promise<Located> {
  const yaml = await import("yaml");
  const lines = new yaml.LineCounter();
  const placeOf = (offset: number): Place => toPlace(file, lines, offset);
  const document = parse(yaml, { file, text }, lines);
  const [fault] = [...document.errors, ...document.warnings];
  if (fault) {
    const quote = openQuote(yaml, document, fault.pos[0]);
    const { line, column } = placeOf(quote ?? 0);
    const where = quote === undefined ? "" : `. The quote opens at ${line}:${column}`;
    throw errorAt(placeOf(fault.pos[0]), `this is not valid YAML: ${said(fault.message)}${where}`);
  }
  if (document.contents === null || text.trim() === "")
    throw errorAt({ file, line: 1, column: 1 }, "the file is empty");
  return createReader(yaml, document, placeOf).read(document.contents, 0);
}

/** The library names a quote by its sign: `Missing closing "quote`. */
function said(message: string): string {
  return message.replace(/^Missing closing (["'])quote/, "the closing quote $1 is missing");
}

/** Where the text opens that a fault at this offset leaves open; undefined when it stands in no quoted text. */
function openQuote({ visit }: Yaml, document: Document, offset: number): number | undefined {
  let found: number | undefined;
  visit(document, {
    Scalar(_key, { type, range }) {
      if (type !== "QUOTE_DOUBLE" && type !== "QUOTE_SINGLE") return;
      const [from, to] = range ?? [Infinity, 0];
      if (from < offset && offset <= to) found = from;
    },
  });
  return found;
}

function toPlace(file: string, lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { file, line: Math.max(1, line), column: Math.max(1, col) };
}

function parse(
  { parseDocument }: Yaml,
  { file, text }: Source,
  lineCounter: LineCounter,
): Document {
  try {
    return parseDocument(text, {
      version: "1.1",
      lineCounter,
      prettyErrors: false,
      uniqueKeys: false, // checked below: the library compares each key with all others
    });
  } catch (cause) {
    const message = `this is not valid YAML: ${messageOf(cause)}`; // brackets that overflow the parser's stack
    throw errorAt({ file, line: 1, column: 1 }, message, "crew/invalid", cause);
  }
}

type Reader = { readonly read: (node: unknown, depth: number) => Located };

function createReader(yaml: Yaml, document: Document, placeOf: (offset: number) => Place): Reader {
  let count = 0;
  const { isAlias, isMap, isScalar, isSeq, isNode } = yaml;

  function read(node: unknown, depth: number): Located {
    const place = placeOf(isNode(node) ? (node.range?.[0] ?? 0) : 0);
    count += 1;
    if (count > MAX_NODES || depth > MAX_DEPTH) {
      const bound = depth > MAX_DEPTH ? `${MAX_DEPTH} levels` : `${MAX_NODES} values`;
      throw errorAt(place, `the file holds more than ${bound}, aliases counted each time`);
    }
    if (isAlias(node)) return read(targetOf(node.resolve(document), node.source, place), depth + 1);
    if (isScalar(node)) return { type: "scalar", value: scalarOf(node), place };
    if (isSeq(node)) {
      const items = node.items.map((item) => read(item, depth + 1));
      return { type: "list", items, place };
    }
    if (isMap(node)) return { type: "map", entries: readEntries(node.items, depth), place };
    return { type: "scalar", value: null, place };
  }

  function readEntries(pairs: readonly Pair[], depth: number): readonly Entry[] {
    const own: Entry[] = [];
    const merged: Entry[] = [];
    const seen = new Set<string>();
    for (const pair of pairs) {
      const key = String(isScalar(pair.key) ? (pair.key.source ?? pair.key.value) : pair.key);
      const place = placeOf(isNode(pair.key) ? (pair.key.range?.[0] ?? 0) : 0);
      if (seen.has(key)) throw repeatedKey(place, key);
      seen.add(key);
      const value = read(pair.value, depth + 1);
      if (key === "<<") merged.push(...mapsOf(value).flatMap(({ entries }) => entries));
      else own.push({ key, value, place });
    }
    return [...own, ...firstOfEach(merged).filter(({ key }) => !seen.has(key))];
  }

  return { read };
}

function targetOf(target: Node | undefined, source: string, place: Place): Node {
  if (target) return target;
  throw errorAt(place, `the alias *${source} has no anchor &${source} before it`);
}

/** Dates stay the texts that they were written as. */
function scalarOf({ value, source }: Scalar): string | number | boolean | null {
  if (typeof value === "bigint") return Number(value);
  const isPlain =
    typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return isPlain || value === null ? value : (source ?? null);
}

/** What `<<: *base` or `<<: [*a, *b]` merges. */
function mapsOf(value: Located): readonly MapValue[] {
  if (value.type === "map") return [value];
  return value.type === "list" ? value.items.filter((item) => item.type === "map") : [];
}

function firstOfEach(entries: readonly Entry[]): readonly Entry[] {
  const byKey = new Map<string, Entry>();
  for (const entry of entries) if (!byKey.has(entry.key)) byKey.set(entry.key, entry);
  return [...byKey.values()];
}
