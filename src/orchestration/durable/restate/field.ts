// Fields of what the server says: JSON whose shape is its own.

import { isObject, type Json } from "../../../json.ts";

/** The field at a path; undefined where there is none. */
export function fieldOf(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((of, name) => (isObject(of) ? of[name] : undefined), value);
}

/** The text at a path; empty where there is none. */
export function textAt(value: Json | undefined, ...path: readonly string[]): string {
  const field = fieldOf(value, ...path);
  return typeof field === "string" ? field : "";
}
