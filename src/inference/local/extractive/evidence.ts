// What belongs into the slots of an answer's schema: ranked sentences, their sources, the numbers in them.
//
// Pure but for the memory of what is used already, which lives as long as one filling.

import type { Json } from "../../../json.ts";
import { chooseUnits } from "./choose.ts";
import { citeSentence } from "./cite.ts";
import { numberNear, onlyNumber } from "./number.ts";
import { roleOf, type SlotRole, slotTerms } from "./slot-role.ts";
import { coverage, optionTerms, termsOf } from "./term.ts";
import { inReadingOrder, sectionsOf, sourcesOf, type Unit } from "./unit.ts";
import type { Slot, Valuer } from "./valuer.ts";
import type { Verdict } from "./verdict.ts";

/** What an answer can be made of. */
export type Evidence = {
  /** The units to draw on, best first: see `poolOf`. */
  readonly pool: readonly Unit[];
  /** The words of the task. */
  readonly keywords: readonly string[];
  /** Items that the task asks for, when it says a number. */
  readonly items: number | undefined;
  /** What a review found, when the task is one: it wins over the sentences. */
  readonly verdict: Verdict | undefined;
  /** 1 = as much as is useful; less makes a shorter answer. */
  readonly scale: number;
};

/** Items of an array whose size nobody stated, of an array in an item, sentences of a long text, and units that are looked at. */
const DEFAULT_ITEMS = 6;
const INNER_ITEMS = 2;
const LONG_SENTENCES = 5;
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

/** Fills slots from evidence; a unit is not used twice while there are others. */
export function createEvidenceValuer(evidence: Evidence): Valuer {
  return valuerFor({ evidence, pool: evidence.pool, used: new Set() }, undefined);
}

type Bench = {
  readonly evidence: Evidence;
  readonly pool: readonly Unit[];
  readonly used: Set<Unit>;
};

/** The unit that an array's item is about. `isTold` once one of the item's slots has its sentence. */
type Focus = { readonly unit: Unit; isTold: boolean };

function valuerFor(bench: Bench, focus: Focus | undefined): Valuer {
  const { evidence, pool } = bench;
  const { verdict } = evidence;
  return {
    texts: (slot) => verdict?.texts(slot) ?? textsFor(slot, bench, focus),
    number: (slot) => verdict?.number(slot) ?? numberFor(slot, bench, focus),
    flag: (slot) => verdict?.flag(slot) ?? flagFor(slot, bench),
    choice: (slot, options) => verdict?.choice(options) ?? choiceFor(slot, options, bench, focus),
    count: (slot) => verdict?.count(slot) ?? countFor(slot, bench, focus),
    wants: () => true,
    keys: (slot) =>
      typeof slot.schema["additionalProperties"] === "object"
        ? sectionsOf(pool).slice(0, 3)
        : ["answer"],
    item(slot) {
      if (LISTED.has(roleOf(slot.name))) return valuerFor(bench, undefined);
      const unit = nextUnit(slot, bench, focus?.unit);
      if (unit) bench.used.add(unit);
      return valuerFor(bench, unit && { unit, isTold: false });
    },
  };
}

/** Roles whose arrays list names, not sentences: an item is the name at its index. */
const LISTED: ReadonlySet<SlotRole> = new Set(["source", "section", "keyword"]);

function countFor(slot: Slot, { evidence, pool }: Bench, focus: Focus | undefined): number {
  const there: Partial<Record<SlotRole, number>> = {
    source: sourcesOf(pool).length,
    section: sectionsOf(pool).length,
    keyword: evidence.keywords.length,
  };
  const wanted = focus ? INNER_ITEMS : (evidence.items ?? DEFAULT_ITEMS);
  return Math.min(
    there[roleOf(slot.name)] ?? pool.length,
    Math.max(1, Math.round(wanted * evidence.scale)),
  );
}

function textsFor(slot: Slot, bench: Bench, focus: Focus | undefined): readonly string[] {
  const { evidence, pool } = bench;
  const units = focus ? [focus.unit] : pool;
  const at = (values: readonly string[]): readonly string[] =>
    focus ? values : values.slice(slot.index, slot.index + 1);
  switch (roleOf(slot.name)) {
    case "source":
      return at(sourcesOf(units));
    case "section":
      return at(sectionsOf(units));
    case "keyword":
      return evidence.keywords.slice(slot.index, slot.index + 1);
    case "query":
    case "task":
      return pool.length > 0 && evidence.keywords.length > 0 ? [evidence.keywords.join(" ")] : [];
    case "title":
      return units.length === 0 ? [] : titles(evidence, units, focus !== undefined);
    case "long":
      return focus
        ? sentences(slot, bench, focus)
        : [...longTexts(bench), ...sentences(slot, bench, focus)];
    default:
      return sentences(slot, bench, focus);
  }
}

