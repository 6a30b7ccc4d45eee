// Values that only satisfy their schema: for required slots that nothing is known for. They say that they are none where they can.

import { varyNumber } from "./fit-value.ts";
import type { Valuer } from "./valuer.ts";

/** The least values; another `variant` gives other ones, for lists whose items must differ. */
export function createLeastValuer(variant = 0): Valuer {
  return {
    texts: () => [variant === 0 ? "none" : `none ${variant}`],
    number: (slot) => varyNumber(slot.schema, variant),
    flag: () => variant % 2 === 1,
    choice: (_, options) => options[variant % Math.max(1, options.length)],
    count: () => 0,
    wants: () => false,
    keys: () => [],
    item: (_, index) => createLeastValuer(variant + index),
  };
}
