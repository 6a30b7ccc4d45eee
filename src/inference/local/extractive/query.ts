// What to search for: a task in the words of a search. Pure.

import type { Assignment } from "./assignment.ts";
import { distinctBy, keywordsOf, partsOf, termsOf, topicOf } from "./term.ts";

/** Most queries for one task. */
const MAX_QUERIES = 3;
/** Most words of a query. */
const MAX_QUERY_WORDS = 8;
/** From this many words on a task is asked for in parts. */
const MANY_WORDS = 5;

/** Up to three queries, the one that says most first: a task's topic, its aspects, or its halves. Empty for a task without words. */
export function queriesOf(assignment: Pick<Assignment, "task" | "goal">): string[] {
  const own = keywordsOf(assignment.task);
  const words = own.length > 0 ? own : keywordsOf(assignment.goal);
  const queries = wordLists(words, assignment.task).map(toQuery).filter(Boolean);
  return distinctBy(queries, sameQuery).slice(0, MAX_QUERIES);
}

/** Queries for a second try. Fewer words find more: the longest ones, those of what is expected, single ones. */
export function otherQueries(assignment: Pick<Assignment, "task" | "expected">): string[] {
  const words = keywordsOf(assignment.task);
  const longest = words.toSorted((a, b) => b.length - a.length).slice(0, 2);
  const lists = [longest, keywordsOf(assignment.expected), longest.slice(0, 1), words.slice(-2)];
  return lists.map(toQuery).filter(Boolean);
}

function wordLists(words: readonly string[], task: string): (readonly string[])[] {
  if (words.length < MANY_WORDS) return [words];
  const aspects = task
    .split(CLAUSE_END)
    .map(topicOf)
    .filter((aspect) => aspect.length > 0);
  const [topic = []] = aspects;
  // Many words in one query find the passages that have most of them; each half alone finds those that say more about it.
  if (aspects.length < 2)
    return [
      words,
      words.slice(0, Math.ceil(words.length / 2)),
      words.slice(Math.floor(words.length / 2)),
    ];
  // A short part says little without the topic: "throughput" alone is asked as "PagedAttention throughput", and all parts behind
  // "PagedAttention: …" belong to it.
  const bareWords = /:\s/.test(task) ? 3 : 1;
  return aspects.map((aspect) =>
    aspect === topic || aspect.length > bareWords ? aspect : [...topic.slice(0, 3), ...aspect],
  );
}

/** Ends of clauses, and "and" between parts of several words. */
const CLAUSE_END = /[.:;?!\n,]+(?=\s|$)|\s(?:and|as well as|versus|vs\.?)\s(?=\w+ \w+)/i;

/** A joined name is followed by its words: one text writes PagedAttention, the next one paged attention. */
function toQuery(words: readonly string[]): string {
  const spelled = words.flatMap((word) => [
    word,
    ...partsOf(word).map((part) => part.toLowerCase()),
  ]);
  return distinctBy(spelled, (word) => word.toLowerCase())
    .slice(0, MAX_QUERY_WORDS)
    .join(" ");
}

function sameQuery(query: string): string {
  return termsOf(query).toSorted().join(" ");
}
