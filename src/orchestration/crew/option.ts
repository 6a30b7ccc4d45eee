// Checks of what users write: every option is known, or the error says what is known and what is not built yet.

import { BosunError } from "../../error.ts";

/** Names that this version takes, and names of the design that it does not have yet. */
export type KnownOptions = {
  readonly built: readonly string[];
  readonly notBuilt: readonly string[];
};

/**
 * Refuses unknown options, so that none is ever ignored in silence.
 * @throws BosunError `crew/not-built` or `crew/invalid`.
 */
export function checkOptions(where: string, options: object, known: KnownOptions): void {
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || known.built.includes(key)) continue;
    if (known.notBuilt.includes(key)) {
      throw new BosunError(
        "crew/not-built",
        `${where}: "${key}" is not built yet in this version. Remove it, or it would silently do nothing`,
      );
    }
    throw new BosunError(
      "crew/invalid",
      `${where}: unknown option "${key}". It takes ${known.built.join(", ")}`,
    );
  }
}

/** @throws BosunError `crew/invalid` when a required text is missing or empty. */
export function checkText(where: string, field: string, value: unknown): void {
  if (typeof value === "string" && value.trim() !== "") return;
  throw new BosunError(
    "crew/invalid",
    `${where}: ${field} must be a text, got ${JSON.stringify(value) ?? "nothing"}`,
  );
}

/** @throws BosunError `crew/invalid` when a given number is not whole or below `least`. */
export function checkWhole(where: string, field: string, value: unknown, least: number): void {
  if (
    value === undefined ||
    (typeof value === "number" && Number.isInteger(value) && value >= least)
  )
    return;
  throw new BosunError(
    "crew/invalid",
    `${where}: ${field} must be a whole number of at least ${least}, got ${JSON.stringify(value)}`,
  );
}

/** Names of tasks and crews: they become parts of step keys and of file names. */
export function checkName(where: string, value: unknown): void {
  if (typeof value === "string" && /^[\w-]{1,64}$/.test(value)) return;
  throw new BosunError(
    "crew/invalid",
    `${where}: a name is 1 to 64 letters, digits, _ or -, got ${JSON.stringify(value) ?? "nothing"}`,
  );
}
