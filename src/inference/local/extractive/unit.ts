// Sentences that only make sense together. Pure.
//
// Invariant P1: a sentence that leans on the one before it comes with that one.

import { citeSentence, titleOf } from "./cite.ts";
import type { Sentence } from "./material.ts";
import { needsPredecessor, pointsAtItsPage } from "./sentence.ts";
import { distinctBy, joinTerms } from "./term.ts";

/** Sentences that only make sense together, in order: one sentence with what it leans on. */
export type Unit = {
  readonly sentences: readonly [Sentence, ...Sentence[]];
  /** The sentences as one text, without citations. */
  readonly text: string;
  /** The terms of all of them. */
  readonly terms: ReadonlySet<string>;
  readonly score: number;
};

/** Longest chain of leaning sentences. */
const MAX_CHAIN = 3;

/** Every unit that can stand in an answer, best first. */
export function unitsOf(sentences: readonly Sentence[], scores: readonly number[]): Unit[] {
  const places = new Map(
    sentences.map((sentence, index) => [`${sentence.passage}:${sentence.at}`, index]),
  );
  const units = sentences.flatMap((sentence, index) => {
    if (pointsAtItsPage(sentence.text)) return [];
    const chain: [Sentence, ...Sentence[]] = [sentence];
    let total = scores[index] ?? 0;
    for (let first = sentence; needsPredecessor(first.text);) {
      const before = places.get(`${first.passage}:${first.at - 1}`);
      const predecessor = before === undefined ? undefined : sentences[before];
      if (!predecessor || chain.length >= MAX_CHAIN) return []; // P1: nothing to lean on
      chain.unshift(predecessor);
      total += scores[before ?? 0] ?? 0;
      first = predecessor;
    }
    const text = chain.map((one) => one.text).join(" ");
    const terms = joinTerms(chain.map((one) => one.terms));
    const score = ((scores[index] ?? 0) + total / chain.length) / 2;
    return [{ sentences: chain, text, terms, score }];
  });
  return units.toSorted((a, b) => b.score - a.score);
}

/** The sentences of the units as one text with citations, by source and in their documents' order. */
export function inReadingOrder(units: readonly Unit[]): string {
  const all = distinctBy(
    units.flatMap((unit) => unit.sentences),
    (sentence) => `${sentence.passage}:${sentence.at}`,
  );
  const bySource = [...Map.groupBy(all, (sentence) => sentence.sources[0] ?? "").values()];
  const ordered = bySource.flatMap((group) =>
    group.toSorted((a, b) => a.passage - b.passage || a.at - b.at),
  );
  return ordered.map(citeSentence).join(" ");
}

/** Every source, once. */
export function sourcesOf(units: readonly Unit[]): string[] {
  return [
    ...new Set(units.flatMap((unit) => unit.sentences.flatMap((sentence) => sentence.sources))),
  ];
}

/** The sections that the units begin in, once each. */
export function sectionsOf(units: readonly Unit[]): string[] {
  const heads = units.map((unit) => unit.sentences[0]);
  return [...new Set(heads.map(({ section, sources }) => section ?? titleOf(sources[0] ?? "")))];
}
