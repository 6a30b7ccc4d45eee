// A run's inputs from the command line: parsed, checked for what a crew asks for. Pure but for @file.

import { readFileSync, statSync } from "node:fs";
import { BosunError, messageOf } from "../error.ts";
import { isObject, type Json } from "../json.ts";
import { type Crew, textsOf } from "../orchestration/crew/crew.ts";
import { type Inputs, type InputValue, placeholdersOf } from "../orchestration/crew/input.ts";

/** Most bytes of a file given as @file. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/**
 * Inputs from `key=value` texts. Values stay texts; `key=@path` takes a file's content, `key=@@x` the text "@x". The last of two
 * with one key counts.
 * @throws BosunError `usage` for a text without "=" or a file that cannot be read.
 */
export function parseInputs(pairs: readonly string[]): Inputs {
  const entries = pairs.map((pair) => {
    const at = pair.indexOf("=");
    const key = pair.slice(0, at).trim();
    if (at < 1 || key === "")
      throw new BosunError("usage", `--input ${pair}: write it as --input name=value`);
    return [key, valueOf(pair.slice(at + 1), key)] as const;
  });
  return Object.fromEntries(entries);
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
  return value !== null && isJson(value, 0);
}

/** Deeper values are refused: a text of brackets must not overflow the stack. */
const MAX_DEPTH = 64;

function isJson(value: unknown, depth: number): value is Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || depth > MAX_DEPTH) return false;
  return Object.values(value).every((one) => one === undefined || isJson(one, depth + 1));
}
