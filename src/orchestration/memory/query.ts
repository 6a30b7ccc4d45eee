// From a question in plain words to what FTS5 looks for. Any text is a valid question; none of it is FTS5's syntax.

/** Words that every question has and no passage is about. */
const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    "a about after all also am an and any are as at be because been before being between both but by can could did do does doing done " +
    "during each for from get gets got had has have having he her here him his how i if in into is it its just let like may me might " +
    "more most much must my no nor not of off on once only or other our out over own please same she should show so some such " +
    "tell than that the their them then there these they this those through to too under until up us use used using very want was we were " +
    "what when where whether which while who whom whose why will with would you your"
  ).split(" "),
);

/** What is looked for: a word, or words in a row. `phrase` is in quotes, where FTS5 has no operators. */
export type Term = { readonly phrase: string; readonly weight: number };

/** Bounds of a question; the rest of a longer one is not read. */
const MAX_TEXT = 2_000;
const MAX_WORDS = 32;
/** Words in a row count again, a little: "cold start" is more than cold and start. */
const PAIR_WEIGHT = 0.25;

/**
 * The terms of a question; none when it has no word. Names are found however they are spelt: "PagedAttention" also as two words,
 * "paged attention" also as one.
 */
export function toTerms(question: string): readonly Term[] {
  const words = (question.slice(0, MAX_TEXT).match(/[\p{L}\p{N}]+/gu) ?? []).slice(0, MAX_WORDS);
  const isEmpty = words.every(isStopWord);
  const isKept = (word: string | undefined): boolean =>
    word !== undefined && (isEmpty || !isStopWord(word));
  const weights = new Map<string, number>();
  const add = (parts: readonly string[], glue: string, weight: number): void => {
    const text = parts.join(glue).toLowerCase();
    weights.set(text, Math.max(weight, weights.get(text) ?? 0));
  };
  for (const [at, word] of words.entries()) {
    if (!isKept(word)) continue;
    add([word], "", 1);
    const parts = word.split(/(?<=\p{Ll})(?=\p{Lu})/u);
    if (parts.length > 1) add(parts, " ", 1);
    add(words.slice(at, at + 2), "", 1); // "back up" is a backup
    if (isKept(words[at + 1])) add(words.slice(at, at + 2), " ", PAIR_WEIGHT);
    else if (isKept(words[at + 2])) add(words.slice(at, at + 3), " ", PAIR_WEIGHT); // "time to first" token
  }
  return [...weights].map(([text, weight]) => ({ phrase: `"${text}"`, weight }));
}

function isStopWord(word: string): boolean {
  return STOP_WORDS.has(word.toLowerCase());
}
