// Finds what the sources say for a slot: a value under its label, or lines that hold its words. Pure.

import { firstNumber, numbersNear } from "./number.ts";
import type { Field, Item } from "./field.ts";
import type { Line } from "./line.ts";
import { slotTerms } from "./slot-role.ts";
import { coverage, joinTerms, termsOf } from "./term.ts";
import type { Slot } from "./valuer.ts";

/** The values under a label that names the slot, the best fitting first; those beside values for its siblings come before others. */
export function valuesFor(
  { name, siblings }: Pick<Slot, "name" | "siblings">,
  items: readonly Item[],
): Field["value"][] {
  const wanted = toName(name);
  const found = items
    .flatMap((item) => item.fields.map((field) => ({ item, field, fit: fitOf(wanted, field) })))
    .filter(({ fit }) => fit > 0);
  if (found.length === 0) return [];
  const others = siblings.map(toName);
  // Once for each item: an item may have thousands of fields under one label.
  const company = new Map<Item, number>();
  for (const { item } of found)
    if (!company.has(item)) company.set(item, others.filter((other) => holds(item, other)).length);
  return found
    .map((one) => ({ ...one, rank: (company.get(one.item) ?? 0) + one.fit / 4 }))
    .toSorted((a, b) => b.rank - a.rank)
    .map(({ field }) => field.value);
}

/** True when the item has a value for the name. */
export function hasValue(item: Item, name: string): boolean {
  return holds(item, toName(name));
}

type Name = { readonly name: string; readonly terms: ReadonlySet<string> };

function toName(name: string): Name {
  return { name: name.toLowerCase(), terms: slotTerms(name, undefined) };
}

function holds(item: Item, wanted: Name): boolean {
  return item.fields.some((field) => fitOf(wanted, field) > 0);
}

/** 2 = the label is the name, 1 = it is but for one word, which a unit in the value may be: price_usd is "price: 1.49 USD". 0 = not. */
function fitOf({ name, terms: wanted }: Name, { label, terms, value }: Field): number {
  if (label.toLowerCase() === name) return 2;
  if (wanted.size === 0 || terms.size === 0) return 0;
  const isWhole = coverage(wanted, terms) === 1;
  if (isWhole && terms.size <= wanted.size + 1) return terms.size === wanted.size ? 2 : 1;
  if (coverage(terms, wanted) < 1) return 0;
  const said = joinTerms([terms, new Set(termsOf(`${value}`.slice(0, MAX_UNIT)))]);
  return coverage(wanted, said) === 1 ? 1 : 0;
}

/** Where a unit is looked for, in characters of a value. */
const MAX_UNIT = 80;

/** The lines that hold the words of the slot, those with most of them first. */
export function linesFor({ name, schema }: Slot, lines: readonly Line[]): Line[] {
  const named = slotTerms(name, undefined);
  const all = slotTerms(name, schema["description"]);
  const worth = ({ terms }: Line): number => Math.max(coverage(named, terms), coverage(all, terms));
  return lines
    .map((line) => ({ line, worth: worth(line) }))
    .filter((one) => one.worth >= LEAST_SHARE)
    .toSorted((a, b) => b.worth - a.worth)
    .map(({ line }) => line);
}

/** Share of a slot's words that a line must have to speak of it. */
const LEAST_SHARE = 0.5;

/** The numbers of a value. */
export function numberOf(value: Field["value"]): number | undefined {
  return typeof value === "number" ? value : firstNumber(`${value}`);
}

/** The numbers near the slot's words, line by line. */
export function numbersFor(slot: Slot, lines: readonly Line[]): number[] {
  const wanted = slotTerms(slot.name, slot.schema["description"]);
  return [...new Set(linesFor(slot, lines).flatMap(({ text }) => numbersNear(text, wanted)))];
}