/** A sentence for the slot, then shorter texts. The first slot of an item takes the item's own sentence, the next ones take new ones. */
function sentences(slot: Slot, bench: Bench, focus: Focus | undefined): string[] {
  const unit = focus && !focus.isTold ? focus.unit : nextUnit(slot, bench, focus?.unit);
  if (!unit) return [];
  if (focus) focus.isTold = true;
  bench.used.add(unit);
  const isCited = !slot.siblings.some((name) => roleOf(name) === "source");
  const shortest = bench.pool.reduce(
    (short, other) => (other.text.length < short.text.length ? other : short),
    unit,
  );
  const cited = unit.sentences.map(citeSentence).join(" ");
  return [...(isCited ? [cited] : []), unit.text, shortest.text, ...sectionsOf([unit])];
}

/** Several sentences in reading order; the longest text first. */
function longTexts({ evidence, pool }: Bench): string[] {
  const most = Math.max(1, Math.round(LONG_SENTENCES * evidence.scale));
  const chosen = pool.slice(0, most);
  return chosen.map((_, index) => inReadingOrder(chosen.slice(0, chosen.length - index)));
}

/** The best unused unit for a slot: by its score, by the words of the slot's name and description, and near the item that it is in. */
function nextUnit(slot: Slot, { pool, used }: Bench, near: Unit | undefined): Unit | undefined {
  const wanted = slotTerms(slot.name, slot.schema["description"]);
  const best = pool[0]?.score ?? 1;
  const worth = (unit: Unit): number => {
    const isNear = near !== undefined && near.sentences[0].section === unit.sentences[0].section;
    return (
      unit.score / best +
      0.5 * coverage(wanted, unit.terms) +
      (isNear ? 0.5 : 0) -
      (used.has(unit) ? 10 : 0)
    );
  };
  return pool.length === 0
    ? undefined
    : pool.reduce((top, unit) => (worth(unit) > worth(top) ? unit : top));
}

/** A number that stands near the slot's words; in an item, also the only number of its sentence. */
function numberFor(slot: Slot, bench: Bench, focus: Focus | undefined): number | undefined {
  const role = roleOf(slot.name);
  if (role === "place") return slot.index + 1;
  const units = focus ? [focus.unit] : bench.pool;
  if (role === "confidence") return units[0] && shareOfTask(bench.evidence, units[0]);
  const wanted = slotTerms(slot.name, slot.schema["description"]);
  const near = units
    .map((unit) => numberNear(unit.text, wanted))
    .find((number) => number !== undefined);
  return near ?? (focus ? onlyNumber(focus.unit.text) : undefined);
}

/** Share of the task's terms that the unit has: a measure that means something, if not certainty. */
function shareOfTask(evidence: Evidence, unit: Unit): number {
  const share = coverage(new Set(evidence.keywords.flatMap(termsOf)), unit.terms);
  return Math.round(100 * share) / 100;
}

function flagFor(slot: Slot, { pool }: Bench): boolean | undefined {
  if (pool.length === 0 && !/found|available/i.test(slot.name)) return undefined;
  if (/found|available|answered|complete|success|^ok$/i.test(slot.name)) return pool.length > 0;
  if (typeof slot.schema["default"] === "boolean") return slot.schema["default"];
  const wanted = slotTerms(
    slot.name.replace(/^(?:is|has|can|does|needs|should)(?=[A-Z_])/, ""),
    undefined,
  );
  const said =
    wanted.size > 0 ? pool.find((unit) => coverage(wanted, unit.terms) === 1) : undefined;
  return said && !/\b(?:not|no|never|cannot|without)\b|n't\b/i.test(said.text);
}

function choiceFor(
  slot: Slot,
  options: readonly Json[],
  { pool }: Bench,
  focus: Focus | undefined,
): Json | undefined {
  const near = (focus ? [focus.unit] : pool.slice(0, 10)).map((unit) => unit.text).join(" ");
  const wanted = new Set(termsOf(near));
  const worth = (option: Json): number => coverage(optionTerms(option), wanted);
  const best = options.toSorted((a, b) => worth(b) - worth(a))[0];
  if (best !== undefined && worth(best) > 0) return best;
  const standard = slot.schema["default"];
  return options.find((option) => option === standard);
}

function titles(evidence: Evidence, units: readonly Unit[], isItem: boolean): string[] {
  const topic = evidence.keywords.slice(0, 8).join(" ");
  const own = sectionsOf(units.slice(0, 1));
  const all = isItem ? [...own, topic] : [topic, ...own];
  return all.filter(Boolean).map((text) => text.charAt(0).toUpperCase() + text.slice(1));
}
