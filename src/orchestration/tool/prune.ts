// Makes a JSON value smaller by its structure, so that what is left fits a budget and says what is missing.
//
//   a list    {"count":120,"first":[…],"more":117}: as many items as fit, the first three shortened before any is given up
//   an object small fields whole, large ones an equal part of the rest; {"…":"12 keys left out"} for those without room
//   a text    its beginning and how much is missing
//
// Knows no bytes and no tokens: what a piece of JSON costs is the caller's, 1 being the whole budget. Costs of pieces are added
// up, so a cost must not be larger for the whole than for the sum of its parts.

import { isObject, type Json, type JsonObject } from "../../json.ts";
import { cutText } from "./text.ts";

/** What a piece of JSON text takes of the budget. */
export type Cost = (text: string) => number;

/** The value, or what is left of it within a budget of 1; undefined when not even a mark of it fits. */
export function pruneJson(value: Json, cost: Cost): Json | undefined {
  return prune(value, { cost, known: new WeakMap() }, 1);
}

/** `known` has the cost of each list and object, so that each is turned to text once for each level above it that asks. */
type Scale = { readonly cost: Cost; readonly known: WeakMap<object, number> };

/** Items of a list that are shortened rather than left out. */
const WANTED_ITEMS = 3;
/** Room for the smallest useful form of a field; fields get at least this much or are left out. */
const LEAST_FIELD = '"some text of a field…"';

function prune(value: Json, scale: Scale, budget: number): Json | undefined {
  if (costOf(value, scale) <= budget) return value;
  if (typeof value === "string") return pruneText(value, scale, budget);
  if (isList(value)) return pruneList(value, scale, budget);
  if (isObject(value)) return pruneObject(value, scale, budget);
  return undefined;
}

function pruneText(value: string, { cost }: Scale, budget: number): string | undefined {
  const cut = cutText(value, (text) => cost(JSON.stringify(text)) <= budget);
  return cut === "" ? undefined : cut;
}

function pruneList(items: readonly Json[], scale: Scale, budget: number): Json | undefined {
  const empty = { count: items.length, first: [], more: items.length };
  let left = budget - costOf(empty, scale);
  if (left < 0) return undefined;
  const first: Json[] = [];
  for (const item of items) {
    const rest = left - scale.cost(",");
    const share = rest / Math.max(1, Math.min(WANTED_ITEMS, items.length) - first.length);
    const isWanted = first.length < WANTED_ITEMS || costOf(item, scale) <= rest;
    const kept = isWanted ? (prune(item, scale, share) ?? prune(item, scale, rest)) : undefined;
    if (kept === undefined) break;
    left = rest - costOf(kept, scale);
    first.push(kept);
  }
  return { ...empty, first, more: items.length - first.length };
}

function pruneObject(value: JsonObject, scale: Scale, budget: number): Json | undefined {
  const fields = Object.entries(value).flatMap(([key, field]) =>
    field === undefined ? [] : [{ key, field }],
  );
  const least = scale.cost(LEAST_FIELD);
  const chosen: Field[] = [];
  let fixed = scale.cost(`{${leftOut(fields.length)}}`); // brackets, names and the mark
  let wanted = 0;
  if (fixed > budget) return undefined;
  for (const { key, field } of fields) {
    const whole = costOf(field, scale);
    const name = scale.cost(`${JSON.stringify(key)}:,`);
    wanted += Math.min(whole, least);
    if (fixed + name + wanted > budget) break;
    fixed += name;
    chosen.push({ key, field, whole });
  }
  const kept = shareOut(chosen, scale, budget - fixed);
  const missing = fields.length - kept.size;
  const entries = chosen.flatMap(({ key }): [string, Json][] => {
    const field = kept.get(key);
    return field === undefined ? [] : [[key, field]];
  });
  return Object.fromEntries(
    missing === 0 ? entries : [...entries, ["…", `${missing} keys left out`]],
  );
}

type Field = { readonly key: string; readonly field: Json; readonly whole: number };

/** Small fields keep all of themselves; what they do not need goes to the larger ones. */
function shareOut(
  fields: readonly Field[],
  scale: Scale,
  budget: number,
): ReadonlyMap<string, Json> {
  const kept = new Map<string, Json>();
  let left = budget;
  for (const [index, { key, field }] of fields.toSorted((a, b) => a.whole - b.whole).entries()) {
    const pruned = prune(field, scale, left / (fields.length - index));
    if (pruned === undefined) continue;
    left -= costOf(pruned, scale);
    kept.set(key, pruned);
  }
  return kept;
}

function leftOut(keys: number): string {
  return `"…":"${keys} keys left out"`;
}

function costOf(value: Json, { cost, known }: Scale): number {
  if (typeof value !== "object" || value === null) return cost(JSON.stringify(value));
  let total = known.get(value);
  if (total === undefined) {
    total = cost(JSON.stringify(value));
    known.set(value, total);
  }
  return total;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
