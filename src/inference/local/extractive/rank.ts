// How well each sentence answers a question: BM25 of the sentence, BM25 of its paragraph, and how central it is among all.
//
// Pure; linear in the number of terms. Scores are relative: 1 is about the best sentence of this material.

import type { Assignment } from "./assignment.ts";
import type { Sentence } from "./material.ts";
import { isAboutPaper } from "./sentence.ts";
import { keywordsOf, termsOf } from "./term.ts";

/** Terms that are looked for, with their weight. */
export type Query = ReadonlyMap<string, number>;

/** What an assignment is about: its task first, then what is expected, then the goal. */
export function queryOf(assignment: Pick<Assignment, "task" | "expected" | "goal">): Query {
  const weights = new Map<string, number>();
  const add = (text: string, weight: number): void => {
    for (const term of keywordsOf(text).flatMap(termsOf))
      weights.set(term, Math.max(weights.get(term) ?? 0, weight));
  };
  add(assignment.task, 1);
  add(assignment.expected, 0.3);
  add(assignment.goal, 0.2);
  return weights;
}

/** A score for each sentence, at its index. Without any hit the scores follow centrality alone. */
export function scoreSentences(sentences: readonly Sentence[], query: Query): number[] {
  const frequency = documentFrequency(sentences.map((sentence) => sentence.terms));
  const paragraphs = paragraphTerms(sentences);
  const own = scaled(
    bm25(
      sentences.map((sentence) => sentence.terms),
      query,
      frequency,
    ),
  );
  const around = scaled(bm25(paragraphs, query, frequency));
  const central = scaled(sentences.map((sentence) => centrality(sentence.terms, frequency)));
  return sentences.map((sentence, index) => {
    const lead = sentence.at === 0 ? WEIGHT.lead : 0;
    const place = WEIGHT.place / (1 + sentence.rank);
    const opening =
      WEIGHT.opening * openingShare(sentence.text, query) +
      (definesTopic(sentence.text, query) ? WEIGHT.definition : 0);
    const said =
      (own[index] ?? 0) +
      WEIGHT.around * (around[index] ?? 0) +
      WEIGHT.central * (central[index] ?? 0) +
      lead +
      place +
      opening;
    return (said + formula(sentence.text, query)) * quality(sentence, query);
  });
}

/** True for "A cold start is the time …" when the question is about cold starts: the sentence to begin with. */
export function definesTopic(text: string, query: Query): boolean {
  const subject = DEFINITION.exec(text)?.[1];
  const terms = termsOf(subject ?? "");
  return terms.length > 0 && terms.every((term) => query.get(term) === 1);
}

const DEFINITION =
  /^["“*]*(?:(?:an?|the) )?(\S+(?: \S+){0,4}?)["”*]* (?:is|are|means?|refers to|stands for|lets?) (?:an?|the|how|what|when|one|any)\b/i;

/** Tried on the project's own documents: without `around`, sentences that use a synonym of the question are lost. */
const WEIGHT = {
  around: 0.4,
  central: 0.25,
  lead: 0.15,
  place: 0.15,
  opening: 0.3,
  definition: 0.4,
  formula: 0.5,
} as const;

const OPENING_WORDS = 6;

/** Usual BM25 constants; `length` is low because sentences are short and the long ones often say more. */
const BM25 = { saturation: 1.2, length: 0.4 } as const;

/** BM25 over sets of terms: a term counts once in a sentence. */
function bm25(
  sets: readonly ReadonlySet<string>[],
  query: Query,
  frequency: ReadonlyMap<string, number>,
): number[] {
  const average = sets.reduce((sum, set) => sum + set.size, 0) / Math.max(1, sets.length);
  return sets.map((set) => {
    const norm =
      BM25.saturation * (1 - BM25.length + (BM25.length * set.size) / Math.max(1, average));
    let score = 0;
    for (const [term, weight] of query) {
      if (!set.has(term)) continue;
      const count = frequency.get(term) ?? 1;
      const rarity = Math.log(1 + (sets.length - count + 0.5) / (count + 0.5));
      score += (weight * Math.max(0.05, rarity) * (BM25.saturation + 1)) / (1 + norm);
    }
    return score;
  });
}

function documentFrequency(sets: readonly ReadonlySet<string>[]): ReadonlyMap<string, number> {
  const frequency = new Map<string, number>();
  for (const set of sets)
    for (const term of set) frequency.set(term, (frequency.get(term) ?? 0) + 1);
  return frequency;
}

/** Terms of the paragraph around each sentence, its heading included. */
function paragraphTerms(sentences: readonly Sentence[]): ReadonlySet<string>[] {
  const paragraphs = new Map<number, Set<string>>();
  for (const { passage, section, sources, terms } of sentences) {
    const known =
      paragraphs.get(passage) ?? new Set(termsOf(`${section ?? ""} ${sources[0] ?? ""}`));
    for (const term of terms) known.add(term);
    paragraphs.set(passage, known);
  }
  return sentences.map((sentence) => paragraphs.get(sentence.passage) ?? sentence.terms);
}

/** High for a sentence whose terms many other sentences use too. */
function centrality(terms: ReadonlySet<string>, frequency: ReadonlyMap<string, number>): number {
  if (terms.size === 0) return 0;
  let sum = 0;
  for (const term of terms) sum += Math.log(frequency.get(term) ?? 1);
  return sum / Math.sqrt(terms.size * Math.max(terms.size, 8));
}

/** How far the first words are about the question: "Paged attention is …" explains it, a sentence that ends with it only mentions it. */
function openingShare(text: string, query: Query): number {
  const first = new Set(termsOf(text.split(" ").slice(0, OPENING_WORDS).join(" ")));
  const asked = [...query].filter(([, weight]) => weight === 1).map(([term]) => term);
  return asked.length === 0
    ? 0
    : Math.min(1, asked.filter((term) => first.has(term)).length / Math.min(asked.length, 3));
}

/** What a question about sizes and formulas is answered with. */
function formula(text: string, query: Query): number {
  const isAsked = ["formula", "equat", "calculat", "size", "siz"].some(
    (term) => query.get(term) === 1,
  );
  return isAsked && /\bequals?\b.*[×*/+−-]|[×÷].*\S+ [×÷]/.test(text) ? WEIGHT.formula : 0;
}

/** Files that speak about other files more than about their subject. */
const INDEX_FILE = /(?:^|\/)(?:readme|index|contents|toc)\.\w+$/i;

/** Below 1 for sentences that say little away from their place. */
function quality({ text, sources }: Sentence, query: Query): number {
  const factors = [
    text.endsWith("?") ? 0.3 : 1,
    text.endsWith("!") ? 0.6 : 1,
    text.length > 350 ? 0.7 : 1,
    isAboutPaper(text) && !query.has("paper") ? 0.6 : 1,
    INDEX_FILE.test(sources[0] ?? "") ? 0.5 : 1,
  ];
  return factors.reduce((product, factor) => product * factor, 1);
}

function scaled(values: readonly number[]): number[] {
  const best = values.reduce((most, value) => Math.max(most, value), 0);
  return best > 0 ? values.map((value) => value / best) : [...values];
}
