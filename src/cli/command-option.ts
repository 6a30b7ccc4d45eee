// What the definitions of commands share: flags that several have, and how their values are read.

import { InvalidArgumentError } from "commander";
import type { Terminal } from "./terminal.ts";

/** What a command's definition gets: where it runs, and who takes its exit code. */
export type Define = { readonly terminal: Terminal; readonly onCode: (code: number) => void };

export const JSON_FLAG: readonly [flags: string, description: string] = [
  "--json",
  "print JSON on stdout and nothing else there",
];
export const NOTES_FLAG: readonly [flags: string, description: string] = [
  "--notes",
  "print a CrewAI project's notes, besides its warnings",
];
export const WAIT_FLAG: readonly [flags: string, description: string] = [
  "--wait",
  "leave questions open for `runs signal` when the input has ended; default: the questions' defaults hold at once",
];
export const DATA_FLAG: readonly [flags: string, description: string] = [
  "--data <folder>",
  "where Bosun keeps its files; default: BOSUN_DATA, else .bosun",
];

/** Of a flag that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** A whole number of at least 1. */
export function toCount(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError("It must be a whole number of at least 1.");
}

/** Seconds, 0 to an hour. */
export function toSeconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 3_600) return value;
  throw new InvalidArgumentError("It must be seconds, 0 to 3600.");
}

/** A port; 0 takes a free one. */
export function toPort(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError("It must be a port, 0 to 65535.");
}

/** A number above 0, perhaps with an x behind it: 100x. */
export function toFactor(text: string): number {
  const value = Number(text.replace(/x$/i, ""));
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError("It must be a number above 0, such as 1x or 100x.");
}

/** A share of a whole, above 0 and at most 1. */
export function toShare(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError("It must be above 0 and at most 1.");
}
