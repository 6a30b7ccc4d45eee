// What belongs into the slots of an answer's schema: ranked sentences, their sources, the numbers in them. Pure but for the memory
// of what is used already, which lives as long as one filling.

import type { Json } from "../../../json.ts";
import { chooseUnits, type Unit } from "./choose.ts";
import { citeSentence, titleOf } from "./compose.ts";
import type { Slot, Valuer } from "./fill.ts";
import type { Review } from "./review.ts";
import { roleOf, type SlotRole, slotTerms } from "./slot-role.ts";
import { coverage, distinctBy, termsOf } from "./term.ts";

/** What an answer can be made of. */
export type Evidence = {
  /** Best first. */
  readonly units: readonly Unit[];
  /** The words of the task. */
  readonly keywords: readonly string[];
  /** Items that the task asks for, when it says a number. */
  readonly items: number | undefined;
  readonly review: Review | undefined;
  /** 1 = as much as is useful; less makes a shorter answer. */
  readonly scale: number;
};

/** Items of an array whose size nobody stated, sentences of a long text, and units that are looked at. */
const DEFAULT_ITEMS = 6;
const LONG_SENTENCES = 5;
const MAX_POOL = 60;

/** Fills slots from evidence; a unit is not used twice while there are others. */
export function createEvidenceValuer(evidence: Evidence): Valuer {
  const pool = chooseUnits(evidence.units, { words: Number.POSITIVE_INFINITY, sentences: 2 * MAX_POOL, units: MAX_POOL, groups: MAX_POOL, floor: 0 });
  return valuerFor({ evidence, pool: pool.toSorted((a, b) => b.score - a.score), used: new Set() }, undefined);
}

type Bench = { readonly evidence: Evidence; readonly pool: readonly Unit[]; readonly used: Set<Unit> };

function valuerFor(bench: Bench, focus: Unit | undefined): Valuer {
  const { evidence, pool } = bench;
  const { review, scale } = evidence;
  return {
    texts: (slot) => textsFor(slot, bench, focus),
    number: (slot) => numberFor(slot, bench, focus),
    flag: (slot) => flagFor(slot, bench),
    choice: (slot, options) => choiceFor(slot, options, bench, focus),
    count(slot) {
      const role = roleOf(slot.name);
      if (role === "issue" && review) return review.removed.length;
      const most = role === "source" ? sourcesOf(pool).length : role === "section" ? sectionsOf(pool).length : role === "keyword" ? evidence.keywords.length : pool.length;
      return Math.min(most, Math.max(1, Math.round((evidence.items ?? DEFAULT_ITEMS) * scale)));
    },
    wants: () => true,
    keys: (slot) => (typeof slot.schema["additionalProperties"] === "object" ? sectionsOf(pool).slice(0, 3) : ["answer"]),
    item(slot) {
      if (focus || roleOf(slot.name) !== "sentence") return roleOf(slot.name) === "sentence" ? valuerFor(bench, focus) : itemOf(slot, bench);
      return itemOf(slot, bench);
    },
  };
}

/** Each item of an array stands on its own unit. */
function itemOf(slot: Slot, bench: Bench): Valuer {
  const role = roleOf(slot.name);
  if (role === "source" || role === "section" || role === "keyword" || role === "issue") return valuerFor(bench, undefined);
  const unit = nextUnit(slot, bench, undefined);
  if (unit) bench.used.add(unit);
  return valuerFor({ ...bench, used: bench.used }, unit);
}

function textsFor(slot: Slot, bench: Bench, focus: Unit | undefined): string[] {
  const { evidence, pool } = bench;
  const role = roleOf(slot.name);
  const unit = focus ?? pool[0];
  const at = (values: readonly string[]): string[] => values.slice(slot.index, slot.index + 1);
  switch (role) {
    case "source":
      return focus ? [...sourcesOf([focus])] : at(sourcesOf(pool));
    case "section":
      return focus ? sectionsOf([focus]) : at(sectionsOf(pool));
    case "keyword":
      return at(evidence.keywords);
    case "query":
    case "task":
      return [evidence.keywords.join(" ")];
    case "title":
      return titles(evidence, unit, focus !== undefined);
    case "issue":
      if (evidence.review) return evidence.review.removed.slice(slot.index, slot.index + 1).map(({ text, reason }) => `${text} (${reason})`);
      return sentences(slot, bench, focus);
    case "long":
      if (focus) return sentences(slot, bench, focus);
      return evidence.review ? [evidence.review.text] : longTexts(slot, bench);
    case "context":
    case "place":
    case "confidence":
    case "sentence":
      return sentences(slot, bench, focus);
    default:
      return role satisfies never;
  }
}

