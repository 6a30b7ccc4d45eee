// What tokens cost: a model's price per million of them, the cost of one call, and the sum of costs. Pure.
//
// Invariant C1: every cost has a currency, where its price comes from, and a date.

import { isObject } from "../../json.ts";
import type { Usage } from "./usage.ts";

/** US dollars for a million tokens. */
export type TokenPrice = {
  readonly input: number;
  readonly output: number;
  /** Of prompt tokens that the server had in its cache. Default: as `input`. */
  readonly cached?: number | undefined;
  /** Where the price was read. Default "given": whoever set it up wrote it there. */
  readonly source?: string | undefined;
  /** When it was read, as 2026-11 or 2026-11-25. Default: the day of the call. */
  readonly date?: string | undefined;
};

/** What one call cost. */
export type CallCost = {
  readonly currency: "USD";
  readonly amount: number;
  readonly source: string;
  readonly date: string;
};

/** A sum of costs. `unpriced` counts calls whose model has no price: with any, the amount is not all. */
export type CostSum = {
  readonly currency: "USD";
  readonly amount: number;
  readonly unpriced: number;
  /** "source, date" of each price that is in it, in order of appearance. */
  readonly sources: readonly string[];
};

/** The sum of nothing. */
export const NO_COST: CostSum = { currency: "USD", amount: 0, unpriced: 0, sources: [] };

/** Most sources that a sum names. */
const MAX_SOURCES = 16;

/**
 * The cost of some tokens.
 * @example 1,000 in, of which 400 cached, and 100 out at { input: 2, output: 8, cached: 1 }: (600 × 2 + 400 × 1 + 100 × 8) / 1,000,000 = 0.0024 USD
 */
export function toUsd(price: TokenPrice, { input, output }: Usage): number {
  const cached = Math.min(input.cached ?? 0, input.total);
  const units =
    (input.total - cached) * price.input +
    cached * (price.cached ?? price.input) +
    output.total * price.output;
  return units / 1_000_000;
}

/** What a call cost, with its price's source and date. @param at Clock.now() of the call, in ms. */
export function costOf(price: TokenPrice, usage: Usage, at: number): CallCost {
  const { source = "given", date = new Date(at).toISOString().slice(0, 10) } = price;
  return { currency: "USD", amount: toUsd(price, usage), source, date };
}

/** The sum with one more call; undefined = a call without a price. What used no tokens cost nothing, whatever its price. */
export function addCallCost(
  sum: CostSum,
  { input, output }: Usage,
  cost: CallCost | undefined,
): CostSum {
  if (input.total + output.total === 0) return sum;
  if (cost === undefined) return { ...sum, unpriced: sum.unpriced + 1 };
  const named = `${cost.source}, ${cost.date}`;
  const isKnown = sum.sources.includes(named) || sum.sources.length >= MAX_SOURCES;
  const sources = isKnown ? sum.sources : [...sum.sources, named];
  return { ...sum, amount: sum.amount + cost.amount, sources };
}

function isAmount(amount: unknown): boolean {
  return typeof amount === "number" && Number.isFinite(amount) && amount >= 0;
}

const NAMES: readonly string[] = ["input", "output", "cached", "source", "date"];

/** A check of a price: what is expected where it is none. */
export function isTokenPrice(value: unknown): string | undefined {
  const isFit =
    isObject(value) &&
    Object.keys(value).every((name) => NAMES.includes(name)) &&
    isAmount(value["input"]) &&
    isAmount(value["output"]) &&
    (value["cached"] === undefined || isAmount(value["cached"])) &&
    [value["source"], value["date"]].every(
      (text) => text === undefined || typeof text === "string",
    );
  return isFit
    ? undefined
    : "US dollars per million tokens: { input, output, cached?, source?, date? }";
}
