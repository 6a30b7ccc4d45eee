// Words: what a text is about, in a form that compares.
//
// Knows English endings and stop words only; other languages pass through unstemmed. Deterministic, linear in the text.

/** Comparable terms of a text, in order and with repeats: lower case, stemmed, without stop words. */
export function termsOf(text: string): string[] {
  return wordsOf(text)
    .flatMap((word) => (partsOf(word).length > 0 ? partsOf(word) : [word]))
    .map((word) => word.toLowerCase())
    .filter((word) => !STOP_WORDS.has(word))
    .map(stemOf);
}

/**
 * The words of an instruction that name its topic, as they are written, each once: "Research how vLLM bills GPUs, with sources"
 * gives vLLM, bills, GPUs. An instruction that holds nothing but words about writing keeps those.
 */
export function keywordsOf(text: string): string[] {
  const topical = topicOf(text);
  return topical.length > 0 ? topical : contentOf(text);
}

/** The same, but nothing for an instruction without a topic. */
export function topicOf(text: string): string[] {
  return contentOf(text).filter((word) => !INSTRUCTION_STEMS.has(stemOf(word.toLowerCase())));
}

function contentOf(text: string): string[] {
  const words = wordsOf(text).filter(
    (word) => word.length > 1 && !STOP_WORDS.has(word.toLowerCase()),
  );
  return distinctBy(words, (word) => stemOf(word.toLowerCase()));
}

/** Words as a reader counts them: whatever stands between white space. */
export function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

/** Each value whose key did not come before. */
export function distinctBy<T>(values: Iterable<T>, keyOf: (value: T) => string): T[] {
  const seen = new Map<string, T>();
  for (const value of values) {
    const key = keyOf(value);
    if (!seen.has(key)) seen.set(key, value);
  }
  return [...seen.values()];
}

/** Share of the terms of `part` that `whole` has, 0 to 1; 0 when `part` is empty. */
export function coverage(part: ReadonlySet<string>, whole: ReadonlySet<string>): number {
  return part.size === 0 ? 0 : commonTerms(part, whole) / part.size;
}

/** How many terms both have. */
export function commonTerms(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let common = 0;
  for (const term of a) if (b.has(term)) common++;
  return common;
}

/** The terms of all sets. */
export function joinTerms(sets: Iterable<ReadonlySet<string>>): ReadonlySet<string> {
  const joined = new Set<string>();
  for (const set of sets) for (const term of set) joined.add(term);
  return joined;
}

/** Comparable terms of a schema's option, such as `cold_start`. */
export function optionTerms(option: unknown): ReadonlySet<string> {
  return new Set(
    termsOf(
      (typeof option === "string" ? option : JSON.stringify(option)).replaceAll(/[_-]/g, " "),
    ),
  );
}

/** Numbers with their thousands and decimals; words of letters and digits, so that `kv-cache` and `kv_cache` are two words each. */
const WORD = /\d+(?:[.,]\d+)*|[\p{L}\p{N}]+(?:['’]\p{L}+)?/gu;

function wordsOf(text: string): string[] {
  return text.match(WORD) ?? [];
}

/** The words in a joined name: PagedAttention gives Paged and Attention. None for vLLM or PyTorch, whose parts are no words. */
export function partsOf(word: string): string[] {
  const parts = word.split(/(?<=\p{Ll})(?=\p{Lu})/u);
  return parts.length > 1 && parts.every((part) => /^\p{Lu}\p{Ll}{2,}$/u.test(part)) ? parts : [];
}

/** The first that fits is replaced. The order matters: longer endings first. */
const ENDINGS: readonly (readonly [ending: string, replacement: string])[] = [
  ["'s", ""],
  ["’s", ""],
  ["izations", "ize"],
  ["ization", "ize"],
  ["isations", "ize"],
  ["isation", "ize"],
  ["ations", "ate"],
  ["ation", "ate"],
  ["ating", "ate"],
  ["ators", "ate"],
  ["ator", "ate"],
  ["ises", "ize"],
  ["ised", "ize"],
  ["ise", "ize"],
  ["ions", ""],
  ["ion", ""],
  ["ies", "y"],
  ["ied", "y"],
  ["sses", "ss"],
  ["ings", ""],
  ["ing", ""],
  ["ers", "er"],
  ["ed", ""],
  ["es", ""],
  ["s", ""],
];

/** A stem must keep this many letters, or "sing" and "bed" lose themselves. */
const SHORTEST_STEM = 3;

function stemOf(word: string): string {
  if (word.length <= SHORTEST_STEM || /\d/.test(word)) return word.replaceAll(",", "");
  const fits = ENDINGS.find(
    ([ending]) =>
      word.endsWith(ending) &&
      word.length - ending.length >= SHORTEST_STEM &&
      !/(?:ss|us|is)$/.test(word),
  );
  const [ending, replacement] = fits ?? ["", ""];
  const stem = word.slice(0, word.length - ending.length) + replacement;
  const undoubled = /ing|ed/.test(ending) ? stem.replace(/([bdfgmnprt])\1$/, "$1") : stem;
  return undoubled.length > SHORTEST_STEM ? undoubled.replace(/e$/, "") : undoubled;
}

const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    "a about above across after again all also although am among an and another any are around as at be because been before being below " +
    "between both but by can cannot could did do does doing done down during each either else ever every few for from further had has have " +
    "having he hence her here hers him his how however i if in instead into is it it's its itself just least less let like made may me " +
    "might mine more most much must my near neither nor of off often on once only onto or other others our ours out over own per " +
    "perhaps quite rather s same she should since so some still such t than that that's the their theirs them then there therefore these " +
    "they this those though through thus to together too toward under until unto up upon us very via was we were what whatever when where " +
    "whether which while who whom whose why will with within without would yet you your yours"
  ).split(" "),
);

/** Words that tell a writer how to work, not what about. Compared by stem. */
const INSTRUCTION_STEMS: ReadonlySet<string> = new Set(
  (
    "accurate add amount analysis analyst analyze answer article audience backstory base best brief briefly bullet check cite citation claim clear clearly " +
    "collect compile complete comprehensive concise conclusion correct cover covering create describe description detail detailed different doc document " +
    "documentation draft effect engineer ensure essay evidence example expected explain fact final find finding first five focus follow following format four " +
    "gather give given goal good headline heading help identify impact important include including information instruction introduction investigate keep key kind " +
    "list look main make manner markdown maximum minimum most needed note number one outline overview paragraph part passage piece plain please point post precise " +
    "prepare present produce provide question read reader reference relevant report research researcher result return review reviewer role say " +
    "search section sentence short show six source specific statement subject summary summarize support supported synthesize " +
    "team technical tell ten text thing thorough three title topic two type understand use useful user using verified verify want way well word work " +
    "write writer writing written"
  )
    .split(" ")
    .map((word) => stemOf(word)),
);
