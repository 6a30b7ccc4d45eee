// Whether a source says what a statement says. No understanding: words, numbers, names and opposites are compared, and doubt counts against the statement.
//
// Bounded: a statement is compared with at most MAX_CANDIDATES sentences, found by an index of terms.

import type { Sentence } from "./material.ts";
import { coverage, distinctBy, joinTerms, termsOf } from "./term.ts";

/** What became of one statement. */
export type Support =
  | { readonly type: "supported"; readonly sources: readonly string[] }
  | { readonly type: "unsupported"; readonly reason: string };

/** Checks one statement; `cited` are the sources that it names itself. */
export type SupportCheck = (text: string, cited: readonly string[]) => Support;

const MAX_CANDIDATES = 12;
/** Longest text that is compared as one statement, in characters: some comparisons grow with the square of it. */
const MAX_STATEMENT = 1_500;
/** Share of a statement's terms that its source must have. Below it is a statement of its own; tried on paraphrases of the project's documents. */
const ENOUGH = 0.75;
/** Below this share a source is about something else and is not worth naming. */
const RELATED = 0.4;

/** A check against these sentences. */
export function createSupportCheck(evidence: readonly Sentence[]): SupportCheck {
  const index = indexOf(evidence);
  const windows = windowsOf(evidence);
  const verbatim = Map.groupBy(evidence, (sentence) => normal(sentence.text));

  return (text, cited) => {
    const same = verbatim.get(normal(text));
    if (same) return { type: "supported", sources: sourcesFor(same, cited) };
    if (text.length > MAX_STATEMENT)
      return { type: "unsupported", reason: "it is too long to be one statement" };
    const terms = new Set(termsOf(text));
    const found = candidates(terms, index).flatMap((at) => windows[at] ?? []);
    const compared = found
      .map((window) => ({
        window,
        fault: faultOf(text, terms, window),
        share: shareOf(terms, window),
      }))
      .toSorted((a, b) => b.share - a.share);
    const sound = compared.filter(({ fault }) => fault === undefined);
    if (sound.length > 0)
      return {
        type: "supported",
        sources: sourcesFor(
          sound.flatMap(({ window }) => window.slice(0, 1)),
          cited,
        ),
      };
    const closest = compared[0];
    const isRelated = closest !== undefined && closest.share >= RELATED;
    return { type: "unsupported", reason: isRelated ? (closest.fault ?? NO_SOURCE) : NO_SOURCE };
  };
}

const NO_SOURCE = "no source says this";

/** Places of each term. */
function indexOf(evidence: readonly Sentence[]): ReadonlyMap<string, readonly number[]> {
  const index = new Map<string, number[]>();
  for (const [at, sentence] of evidence.entries()) {
    for (const term of sentence.terms) {
      const places = index.get(term);
      if (places) places.push(at);
      else index.set(term, [at]);
    }
  }
  return index;
}

/** A sentence alone, and with the one after it: a statement may draw on two. */
function windowsOf(evidence: readonly Sentence[]): (readonly Sentence[])[][] {
  return evidence.map((sentence, at) => {
    const next = evidence[at + 1];
    const isNext =
      next !== undefined && next.passage === sentence.passage && next.at === sentence.at + 1;
    return isNext ? [[sentence], [sentence, next]] : [[sentence]];
  });
}

function candidates(
  terms: ReadonlySet<string>,
  index: ReadonlyMap<string, readonly number[]>,
): number[] {
  const hits = new Map<number, number>();
  for (const term of terms) {
    const places = index.get(term) ?? [];
    for (const at of places) hits.set(at, (hits.get(at) ?? 0) + 1 / Math.sqrt(places.length));
  }
  return [...hits]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, MAX_CANDIDATES)
    .map(([at]) => at);
}

type Window = readonly Sentence[];

/** What speaks against the window as a source; undefined when nothing does. */
function faultOf(text: string, terms: ReadonlySet<string>, window: Window): string | undefined {
  const source = `[${window[0]?.sources[0] ?? ""}]`;
  const said = window.map((sentence) => sentence.text).join(" ");
  const opposite = oppositeOf(text, said);
  if (shareOf(terms, window) >= ENOUGH && opposite) return `${source} says otherwise: ${opposite}`;
  const numbers = missing(numbersIn(text), numbersIn(said));
  if (numbers.length > 0)
    return `the closest source, ${source}, does not give the number ${numbers.join(", ")}`;
  const names = missing(namesIn(text), [said.toLowerCase()], (whole, name) => whole.includes(name));
  if (names.length > 0) return `the closest source, ${source}, does not name ${names.join(", ")}`;
  if (shareOf(terms, window) >= ENOUGH) return undefined;
  return `the closest source, ${source}, does not mention ${missingWords(text, window).join(", ")}`;
}

