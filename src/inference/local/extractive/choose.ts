// Which sentences an answer is made of: the best ones, without repeats, few sources at a time, within the bounds.
//
// Pure. Greedy: O(chosen × candidates), both bounded.
// Invariant P2: no two chosen sentences say nearly the same.

import type { Sentence } from "./material.ts";
import { commonTerms, countWords, coverage } from "./term.ts";
import type { Unit } from "./unit.ts";

/** Bounds of a choice. */
export type Room = {
  /** Words, citations and headings included. */
  readonly words: number;
  readonly sentences: number;
  readonly units: number;
  /** How many different sections it should draw on. */
  readonly groups: number;
  /** Units below this share of the best score stay out, even when there is room. */
  readonly floor: number;
};

/** Most units of one answer, whatever the limits say. */
const MAX_UNITS = 150;
/** Most candidates that are compared with the chosen ones. */
const MAX_CANDIDATES = 600;
/** Terms in common, as a share, from which two sentences say the same. */
const SAME = { both: 0.6, contained: 0.85, shortest: 4 } as const;

/** Where a sentence belongs: its first source and its section. */
function groupOf(sentence: Sentence): string {
  return `${sentence.sources[0] ?? ""}\n${sentence.section ?? ""}`;
}

/** The units to use, in the order of their choice. */
export function chooseUnits(units: readonly Unit[], room: Room): Unit[] {
  const best = units[0]?.score ?? 0;
  let candidates = units.filter((unit) => unit.score >= best * room.floor).slice(0, MAX_CANDIDATES);
  const chosen: Unit[] = [];
  const choice: Choice = { taken: [], counts: new Map(), groups: new Set(), words: 0, heads: 0 };
  while (candidates.length > 0) {
    const next = bestOf(candidates, choice, room.groups);
    candidates = candidates.filter((unit) => unit !== next);
    const fresh = next.sentences.filter((sentence) => !choice.taken.includes(sentence));
    if (!isFit(next, fresh, choice, room)) continue;
    chosen.push(next);
    choice.taken.push(...fresh);
    choice.words += lengthOf(fresh);
    choice.heads += fresh.length === next.sentences.length ? 1 : 0;
    const [group, source] = placesOf(next);
    choice.groups.add(group);
    for (const place of [group, source])
      choice.counts.set(place, (choice.counts.get(place) ?? 0) + 1);
  }
  return chosen;
}

/** What is chosen so far. */
type Choice = {
  readonly taken: Sentence[];
  /** Chosen units by group and by source. */
  readonly counts: Map<string, number>;
  readonly groups: Set<string>;
  words: number;
  /** Units that do not hang on one that was chosen before. */
  heads: number;
};

function isFit(unit: Unit, fresh: readonly Sentence[], choice: Choice, room: Room): boolean {
  if (fresh.length === 0 || choice.taken.length + fresh.length > room.sentences) return false;
  const isHead = fresh.length === unit.sentences.length;
  if (isHead && choice.heads >= Math.min(room.units, MAX_UNITS)) return false;
  if (choice.words + lengthOf(fresh) > room.words) return false;
  return !fresh.some((sentence) => choice.taken.some((other) => isSame(sentence, other))); // P2
}

/** Its group and its source. */
function placesOf(unit: Unit): readonly [group: string, source: string] {
  const [first] = unit.sentences;
  return [groupOf(first), first.sources[0] ?? ""];
}

/** True when one of the two can go because the other says it. */
function isSame(a: Sentence, b: Sentence): boolean {
  if (a.text === b.text) return true;
  const common = commonTerms(a.terms, b.terms);
  if (
    common / Math.max(1, a.terms.size + b.terms.size - common) >= SAME.both &&
    haveSameNumbers(a.text, b.text)
  )
    return true;
  const [short, long] = a.terms.size < b.terms.size ? [a.terms, b.terms] : [b.terms, a.terms];
  return short.size >= SAME.shortest && coverage(short, long) >= SAME.contained;
}

/**
 * Staying in an open section costs little by little, and so does staying with a source; opening one section more than planned costs
 * much: a text about all parts of its subject, not a scatter.
 */
function bestOf(candidates: readonly Unit[], choice: Choice, planned: number): Unit {
  const worth = (unit: Unit): number => {
    const [inGroup = 0, ofSource = 0] = placesOf(unit).map((place) => choice.counts.get(place));
    const fair = unit.score / (1 + WEAR.group * inGroup) / (1 + WEAR.source * ofSource);
    if (inGroup > 0) return fair * 1.1;
    return choice.groups.size < planned ? fair : fair * 0.4;
  };
  return candidates.reduce((top, unit) => (worth(unit) > worth(top) ? unit : top));
}

const WEAR = { group: 0.12, source: 0.05 } as const;

function lengthOf(sentences: readonly Sentence[]): number {
  return sentences.reduce(
    (sum, { text, sources }) => sum + countWords(text) + countWords(sources.join(" ")),
    0,
  );
}

/** Rows of a worked example repeat their words and differ in their numbers: both are worth telling. */
function haveSameNumbers(a: string, b: string): boolean {
  return numbersOf(a) === numbersOf(b);
}

function numbersOf(text: string): string {
  return (text.match(/\d+(?:[.,]\d+)*/g) ?? []).toSorted().join(" ");
}
