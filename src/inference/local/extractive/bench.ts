// What an answer's values are made of, and what of it is used already.

import { chooseUnits } from "./choose.ts";
import type { Item } from "./field.ts";
import type { Line } from "./line.ts";
import { slotTerms } from "./slot-role.ts";
import { coverage } from "./term.ts";
import type { Unit } from "./unit.ts";
import type { Slot } from "./valuer.ts";
import type { Verdict } from "./verdict.ts";

/** What an answer can be made of. */
export type Evidence = {
  /** The units to draw on, best first: see `poolOf`. */
  readonly pool: readonly Unit[];
  /** Every line of the sources, sentence or not, and of the task. */
  readonly lines: readonly Line[];
  readonly taskLines: readonly Line[];
  /** Values that stand under a label, in the sources and in the task. */
  readonly items: readonly Item[];
  /** The words of the task. */
  readonly keywords: readonly string[];
  /** Items that the task asks for, when it says a number. */
  readonly count: number | undefined;
  /** What a review found, when the task is one: it wins over the sentences. */
  readonly verdict: Verdict | undefined;
  /** Pieces that were looked for already: looking through all lines takes long. */
  readonly pieces: Map<string, readonly string[]>;
  /** 1 = as much as is useful; less makes a shorter answer. */
  readonly scale: number;
};

/** Evidence at work. */
export type Bench = { readonly evidence: Evidence; readonly used: Set<Unit> };

/** What an array's item is about: a unit, or labelled values. `isTold` once one of the item's slots has the unit's sentence. */
export type Focus =
  | { readonly type: "unit"; readonly unit: Unit; isTold: boolean }
  | { readonly type: "item"; readonly item: Item };

/** Units that are looked at. */
const MAX_POOL = 60;

/** The best of all units, without repeats. */
export function poolOf(units: readonly Unit[]): Unit[] {
  const room = {
    words: Number.POSITIVE_INFINITY,
    sentences: 2 * MAX_POOL,
    units: MAX_POOL,
    groups: MAX_POOL,
    floor: 0,
  };
  return chooseUnits(units, room).toSorted((a, b) => b.score - a.score);
}

/** The best unused unit for a slot: by its score, by the words of the slot's name and description, and near the item that it is in. */
export function nextUnit(slot: Slot, bench: Bench, near: Focus | undefined): Unit | undefined {
  const { pool } = bench.evidence;
  const wanted = slotTerms(slot.name, slot.schema["description"]);
  const best = pool[0]?.score ?? 1;
  const section = near?.type === "unit" ? near.unit.sentences[0].section : undefined;
  const worth = (unit: Unit): number =>
    unit.score / best +
    0.5 * coverage(wanted, unit.terms) +
    (section !== undefined && unit.sentences[0].section === section ? 0.5 : 0) -
    (bench.used.has(unit) ? 10 : 0);
  return pool.length === 0
    ? undefined
    : pool.reduce((top, unit) => (worth(unit) > worth(top) ? unit : top));
}
