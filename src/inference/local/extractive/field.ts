// Values under a label, as tools and documents give them: JSON properties, "Label: value" lines, rows of a table. Pure.
//
// Does not know what a schema asks for. Bounded by MAX_FIELDS and by the bounds of a JSON text's depth.

import { isObject, parseJson } from "../../../json.ts";
import type { Section } from "./assignment.ts";
import { NAME_KEYS, stringAt, SOURCE_KEYS } from "./material.ts";
import { isSentence, splitSentences } from "./sentence.ts";
import { slotTerms } from "./slot-role.ts";

/** One value under its label. */
export type Field = {
  readonly label: string;
  readonly terms: ReadonlySet<string>;
  readonly value: string | number | boolean;
};

/** Fields that stand together: the properties of one object, lines that follow each other, one row. */
export type Item = { readonly source: string; readonly fields: readonly Field[] };

/** Most fields that are read, longest value in characters, deepest object. */
const MAX_FIELDS = 2_000;
const LONGEST_VALUE = 500;
const MAX_DEPTH = 8;

/** The items of all texts, in order. */
export function readItems(sections: readonly Section[]): Item[] {
  const items: Item[] = [];
  let room = MAX_FIELDS;
  for (const { name, text } of sections) {
    const parsed = /^\s*[[{]/.test(text) ? parseJson(text) : undefined;
    const found = parsed === undefined ? itemsInText(name, text) : itemsInJson(name, parsed, 0);
    for (const item of found) {
      if (item.fields.length === 0 || item.fields.length > room) continue;
      items.push(item);
      room -= item.fields.length;
    }
  }
  return items;
}

function toField(label: string, value: Field["value"]): Field {
  return { label, terms: slotTerms(label, undefined), value };
}

function itemsInJson(source: string, value: unknown, depth: number): Item[] {
  if (depth > MAX_DEPTH) return [];
  if (Array.isArray(value)) return value.flatMap((one) => itemsInJson(source, one, depth + 1));
  if (typeof value === "string") return depth > 0 ? itemsInText(source, value) : [];
  if (!isObject(value)) return [];
  const here = stringAt(value, SOURCE_KEYS) ?? source;
  const entries = Object.entries(value);
  // A passage names where it stands; those names are cited with its sentences and are no values of their own.
  const isPassage = entries.some(([, one]) => typeof one === "string" && isProse(one));
  const isOwn = (key: string, one: unknown): one is Field["value"] =>
    isScalar(one) && !(isPassage && (NAME_KEYS.has(key) || isProse(`${one}`)));
  const fields = entries.flatMap(([key, one]) =>
    (Array.isArray(one) ? one : [one])
      .filter((each: unknown) => isOwn(key, each))
      .map((each) => toField(key, each)),
  );
  const inner = entries.flatMap(([, one]) => itemsInJson(here, one, depth + 1));
  return [{ source: here, fields }, ...inner];
}

function isScalar(value: unknown): value is Field["value"] {
  return typeof value === "string"
    ? value.trim() !== "" && value.length <= LONGEST_VALUE
    : typeof value === "boolean" || Number.isFinite(value);
}

function isProse(text: string): boolean {
  return splitSentences(text.slice(0, LONGEST_VALUE)).some((one) => isSentence(one.text));
}

/** Lines of labels and rows of tables; any other line ends an item. */
function itemsInText(source: string, text: string): Item[] {
  const items: Item[] = [];
  let open: Field[] = [];
  let head: readonly string[] | undefined;
  const close = (): void => {
    if (open.length > 0) items.push({ source, fields: open });
    open = [];
  };
  for (const line of text.split(/\r?\n/, MAX_FIELDS)) {
    const cells = cellsOf(line);
    const field = cells ? undefined : labelledIn(line);
    if (field) open.push(field);
    else close();
    if (cells && head && !isRule(cells)) items.push({ source, fields: rowOf(head, cells) });
    head = cells ? (head ?? cells) : undefined;
  }
  close();
  return items;
}

/** "Price (USD): 1.49", "- **Region**: europe". The label has few words, so a sentence with a colon is none. */
function labelledIn(line: string): Field | undefined {
  const match =
    /^\s{0,8}(?:[-*+•]\s+)?(?:\*\*)?(\p{L}[\p{L}\p{N} _()/.-]{0,39}?)(?:\*\*)?\s?[:=](?:\*\*)?\s+(\S.{0,499})$/u.exec(
      line.slice(0, 600),
    );
  const [label = "", value = ""] = [match?.[1], match?.[2]?.trim()];
  if (!match || label.split(/\s+/).length > 5) return undefined;
  return toField(label.trim(), value.replace(/^[`"“](.*)[`"”]$/, "$1"));
}

/** The cells of a line of a table. */
function cellsOf(line: string): readonly string[] | undefined {
  const text = line.trim();
  if (!text.startsWith("|") || !text.endsWith("|") || text.length < 3) return undefined;
  return text
    .slice(1, -1)
    .split("|")
    .map((cell) => cell.trim().replace(/^[`*]+|[`*]+$/g, ""));
}

function isRule(cells: readonly string[]): boolean {
  return cells.every((cell) => /^:?-+:?$/.test(cell));
}

function rowOf(head: readonly string[], cells: readonly string[]): Field[] {
  return head.flatMap((label, at) => {
    const value = cells[at];
    return label && value && value.length <= LONGEST_VALUE ? [toField(label, value)] : [];
  });
}