/** A sentence for the slot, then shorter ones. In an item the first slot takes the item's own sentence, others take new ones. */
function sentences(slot: Slot, bench: Bench, focus: Unit | undefined): string[] {
  const isOwn = focus !== undefined && !isTaken(slot, focus, bench);
  const unit = isOwn ? focus : nextUnit(slot, bench, focus);
  if (!unit) return [];
  bench.used.add(unit);
  const isCited = !slot.siblings.some((name) => roleOf(name) === "source");
  const shorter = bench.pool.toSorted((a, b) => plainText(a).length - plainText(b).length).slice(0, 1);
  return [textOf(unit, isCited), plainText(unit), ...shorter.map(plainText), ...sectionsOf([unit])];
}

/** True when a slot before this one took the item's sentence: the first text slot of an item has it. */
function isTaken(slot: Slot, focus: Unit, bench: Bench): boolean {
  const isText = (role: SlotRole): boolean => role === "sentence" || role === "long" || role === "issue";
  const isFirst = !bench.used.has(focus) || !slot.siblings.some((name) => isText(roleOf(name)));
  return !isFirst && slot.siblings.length > 0 && takers.get(focus) !== undefined && takers.get(focus) !== slot.name;
}

const takers = new WeakMap<Unit, string>();

/** Several sentences, best first, as many as the text may have. */
function longTexts(slot: Slot, bench: Bench): string[] {
  const most = Math.max(1, Math.round(LONG_SENTENCES * bench.evidence.scale));
  const chosen = bench.pool.slice(0, most);
  const texts = chosen.map((_, index) => inReadingOrder(chosen.slice(0, chosen.length - index)));
  return [...texts, ...sentences(slot, bench, undefined)];
}

function inReadingOrder(units: readonly Unit[]): string {
  const all = distinctBy(
    units.flatMap((unit) => unit.sentences),
    (sentence) => `${sentence.passage}:${sentence.at}`,
  );
  const bySource = Map.groupBy(all, (sentence) => sentence.sources[0] ?? "");
  return [...bySource.values()].flatMap((group) => group.toSorted((a, b) => a.passage - b.passage || a.at - b.at).map(citeSentence)).join(" "); // prettier-ignore
}

/** The best unused unit for a slot: by its score, and by the words of the slot's name and description. */
function nextUnit(slot: Slot, { pool, used }: Bench, near: Unit | undefined): Unit | undefined {
  const wanted = slotTerms(slot.name, slot.schema["description"]);
  const best = pool[0]?.score ?? 1;
  const worth = (unit: Unit): number => {
    const terms = unit.sentences.reduce((all, sentence) => all.union(sentence.terms), new Set<string>());
    const isNear = near !== undefined && near.sentences[0]?.section === unit.sentences[0]?.section;
    return unit.score / best + 0.5 * coverage(wanted, terms) + (isNear ? 0.5 : 0) - (used.has(unit) ? 10 : 0);
  };
  return pool.length === 0 ? undefined : pool.reduce((top, unit) => (worth(unit) > worth(top) ? unit : top));
}

/** A number that stands near the slot's words; in an item, also the only number of its sentence. */
function numberFor(slot: Slot, bench: Bench, focus: Unit | undefined): number | undefined {
  const role = roleOf(slot.name);
  if (role === "place") return slot.index + 1;
  if (role === "confidence") return confidenceOf(bench, focus);
  if (bench.evidence.review) {
    const counted = reviewCount(slot.name, bench.evidence.review);
    if (counted !== undefined) return counted;
  }
  const wanted = slotTerms(slot.name, slot.schema["description"]);
  for (const unit of focus ? [focus] : bench.pool) {
    const number = numberNear(plainText(unit), wanted);
    if (number !== undefined) return number;
  }
  const numbers = focus ? numbersIn(plainText(focus)) : [];
  return numbers.length === 1 ? numbers[0]?.value : undefined;
}

function reviewCount(name: string, review: Review): number | undefined {
  if (/unsupported|removed|issue|without/i.test(name)) return review.removed.length;
  if (/supported|verified/i.test(name)) return review.supported;
  return /checked|total|statements/i.test(name) ? review.supported + review.removed.length : undefined;
}

