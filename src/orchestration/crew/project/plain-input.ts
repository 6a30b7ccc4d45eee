// The inputs that a project gives by default, as plain values.

import type { Json } from "../../../json.ts";
import type { Inputs } from "../input.ts";
import type { Noting } from "./place.ts";
import { type Entry, type Located, show } from "./value.ts";

/** Plain values by name; what is none is left out and noted. */
export function toInputs(entries: readonly Entry[], note: Noting): Inputs {
  const found = entries.flatMap(({ key, value, place }) => {
    const plain = toJson(value);
    if (plain === undefined)
      note(place, key, "note", `not read: it is ${show(value)}. Give it with --input ${key}=…`);
    return plain === undefined || plain === null ? [] : [[key, plain] as const];
  });
  return Object.fromEntries(found);
}

/** A value without places; undefined where Python would have to be run. */
function toJson(value: Located): Json | undefined {
  switch (value.type) {
    case "scalar":
      return value.value;
    case "list": {
      const items = value.items.map(toJson);
      return items.every((item) => item !== undefined) ? items : undefined;
    }
    case "map": {
      const pairs = value.entries.map((entry) => [entry.key, toJson(entry.value)] as const);
      return pairs.every(([, item]) => item !== undefined) ? Object.fromEntries(pairs) : undefined;
    }
    case "python":
      return undefined;
    default:
      return value satisfies never;
  }
}
