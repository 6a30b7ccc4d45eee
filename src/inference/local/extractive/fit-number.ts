// Numbers that keep the bounds of their schema.

import type { JsonObject } from "../../../json.ts";
import { numberAt } from "./shape.ts";

/**
 * The first wanted number that is within the bounds; else the schema's default.
 * A number out of bounds is not bent into them: it would say something that no text says.
 */
export function fitNumber(schema: JsonObject, wanted: readonly number[]): number | undefined {
  const standard = schema["default"];
  const all = typeof standard === "number" ? [...wanted, standard] : wanted;
  return all.find((value) => isWithin(schema, value));
}

/** The default or the number nearest to 0 within the bounds. Stands for "there is one": never part of an answer. */
export function leastNumber(schema: JsonObject): number | undefined {
  const { low, high } = boundsOf(schema);
  const step = stepOf(schema);
  // Steps are counted in whole numbers and rounded: 3 × 0.1 is 0.30000000000000004.
  const at = (count: number): number => Number((count * (step ?? 1)).toPrecision(12));
  const candidates =
    step === undefined
      ? [0, low, high, low + 1, high - 1, (low + high) / 2]
      : [0, ...stepsWithin(low, high, step).map(at)];
  return fitNumber(schema, []) ?? candidates.find((value) => isWithin(schema, value));
}

/** Another number within the bounds for each variant, so that a list can hold distinct ones. */
export function varyNumber(schema: JsonObject, variant: number): number | undefined {
  const least = leastNumber(schema);
  if (least === undefined || variant === 0) return least;
  const { low, high } = boundsOf(schema);
  const step = stepOf(schema) ?? 1;
  const share = low + ((high - low) * variant) / (variant + 2);
  const near = [least + variant * step, least - variant * step, share];
  return near.find((value) => isWithin(schema, value));
}

function stepOf(schema: JsonObject): number | undefined {
  return numberAt(schema, "multipleOf") ?? (schema["type"] === "integer" ? 1 : undefined);
}

/** The lowest and the highest number of steps within the bounds, and their neighbours, for bounds that are excluded. */
function stepsWithin(low: number, high: number, step: number): number[] {
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return [first, first + 1, last, last - 1];
}

function isWithin(schema: JsonObject, value: number): boolean {
  const step = numberAt(schema, "multipleOf");
  const { low, high } = boundsOf(schema);
  const isOutside =
    !Number.isFinite(value) ||
    value < low ||
    value > high ||
    value === numberAt(schema, "exclusiveMinimum") ||
    value === numberAt(schema, "exclusiveMaximum");
  if (isOutside || (schema["type"] === "integer" && !Number.isInteger(value))) return false;
  // The remainder of decimals is not exact: 0.3 % 0.1 is 0.09999999999999998.
  return step === undefined || Math.abs(value / step - Math.round(value / step)) < 1e-9;
}

function boundsOf(schema: JsonObject): { readonly low: number; readonly high: number } {
  const low = Math.max(
    numberAt(schema, "minimum") ?? Number.NEGATIVE_INFINITY,
    numberAt(schema, "exclusiveMinimum") ?? Number.NEGATIVE_INFINITY,
  );
  const high = Math.min(
    numberAt(schema, "maximum") ?? Number.POSITIVE_INFINITY,
    numberAt(schema, "exclusiveMaximum") ?? Number.POSITIVE_INFINITY,
  );
  return { low, high };
}
