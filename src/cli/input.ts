// A run's inputs from the command line: parsed, checked for what a crew asks for. Pure but for @file.

import { readFileSync, statSync } from "node:fs";
import type { Program } from "../bosun.ts";
import { BosunError, messageOf } from "../error.ts";
import { isJson, isObject, type Json, parseJson } from "../json.ts";
import { type Crew, textsOf } from "../orchestration/crew/crew.ts";
import { type Inputs, type InputValue, placeholdersOf } from "../orchestration/crew/input.ts";
import {
  type FieldTypes,
  fieldTypesOf,
  isOfType,
  type JsonType,
  showTypes,
} from "../orchestration/flow/field.ts";

/** Most bytes of a file given as @file. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** A `key=value` of the command line, its file read. */
export type Pair = {
  readonly key: string;
  readonly text: string;
  /** Written as `key:=value`. */
  readonly isMarked: boolean;
};

/**
 * `key=@path` takes a file's content, `key=@@x` the text "@x".
 * @throws BosunError `usage` for a text without "=" or a file that cannot be read.
 */
export function readPairs(pairs: readonly string[]): readonly Pair[] {
  return pairs.map((pair) => {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at).trim();
    const isMarked = name.endsWith(":");
    const key = isMarked ? name.slice(0, -1).trim() : name;
    if (at < 1 || key === "")
      throw new BosunError("usage", `--input ${pair}: write it as --input name=value`);
    return { key, text: valueOf(pair.slice(at + 1), key), isMarked };
  });
}

/** The inputs of a crew or a flow from the command line. @throws BosunError as toInputs. */
export async function inputsFor(program: Program, pairs: readonly Pair[]): Promise<Inputs> {
  if (program.type === "crew" || pairs.length === 0) return toInputs(pairs);
  return toInputs(pairs, await fieldTypesOf(program));
}

/**
 * Values stay texts, but where `fields` say that no text will do: there they are JSON. `key:=value` is always JSON. The last of two
 * with one key counts.
 * @throws BosunError `usage` for a text that is not the JSON that it must be.
 */
export function toInputs(pairs: readonly Pair[], fields: FieldTypes = new Map()): Inputs {
  const entries = pairs.map(({ key, text, isMarked }) => [
    key,
    isMarked ? jsonOf(text, key) : fieldOf(text, key, fields.get(key)),
  ]);
  return Object.fromEntries(entries) as Inputs; // `as`: an input that is null is refused by what it is given to, where it must be
}

function jsonOf(text: string, key: string): Json {
  const value = parseJson(text);
  if (isJson(value)) return value;
  throw new BosunError("usage", `--input ${key}:=${shown(text)}: the text after := is no JSON`);
}

/** The text, or what it says as JSON where a text is none of the field's types. */
function fieldOf(text: string, key: string, types: readonly JsonType[] = []): Json {
  if (types.length === 0 || types.includes("string")) return text;
  const value = parseJson(text);
  if (isJson(value) && isOfType(value, types)) return value;
  throw new BosunError(
    "usage",
    `--input ${key}=${shown(text)}: the flow's field "${key}" is ${showTypes(types)}: write it as JSON`,
  );
}

/** A text may be a whole file. */
function shown(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function valueOf(value: string, key: string): string {
  if (value.startsWith("@@")) return value.slice(1);
  if (!value.startsWith("@")) return value;
  const path = value.slice(1);
  try {
    const { size } = statSync(path);
    if (size <= MAX_FILE_BYTES) return readFileSync(path, "utf8");
  } catch (cause) {
    throw new BosunError(
      "usage",
      `--input ${key}=@${path}: the file cannot be read: ${messageOf(cause)}`,
      { cause },
    );
  }
  throw new BosunError("usage", `--input ${key}=@${path}: over ${MAX_FILE_BYTES} bytes`);
}

/** The names that a crew's texts ask for, each once, in the order of its tasks. */
export function inputNamesOf(crew: Crew): readonly string[] {
  return [...new Set(textsOf(crew).flatMap(({ text }) => placeholdersOf(text)))];
}

/**
 * Checks that nothing is missing.
 * @throws BosunError `crew/input-missing` with all missing names and how to give them.
 */
export function checkAllInputs(crew: Crew, inputs: Inputs): void {
  const missing = inputNamesOf(crew).filter((name) => !Object.hasOwn(inputs, name));
  if (missing.length === 0) return;
  const flags = missing.map((name) => `--input ${name}=…`).join(" ");
  const given = Object.keys(inputs).join(", ") || "none";
  throw new BosunError(
    "crew/input-missing",
    `the crew "${crew.name}" needs the inputs ${missing.join(", ")}; given: ${given}. Add ${flags}`,
    { details: { missing } },
  );
}

/** Given names that no text of the crew asks for: most likely a slip of the hand. */
export function unusedInputs(crew: Crew, given: Inputs): readonly string[] {
  const known = inputNamesOf(crew);
  return Object.keys(given).filter((name) => !known.includes(name));
}

/** True for an object that can be a kickoff's inputs: JSON values, none of them null. */
export function isInputs(value: unknown): value is Inputs {
  return isObject(value) && Object.values(value).every(isInputValue);
}

function isInputValue(value: unknown): value is InputValue {
  return value !== null && isShallow(value, 0);
}

/** Deeper values are refused: a text of brackets must not overflow the stack. */
const MAX_DEPTH = 64;

function isShallow(value: unknown, depth: number): value is Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || depth > MAX_DEPTH) return false;
  return Object.values(value).every((one) => one === undefined || isShallow(one, depth + 1));
}
