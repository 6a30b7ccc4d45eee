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
export function groupOf(sentence: Sentence): string {
  return `${sentence.sources[0] ?? ""}\n${sentence.section ?? ""}`;
}

/** The units to use, in the order of their choice. */
export function chooseUnits(units: readonly Unit[], room: Room): Unit[] {
  const best = units[0]?.score ?? 0;
  let candidates = units.filter((unit) => unit.score >= best * room.floor).slice(0, MAX_CANDIDATES);
  const chosen: Unit[] = [];
  const taken: Sentence[] = [];
  const groups = new Map<string, number>();
  let wordsLeft = room.words;
  let headsLeft = Math.min(room.units, MAX_UNITS);
  while (candidates.length > 0 && headsLeft >= 0) {
    const next = bestOf(candidates, groups, room.groups);
    candidates = candidates.filter((unit) => unit !== next);
    const fresh = next.sentences.filter((sentence) => !taken.includes(sentence));
    const isNewHead = fresh.length === next.sentences.length;
    if (
      fresh.length === 0 ||
      (isNewHead && headsLeft === 0) ||
      taken.length + fresh.length > room.sentences
    )
      continue;
    const cost = fresh.reduce((sum, sentence) => sum + wordsOf(sentence), 0);
    if (
      cost > wordsLeft ||
      fresh.some((sentence) => taken.some((other) => isSame(sentence, other)))
    )
      continue; // P2
    chosen.push(next);
    taken.push(...fresh);
    wordsLeft -= cost;
    if (isNewHead) headsLeft--;
    const group = groupOf(next.sentences[0] ?? fresh[0] ?? missing());
    groups.set(group, (groups.get(group) ?? 0) + fresh.length);
  }
  return chosen;
}

/** True when one of the two can go because the other says it. */
export function isSame(a: Sentence, b: Sentence): boolean {
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

/** Staying in an open section costs little by little, opening one more than planned costs much: a text, not a scatter. */
function bestOf(
  candidates: readonly Unit[],
  groups: ReadonlyMap<string, number>,
  planned: number,
): Unit {
  const worth = (unit: Unit): number => {
    const first = unit.sentences[0];
    const count = first ? groups.get(groupOf(first)) : undefined;
    if (count !== undefined) return (unit.score * 1.1) / (1 + 0.12 * count);
    return groups.size < planned ? unit.score : unit.score * 0.4;
  };
  return candidates.reduce((top, unit) => (worth(unit) > worth(top) ? unit : top));
}

function wordsOf(sentence: Sentence): number {
  return (
    countWords(sentence.text) +
    sentence.sources.reduce((sum, source) => sum + countWords(source), 0)
  );
}

/** Rows of a worked example repeat their words and differ in their numbers: both are worth telling. */
function haveSameNumbers(a: string, b: string): boolean {
  return numbersOf(a) === numbersOf(b);
}

function numbersOf(text: string): string {
  return (text.match(/\d+(?:[.,]\d+)*/g) ?? []).toSorted().join(" ");
}

function missing(): never {
  throw new TypeError("a unit has at least one sentence");
}