/** Share of the task's terms that the sentence has: a measure that means something, if not certainty. */
function confidenceOf({ evidence, pool }: Bench, focus: Unit | undefined): number {
  const unit = focus ?? pool[0];
  const said = unit?.sentences.reduce((all, sentence) => all.union(sentence.terms), new Set<string>()) ?? new Set<string>();
  return Math.round(100 * coverage(new Set(evidence.keywords.flatMap(termsOf)), said)) / 100;
}

function numberNear(text: string, wanted: ReadonlySet<string>): number | undefined {
  const words = [...text.matchAll(/\p{L}[\p{L}\p{N}]*/gu)].filter((word) => termsOf(word[0]).some((term) => wanted.has(term)));
  if (words.length === 0) return undefined;
  const distance = (at: number): number => Math.min(...words.map((word) => Math.abs(word.index - at)));
  return numbersIn(text).toSorted((a, b) => distance(a.at) - distance(b.at))[0]?.value;
}

function numbersIn(text: string): { readonly at: number; readonly value: number }[] {
  const found = text.matchAll(/(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w]*[A-Za-z_]\w*-)/g);
  return [...found].map((match) => ({ at: match.index, value: Number(match[0].replaceAll(",", "")) }));
}

function flagFor(slot: Slot, { evidence, pool }: Bench): boolean | undefined {
  const { review } = evidence;
  if (review) return /reject|fail|wrong|issue|problem|unsupported/i.test(slot.name) ? review.removed.length > 0 : review.removed.length === 0;
  if (/found|available|answered|complete|success|^ok$/i.test(slot.name)) return pool.length > 0;
  if (typeof slot.schema["default"] === "boolean") return slot.schema["default"];
  const wanted = slotTerms(slot.name.replace(/^(?:is|has|can|does|needs|should)(?=[A-Z_])/, ""), undefined);
  const said = pool.find((unit) => unit.sentences.some((sentence) => wanted.size > 0 && coverage(wanted, sentence.terms) === 1));
  return said !== undefined && !/\b(?:not|no|never|cannot|without)\b|n't\b/i.test(plainText(said));
}

function choiceFor(slot: Slot, options: readonly Json[], { evidence, pool }: Bench, focus: Unit | undefined): Json | undefined {
  const { review } = evidence;
  if (review) {
    const verdict = review.removed.length === 0 ? /^(?:approved?|accept(?:ed)?|pass(?:ed)?|valid|ok|yes|supported|true|good)$/i : /^(?:reject(?:ed)?|fail(?:ed)?|invalid|no|unsupported|revise|false|bad|needs.*)$/i;
    const said = options.find((option) => verdict.test(String(option)));
    if (said !== undefined) return said;
  }
  const near = (focus ? [focus] : pool.slice(0, 10)).map(plainText).join(" ");
  const wanted = new Set(termsOf(`${near} ${evidence.keywords.join(" ")}`));
  const worth = (option: Json): number => coverage(new Set(termsOf(String(option).replaceAll(/[_-]/g, " "))), wanted);
  const best = options.toSorted((a, b) => worth(b) - worth(a))[0];
  const standard = slot.schema["default"];
  return best !== undefined && worth(best) > 0 ? best : (options.find((option) => option === standard) ?? options[slot.index % Math.max(1, options.length)]);
}

function titles(evidence: Evidence, unit: Unit | undefined, isItem: boolean): string[] {
  const topic = evidence.keywords.slice(0, 8).join(" ");
  const own = unit ? sectionsOf([unit]) : [];
  const all = isItem ? [...own, topic] : [topic, ...own];
  return all.filter(Boolean).map((text) => text.charAt(0).toUpperCase() + text.slice(1));
}

function textOf(unit: Unit, isCited: boolean): string {
  return isCited ? unit.sentences.map(citeSentence).join(" ") : plainText(unit);
}

function plainText(unit: Unit): string {
  return unit.sentences.map((sentence) => sentence.text).join(" ");
}

function sourcesOf(units: readonly Unit[]): string[] {
  return [...new Set(units.flatMap((unit) => unit.sentences.flatMap((sentence) => sentence.sources)))];
}

function sectionsOf(units: readonly Unit[]): string[] {
  return [...new Set(units.flatMap((unit) => unit.sentences.slice(0, 1).map((sentence) => sentence.section ?? titleOf(sentence.sources[0] ?? ""))))];
}
