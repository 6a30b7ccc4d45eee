// Ranks passages for a question: BM25 over a passage's words, those of its neighbours in its section, and its headings.
//
// The neighbours find a sentence whose subject stands in the sentence before it. FTS5's own bm25() counts a word as common when
// many rows have it in any column, and gives words that half of the rows have a weight of zero; with neighbours and headings in
// the row that is every word that a document is about ("KV", "cache", "token"). So its weight of a word is divided out, and
// multiplied by one that counts passages by their own words only and is never zero.

import type { DatabaseSync } from "node:sqlite";
import { type Term, toTerms } from "./query.ts";

/** A passage that was found. */
export type DocumentHit = {
  /** The file, relative to the parent of its folder. */
  readonly source: string;
  /** The heading that the passage stands under; empty before the first one. */
  readonly section: string;
  readonly text: string;
  /** BM25; comparable only within one search. */
  readonly score: number;
};

/** Best hits first. `more` is how many other passages have one of the question's words, in them or beside them. */
export type DocumentHits = { readonly hits: readonly DocumentHit[]; readonly more: number };

/** The best passages of an index's tables. O(passages that match), about 2 µs for each word that they match. */
export function findPassages(
  database: DatabaseSync,
  question: string,
  limit: number,
): DocumentHits {
  const { best, matching } = rankPassages(database, question, limit);
  const passage = database.prepare(
    "SELECT source, section, text FROM passage JOIN file ON file.id = passage.file WHERE passage.id = ?",
  );
  const hits = best.map(([id, score]) => {
    const { source, section, text } = passage.get(id) ?? {};
    return {
      source: String(source),
      section: String(section),
      text: String(text),
      score: Math.round(score * 100) / 100,
    };
  });
  return { hits, more: matching - hits.length };
}

/** The ids of the best passages with their scores, and how many passages match at all. */
export function rankPassages(
  database: DatabaseSync,
  question: string,
  limit: number,
): { readonly best: readonly (readonly [id: number, score: number])[]; readonly matching: number } {
  const total = countOf(database, "SELECT count(*) AS count FROM passage");
  const scores = new Map<number, number>();
  for (const term of toTerms(question)) addScores(database, term, total, scores);
  const best = [...scores]
    .toSorted(([a, scoreA], [b, scoreB]) => scoreB - scoreA || a - b)
    .slice(0, limit);
  return { best, matching: scores.size };
}

function addScores(
  database: DatabaseSync,
  { phrase, weight }: Term,
  total: number,
  scores: Map<number, number>,
): void {
  const rows = countOf(database, MATCHES, phrase);
  if (rows === 0) return;
  const passages = countOf(database, MATCHES, `self : ${phrase}`);
  const own = Math.log(1 + (total - passages + 0.5) / (passages + 0.5));
  // Source of the divisor: SQLite's ext/fts5/fts5_aux.c, fts5Bm25GetData. Scores of FTS5 are negative.
  const fts5 = Math.max(Math.log((total - rows + 0.5) / (rows + 0.5)), 1e-6);
  const factor = (-weight * own) / fts5;
  for (const { id, score } of database.prepare(SCORES).iterate(phrase)) {
    scores.set(Number(id), (scores.get(Number(id)) ?? 0) + factor * Number(score));
  }
}

const MATCHES = "SELECT count(*) AS count FROM word WHERE word MATCH ?";
/** Weights of the columns self, prev, next and headings. */
const SCORES =
  "SELECT rowid AS id, bm25(word, 1.0, 0.5, 0.5, 1.0) AS score FROM word WHERE word MATCH ?";

function countOf(database: DatabaseSync, sql: string, ...values: readonly string[]): number {
  return Number(database.prepare(sql).get(...values)?.["count"]);
}
