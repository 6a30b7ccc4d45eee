// Values with their places, whatever file they come from, and readers that say what they expected and got.
//
// V1 A null is an unset key: CrewAI's defaults are None. Readers are never given one.
// V2 A `python` value is an expression that nobody evaluates. It keeps its text, and of a call its name and arguments.

import { errorAt, type Place } from "./place.ts";

/** A value and where it stands. */
export type Located =
  | {
      readonly type: "scalar";
      readonly value: string | number | boolean | null;
      readonly place: Place;
    }
  | { readonly type: "list"; readonly items: readonly Located[]; readonly place: Place }
  | MapValue
  | PythonValue;

/** An object. Its keys are unique. */
export type MapValue = {
  readonly type: "map";
  readonly entries: readonly Entry[];
  readonly place: Place;
};

/** A Python expression. */
export type PythonValue = {
  readonly type: "python";
  readonly text: string;
  readonly call?: Call | undefined;
  readonly place: Place;
};

/** A call as it is written. */
export type Call = {
  readonly name: string;
  readonly args: readonly Located[];
  readonly keywords: readonly Entry[];
};

/** A key with its value; `place` is the key's. */
export type Entry = { readonly key: string; readonly value: Located; readonly place: Place };

/** The entry of a key, unless it is null (V1). */
export function entryOf(entries: readonly Entry[], key: string): Entry | undefined {
  const found = entries.find((entry) => entry.key === key);
  return found && isNull(found.value) ? undefined : found;
}

export function isNull(value: Located): boolean {
  return value.type === "scalar" && value.value === null;
}

/** True for what switches nothing on: null, false, an empty text, list or object. */
export function isOff(value: Located): boolean {
  switch (value.type) {
    case "scalar":
      return value.value === null || value.value === false || value.value === "";
    case "list":
      return value.items.length === 0;
    case "map":
      return value.entries.length === 0;
    case "python":
      return false;
    default:
      return value satisfies never;
  }
}

/** @throws BosunError `crew/invalid` for anything but a text that says something. The text is trimmed: YAML's `>` ends it with a break. */
export function toText(value: Located, what: string): string {
  const text = value.type === "scalar" && typeof value.value === "string" ? value.value.trim() : "";
  if (text === "") throw wrongType(value, what, "a text");
  return text;
}

/** As toText, but an empty text is none. */
export function toTextOrNone(value: Located, what: string): string | undefined {
  const isEmpty =
    value.type === "scalar" && typeof value.value === "string" && value.value.trim() === "";
  return isEmpty ? undefined : toText(value, what);
}

/** @throws BosunError `crew/invalid` for anything but true or false. */
export function toFlag(value: Located, what: string): boolean {
  if (value.type === "scalar" && typeof value.value === "boolean") return value.value;
  throw wrongType(value, what, "true or false");
}

/** @throws BosunError `crew/invalid` for anything but a whole number that is large enough. */
export function toWhole(value: Located, what: string, least: number): number {
  const number = value.type === "scalar" ? value.value : undefined;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= least) return number;
  throw wrongType(value, what, `a whole number of at least ${least}`);
}

/** @throws BosunError `crew/invalid` for anything but a number between the two. */
export function toNumber(
  value: Located,
  what: string,
  [least, most]: readonly [number, number],
): number {
  const number = value.type === "scalar" ? value.value : undefined;
  if (typeof number === "number" && number >= least && number <= most) return number;
  throw wrongType(value, what, `a number from ${least} to ${most}`);
}

/** Seconds, as CrewAI counts, in milliseconds. @throws BosunError `crew/invalid` for less than a millisecond or over 23 days, the longest timer. */
export function toMilliseconds(value: Located, what: string): number {
  return Math.round(toNumber(value, what, [0.001, 2_000_000]) * 1_000);
}

/** @throws BosunError `crew/invalid` for anything but a list. */
export function toItems(value: Located, what: string, of: string): readonly Located[] {
  if (value.type === "list") return value.items;
  throw wrongType(value, what, `a list of ${of}`);
}

/** @throws BosunError `crew/invalid` for anything but an object. */
export function toEntries(value: Located, what: string): readonly Entry[] {
  if (value.type === "map") return value.entries;
  throw wrongType(value, what, "an object of keys and values");
}

/** The error of a value that is something else than it should be. */
export function wrongType(value: Located, what: string, expected: string): Error {
  return errorAt(value.place, `${what} must be ${expected}, got ${show(value)}`);
}

/** Longest text of a value in a message. */
const MAX_SHOWN = 60;

/** A value as a message names it. */
export function show(value: Located): string {
  switch (value.type) {
    case "scalar":
      return value.value === null ? "nothing" : short(JSON.stringify(value.value));
    case "list":
      return "a list";
    case "map":
      return "an object";
    case "python":
      return `the Python expression ${short(value.text.replaceAll(/\s+/g, " "))}`;
    default:
      return value satisfies never;
  }
}

function short(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
