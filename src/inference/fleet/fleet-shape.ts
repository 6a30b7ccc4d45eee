// The shape that data from outside must have: rules by key, and the first fault with its path. Pure; knows no file.

import { isObject, ownValue } from "../../json.ts";
import { nearestName } from "./near.ts";

/** Where in the data something stands: ["models", "large", "endpoints", 0, "url"]. */
export type DataPath = readonly (string | number)[];

/** What a value must be. `expected` stands in the error's text: "must be …". */
export type Shape =
  | {
      readonly type: "value";
      readonly expected: string;
      readonly isRight: (value: unknown) => boolean;
      /** What stands there by mistake may be a secret: errors do not show it. */
      readonly isSecret?: boolean | undefined;
    }
  | {
      readonly type: "object";
      readonly keys: Readonly<Record<string, Shape>>;
      readonly required: readonly string[];
    }
  /** Any names, each with such a value. */
  | { readonly type: "record"; readonly of: Shape; readonly least: number; readonly most: number }
  | { readonly type: "list"; readonly of: Shape; readonly least: number; readonly most: number }
  /** The shape that fits what the value is: a text key decides between objects. */
  | {
      readonly type: "either";
      readonly expected: string;
      readonly pick: (value: unknown) => Shape | undefined;
    };

/** One mistake. `isKey` = the key itself is wrong, not its value. */
export type ShapeFault = {
  readonly path: DataPath;
  readonly isKey: boolean;
  readonly message: string;
};

/** The first mistake in the order of the data; undefined when there is none. Visits each value once. */
export function findFault(
  value: unknown,
  shape: Shape,
  path: DataPath = [],
): ShapeFault | undefined {
  switch (shape.type) {
    case "value":
      if (shape.isRight(value)) return undefined;
      return wrong(path, shape.expected, shape.isSecret ? HIDDEN : value);
    case "object":
      return isObject(value)
        ? findInObject(value, shape, path)
        : wrong(path, `an object of ${Object.keys(shape.keys).join(", ")}`, value);
    case "record":
      return findInRecord(value, shape, path);
    case "list":
      return findInList(value, shape, path);
    case "either": {
      const picked = shape.pick(value);
      return picked ? findFault(value, picked, path) : wrong(path, shape.expected, value);
    }
    default:
      return shape satisfies never;
  }
}

function findInObject(
  value: Readonly<Record<string, unknown>>,
  { keys, required }: Extract<Shape, { type: "object" }>,
  path: DataPath,
): ShapeFault | undefined {
  for (const [key, item] of Object.entries(value)) {
    const at = [...path, key];
    const shape = ownValue(keys, key);
    if (!shape) return { path: at, isKey: true, message: unknownKey(key, Object.keys(keys)) };
    const fault = item === undefined ? undefined : findFault(item, shape, at);
    if (fault) return fault;
  }
  const missing = required.find((key) => value[key] === undefined);
  if (missing === undefined) return undefined;
  return { path, isKey: false, message: `"${missing}" is missing` };
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearestName(key, known);
  const meant = near === undefined ? "" : ` Did you mean "${near}"?`;
  return `unknown key "${key.slice(0, 80)}".${meant} It takes ${known.join(", ")}`;
}

function findInRecord(
  value: unknown,
  { of, least, most }: Extract<Shape, { type: "record" }>,
  path: DataPath,
): ShapeFault | undefined {
  const size = isObject(value) ? Object.keys(value).length : -1;
  if (!isObject(value) || size < least || size > most)
    return wrong(path, `an object of ${least} to ${most} names`, value);
  for (const [key, item] of Object.entries(value)) {
    const at = [...path, key];
    if (!NAME.test(key)) return { path: at, isKey: true, message: `the name must be ${NAME_TEXT}` };
    const fault = findFault(item, of, at);
    if (fault) return fault;
  }
  return undefined;
}

/** Names of models and tenants: what can stand on a command line and in a table. */
const NAME = /^[A-Za-z0-9][\w./:@-]{0,127}$/;
const NAME_TEXT = "1 to 128 letters, digits or . _ - / : @, and begin with a letter or digit";

function findInList(
  value: unknown,
  { of, least, most }: Extract<Shape, { type: "list" }>,
  path: DataPath,
): ShapeFault | undefined {
  if (!Array.isArray(value) || value.length < least || value.length > most)
    return wrong(path, `a list of ${least} to ${most}`, value);
  const items: readonly unknown[] = value;
  for (const [index, item] of items.entries()) {
    const fault = findFault(item, of, [...path, index]);
    if (fault) return fault;
  }
  return undefined;
}

function wrong(path: DataPath, expected: string, value: unknown): ShapeFault {
  const name = path.findLast((step) => typeof step === "string") ?? "the fleet";
  return { path, isKey: false, message: `${name} must be ${expected}, got ${show(value)}` };
}

const HIDDEN = Symbol("hidden");

/** A value in an error's text: short, and never the inside of an object, where a secret may stand. */
function show(value: unknown): string {
  if (value === HIDDEN) return "something else";
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "string")
    return JSON.stringify(value.replace(/\/\/[^/@]*@/, "//…@").slice(0, 80)); // a password in a URL
  return typeof value === "number" || typeof value === "boolean" ? `${value}` : "an object";
}
