// Numbers that users give: checked where they come in, with the field's name in the message.

import { BosunError } from "../../error.ts";

/**
 * The number itself.
 * @throws BosunError `fleet/invalid` unless it is finite and above 0.
 */
export function toPositive(value: unknown, where: string, range = "above 0"): number {
  if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
  throw new BosunError(
    "fleet/invalid",
    `${where} must be a number ${range}, not ${String(value).slice(0, 40)}`,
  );
}

/**
 * The number itself.
 * @throws BosunError `fleet/invalid` unless it is an integer from 1 to `max`.
 */
export function toCount(value: unknown, where: string, max: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= max)
    return value;
  throw new BosunError(
    "fleet/invalid",
    `${where} must be an integer from 1 to ${max}, not ${String(value).slice(0, 40)}`,
  );
}

/**
 * The number itself.
 * @throws BosunError `fleet/invalid` unless it is finite and 0 or more.
 */
export function toAmount(value: unknown, where: string): number {
  return value === 0 ? value : toPositive(value, where, "0 or more");
}