function termsIn(window: Window): ReadonlySet<string> {
  return joinTerms(window.map((sentence) => sentence.terms));
}

function shareOf(terms: ReadonlySet<string>, window: Window): number {
  return coverage(terms, termsIn(window));
}

/** Sources of the evidence; those that the statement cites itself come first, and alone when they are among them. */
function sourcesFor(sentences: readonly Sentence[], cited: readonly string[]): readonly string[] {
  const all = [...new Set(sentences.flatMap((sentence) => sentence.sources))];
  const confirmed = cited.filter((source) => all.includes(source));
  return confirmed.length > 0 ? confirmed : all.slice(0, 1);
}

/** A negation or an opposite word that only one of the two has. */
function oppositeOf(text: string, said: string): string | undefined {
  const [ours, theirs] = [wordsOf(text), wordsOf(said)];
  if (NEGATION.test(text) !== NEGATION.test(said))
    return NEGATION.test(said) ? "it negates this" : "it does not negate this";
  for (const [one, other] of OPPOSITES) {
    for (const [a, b] of [
      [one, other],
      [other, one],
    ] as const) {
      const isOpposed =
        ours.some((word) => a.test(word)) &&
        !ours.some((word) => b.test(word)) &&
        theirs.some((word) => b.test(word)) &&
        !theirs.some((word) => a.test(word));
      if (isOpposed) return `it has "${theirs.find((word) => b.test(word))}"`;
    }
  }
  return undefined;
}

const NEGATION = /\b(?:not|no|never|none|cannot|neither|nor|without)\b|n['’]t\b/i;

const OPPOSITES: readonly (readonly [RegExp, RegExp])[] = [
  [
    /^(?:increase|raise|rise|rose|grow|grew|lift)/,
    /^(?:decrease|reduce|lower|fall|fell|drop|shrink|shrank)/,
  ],
  [/^(?:double|doubling)/, /^(?:halve|halving|half)/],
  [/^more$/, /^(?:less|fewer)$/],
  [/^(?:most|maximum|largest|highest)$/, /^(?:least|minimum|smallest|lowest)$/],
  [/^(?:larger|bigger|greater|higher|longer)$/, /^(?:smaller|lower|shorter)$/],
  [/^(?:faster|fastest|quicker)$/, /^(?:slower|slowest)$/],
  [/^(?:before|earlier|first)$/, /^(?:after|later|last)$/],
  [/^(?:allow|enable|permit|accept|admit)/, /^(?:prevent|disable|forbid|refuse|reject)/],
  [/^(?:always|all|every)$/, /^(?:never|none|no)$/],
  [/^(?:cheap|cheaper|cheapest)$/, /^(?:expensive|dearer|costlier)$/],
  [/^(?:valid|possible|required)$/, /^(?:invalid|impossible|optional)$/],
];

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/\p{L}+/gu) ?? [];
}

function numbersIn(text: string): string[] {
  return (text.match(/(?<![\p{L}\d_])\d+(?:[.,]\d+)*/gu) ?? []).map((number) =>
    number.replaceAll(",", ""),
  );
}

/** Names and identifiers: capitals amid a sentence, capitals or digits or underscores inside a word. */
function namesIn(text: string): string[] {
  const inside = text.match(/[\p{L}\d_-]*(?:\p{Ll}\p{Lu}|\p{L}\d|\d\p{L}|_)[\p{L}\d_-]*/gu) ?? [];
  const amid = text.match(/(?<=[\p{L}\d,;)]\s)\p{Lu}[\p{L}\d-]+/gu) ?? [];
  return distinctBy(
    [...inside, ...amid].map((name) => name.toLowerCase().replace(/[-_]+$/, "")),
    (name) => name,
  );
}

function missing(
  wanted: readonly string[],
  there: readonly string[],
  isThere = (one: string, other: string): boolean => one === other,
): string[] {
  return wanted.filter((one) => !there.some((other) => isThere(other, one))).slice(0, 3);
}

function missingWords(text: string, window: Window): string[] {
  const said = termsIn(window);
  const words = text.match(/\p{L}[\p{L}\p{N}'’]*/gu) ?? [];
  return distinctBy(
    words.filter((word) => termsOf(word).some((term) => !said.has(term))),
    (word) => word.toLowerCase(),
  ).slice(0, 5);
}

function normal(text: string): string {
  return text.toLowerCase().replace(/[*_`]/g, "").replace(/\s+/g, " ").trim();
}
