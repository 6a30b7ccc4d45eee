// Where each value of an answer comes from: word for word from a text, or stated by the schema.

import { isObject } from "../../../../src/json.ts";

/** The strings and numbers of a value that neither the texts nor the schema hold. Empty when all can be traced. */
export function untraced(value: unknown, schema: unknown, texts: readonly string[]): string[] {
  const said = texts.map(flat).join("\n");
  const stated = new Set(statedBy(schema).map((one) => JSON.stringify(one)));
  return leavesOf(value)
    .filter((leaf) => {
      if (stated.has(JSON.stringify(leaf))) return false;
      if (typeof leaf === "number") return !numbersIn(said).has(leaf);
      if (typeof leaf !== "string") return false; // true, false and null stand nowhere as such: the tests of a filled value check them
      return !piecesOf(leaf).every((piece) => said.includes(flat(piece)));
    })
    .map((leaf) => JSON.stringify(leaf));
}

/** The sentences of a text without their citations. */
function piecesOf(text: string): string[] {
  return text
    .split(/(?:\s*\[[^\]]+\])+\s*|(?<=[.!?])\s+(?=\p{Lu}|vLLM)/u)
    .filter((piece) => piece.trim() !== "");
}

function flat(text: string): string {
  return text.replaceAll(/\\"/g, '"').replaceAll(/\s+/g, " ").trim().toLowerCase();
}

function numbersIn(text: string): ReadonlySet<number> {
  const found = text.match(/-?\d+(?:,\d{3})*(?:\.\d+)?/g) ?? [];
  return new Set(found.map((number) => Number(number.replaceAll(",", ""))));
}

function leavesOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(leavesOf);
  return isObject(value) ? Object.values(value).flatMap(leavesOf) : [value];
}

/** The values under const, default and enum, wherever they stand. */
function statedBy(schema: unknown): unknown[] {
  if (Array.isArray(schema)) return schema.flatMap(statedBy);
  if (!isObject(schema)) return [];
  return Object.entries(schema).flatMap(([key, node]) =>
    ["const", "default", "enum"].includes(key) ? leavesOf(node) : statedBy(node),
  );
}
