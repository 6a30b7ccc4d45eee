// Checks of what users write: every option is known and has the right kind of value, or the error says what is wrong and what is
// not built yet.

import { BosunError } from "../../error.ts";
import { similarTo } from "./similar.ts";

/** What is expected of a value that is not that; undefined for a right value. */
export type Check = (value: unknown) => string | undefined;

/** The options that this version takes, and names of the design that it does not have yet. */
export type KnownOptions = {
  readonly checks: Readonly<Record<string, Check>>;
  readonly notBuilt: readonly string[];
  /** The code of what is refused. Default: "crew/invalid". */
  readonly code?: "crew/invalid" | "flow/invalid";
};

/**
 * Refuses unknown options and wrong values, so that none is ever ignored in silence.
 * @throws BosunError `crew/not-built`, or `crew/invalid` where no other code is given, with the field's name.
 */
export function checkOptions(
  where: string,
  options: object,
  { checks, notBuilt, code = "crew/invalid" }: KnownOptions,
): void {
  if (typeof options !== "object" || options === null) {
    throw new BosunError(code, `${where}: the options must be an object, got ${show(options)}`);
  }
  const given = new Map<string, unknown>(Object.entries(options));
  for (const key of given.keys()) {
    if (Object.hasOwn(checks, key) || given.get(key) === undefined) continue;
    if (notBuilt.includes(key)) {
      const message = `${where}: "${key}" is not built yet in this version. Remove it, or it would silently do nothing`;
      throw new BosunError("crew/not-built", message);
    }
    const known = Object.keys(checks);
    const meant = similarTo(key, known);
    const hint = meant === undefined ? "" : ` Did you mean ${meant}?`;
    throw new BosunError(
      code,
      `${where}: unknown option "${key}".${hint} It takes ${known.join(", ")}`,
    );
  }
  for (const [key, check] of Object.entries(checks)) {
    const expected = check(given.get(key));
    if (expected === undefined) continue;
    throw new BosunError(code, `${where}: ${key} must be ${expected}, got ${show(given.get(key))}`);
  }
}

/** A check that lets an unset option through. */
export function optional(check: Check): Check {
  return (value) => (value === undefined ? undefined : check(value));
}

export const isText: Check = (value) =>
  typeof value === "string" && value.trim() !== "" ? undefined : "a text";

/** A text that may be empty. */
export const isString: Check = (value) => (typeof value === "string" ? undefined : "a text");

export const isFlag: Check = (value) => (typeof value === "boolean" ? undefined : "true or false");

/** Names of tasks and crews become parts of step keys and of file names. Digits alone would change places as keys of an object. */
export const isName: Check = (value) =>
  typeof value === "string" && /^(?!\d+$)[\w-]{1,64}$/.test(value)
    ? undefined
    : "1 to 64 letters, digits, _ or -, and not digits alone";

export function isWhole(least: number): Check {
  return (value) =>
    Number.isInteger(value) && Number(value) >= least
      ? undefined
      : `a whole number of at least ${least}`;
}

export function isBetween(least: number, most: number): Check {
  return (value) =>
    typeof value === "number" && value >= least && value <= most
      ? undefined
      : `a number from ${least} to ${most}`;
}

export function isOneOf(choices: readonly string[]): Check {
  return (value) =>
    choices.some((choice) => choice === value) ? undefined : `one of ${choices.join(", ")}`;
}

/** A list of things that a builder made, which it marks with `type`. */
export function isListOf(type: string): Check {
  const isMade = (value: unknown): boolean => typeOf(value) === type;
  return (value) => {
    if (!Array.isArray(value)) return `a list of what ${type}() makes`;
    const at = value.findIndex((item) => !isMade(item));
    return at < 0 ? undefined : `a list of what ${type}() makes (the item at ${at} is none)`;
  };
}

export const isModelRef: Check = (value) =>
  (typeof value === "string" && value !== "") || typeOf(value) === "endpoint"
    ? undefined
    : "a model's name or endpoint({ … })";

/** The mark that a builder puts on what it makes. */
export function typeOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
}

/** A wrong value as an error says it. */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (typeof value === "function" || typeof value === "bigint" || typeof value === "symbol")
    return `a ${typeof value}`;
  if (typeof value === "object") return Array.isArray(value) ? "a list" : "an object";
  return JSON.stringify(value);
}
