// Values that only satisfy their schema: they show that it can be filled at all, whatever the sources hold. Never part of an answer.

import { varyNumber } from "./fit-number.ts";
import { leastText } from "./least-text.ts";
import { numberAt } from "./shape.ts";
import type { Valuer } from "./valuer.ts";

/** Most names that are made for an object that must have some. */
const MAX_KEYS = 200;

/** The least values; another `variant` gives other ones, for lists whose items must differ. */
export function createLeastValuer(variant = 0): Valuer {
  return {
    text: (slot) => leastText(slot.schema, variant === 0 ? "none" : `none ${variant}`),
    number: (slot) => varyNumber(slot.schema, variant),
    flag: () => variant % 2 === 1,
    choice: (_, options) => options[variant % Math.max(1, options.length)],
    count: () => 0,
    wants: () => false,
    keys(slot) {
      const length = Math.min(numberAt(slot.schema, "minProperties") ?? 0, MAX_KEYS);
      return Array.from({ length }, (_, index) => `extra_${index + 1}`);
    },
    item: (_, index) => createLeastValuer(variant + index),
  };
}
