// Sentences of a text, word for word, and which of them can stand in an answer.
//
// Never changes a sentence: what comes out can be found in what went in (white space apart).

/** A sentence as it is written, without the citations behind it, and those. */
export type CitedSentence = { readonly text: string; readonly cited: readonly string[] };

/** Longest text that counts as one sentence, in characters; more is a list or a table without its lines. */
const LONGEST_SENTENCE = 700;
/** Shortest text that says something, in characters. */
const SHORTEST_SENTENCE = 20;

/** What is looked at behind an end mark, in characters. */
const NEAR = 80;

/** The sentences of one paragraph, in order. */
export function splitSentences(paragraph: string): CitedSentence[] {
  const text = paragraph.replace(/\s+/g, " ").trim();
  const sentences: CitedSentence[] = [];
  let start = 0;
  for (const match of text.matchAll(ENDS)) {
    const end = match.index + match[0].length;
    const piece = text.slice(start, end);
    const isForced = piece.length > 2 * LONGEST_SENTENCE; // no sentence any more, and the work stays linear
    if (
      end < text.length &&
      !isForced &&
      !isBoundary(piece, text.slice(end, end + NEAR).trimStart(), match[1] ?? "")
    )
      continue;
    sentences.push(takeCitations(piece.trim()));
    start = end;
  }
  const rest = text.slice(start).trim();
  if (rest) sentences.push(takeCitations(rest));
  return sentences;
}

/** True for a text that reads as a whole sentence: it begins, ends, and carries no leftover of a table, a list or a link. */
export function isSentence(text: string): boolean {
  return (
    text.length >= SHORTEST_SENTENCE &&
    text.length <= LONGEST_SENTENCE &&
    /[.!?。！？]["'”’»)*_`]*$/.test(text) &&
    !/\.{3}$|…$/.test(text) &&
    startsSentence(text) &&
    !/[|{}]|!\[|\]\(|https?:\/\/\S+$|^\W*\d+\W*$/.test(text.replace(/`[^`]*`/g, "x")) &&
    isProse(text)
  );
}

/** True for a text that says something without being a sentence: a bullet without a full stop. */
export function isFragment(text: string): boolean {
  return (
    text.length >= SHORTEST_SENTENCE &&
    text.length <= LONGEST_SENTENCE / 2 &&
    / \S+ /.test(text) &&
    !text.endsWith(":") &&
    isProse(text)
  );
}

/** True when the sentence leans on the one before it: "It", "This", "However", "For example", "If they". */
export function needsPredecessor(text: string): boolean {
  const start = text.replace(/^[\s"'“”‘’*_(]+/, "");
  return (
    LEANING.test(start) ||
    LEANING_INSIDE.test(start) ||
    NAMED_BEFORE.test(start) ||
    CONCLUDING.test(start) ||
    (/^both\b/i.test(start) && !/ and /.test(start))
  );
}

/** True when the sentence speaks about the page that it stands on, and says little anywhere else. */
export function pointsAtItsPage(text: string): boolean {
  return POINTING.test(text);
}

/** True for what says who wrote something and where it appeared, which is not what a subject is. */
export function isAboutPaper(text: string): boolean {
  return PUBLICATION.test(text);
}

const PUBLICATION = /\bpapers?\b|\bco-authors?\b|\bappeared (?:at|in)\b|\bpresented at\b/i;

/** An end mark with the quotes and citations behind it. Group 1: the mark. Brackets of a link, [text](url), are no citation. */
const ENDS =
  /((?<![.!?])[.!?]+|[。！？])["'”’»)*_]*(?:\s*\[[^[\]]{1,200}\](?!\())*(?=\s|$|(?<=[。！？]))/g;

const ABBREVIATION =
  /(?:^|[\s("'“‘[])(?:e\.g|i\.e|vs|cf|approx|ca|dr|mr|mrs|ms|prof|st|al|incl|resp)\.$/i;
/** Abbreviations only before a number: "the answer is no." ends a sentence, "no. 5" does not. */
const NUMBERED = /(?:^|[\s("'“‘[])(?:figs?|eq|sec|vol|pp?|no|ch)\.$/i;
/** Longest abbreviation with what may stand before it, in characters. */
const LONGEST_ABBREVIATION = 10;

/** J. Smith */
const INITIAL = /(?:^|\s)\p{Lu}\.$/u;

function isBoundary(piece: string, next: string, mark: string): boolean {
  if (/^[。！？]/.test(mark)) return true;
  if (mark === "." && isAbbreviation(piece, next)) return false;
  if (piece.includes("`") && countOf(piece, /`/g) % 2 === 1) return false; // inside `code`
  return startsSentence(next);
}

/** "e.g.", "J.", and the "1." of a list. Only the end is looked at: this runs at each full stop. */
function isAbbreviation(piece: string, next: string): boolean {
  const end = piece.slice(-LONGEST_ABBREVIATION);
  if (ABBREVIATION.test(end) || INITIAL.test(end) || /^\s*\d+\.$/.test(piece)) return true;
  return /^\d/.test(next) && NUMBERED.test(end);
}

/** Lower-case names start sentences too when they are names: vLLM, max_num_seqs, p95. */
function startsSentence(text: string): boolean {
  const word = /^["'“‘«(*_]*(\S+)/.exec(text)?.[1] ?? "";
  return (
    /^[^\p{Ll}\p{P}\p{S}]/u.test(word) ||
    /^[`$€£]/.test(word) ||
    /^\p{Ll}[\w-]*[\p{Lu}\d_]/u.test(word)
  );
}

/** Citations behind the end mark, or before it when they look like a file, a URL or a name. Footnote numbers are none. */
function takeCitations(piece: string): CitedSentence {
  if (piece.length > 2 * LONGEST_SENTENCE) return { text: piece, cited: [] }; // no sentence, and long to look through
  const behind = /^(.*[.!?。！？]["'”’»)*_]*)((?:\s*\[[^[\]]{1,200}\])+)$/s.exec(piece);
  if (behind) return { text: behind[1] ?? "", cited: namesOf(behind[2] ?? "") };
  const bare = /^(.*\S)((?:\s+\[[^[\]\s]{2,200}\])+)([.!?]*)$/s.exec(piece);
  if (bare && namesOf(bare[2] ?? "").length > 0)
    return { text: `${bare[1]}${bare[3]}`, cited: namesOf(bare[2] ?? "") };
  return { text: piece, cited: [] };
}

function namesOf(brackets: string): string[] {
  return [...brackets.matchAll(/\[([^[\]]+)\]/g)]
    .flatMap((match) => (match[1] ?? "").split(/[,;]\s+/))
    .map((name) => name.trim())
    .filter((name) => /\p{L}/u.test(name));
}

/** Mostly letters, and no half of a pair of brackets or marks. */
function isProse(text: string): boolean {
  const letters = text.match(/[\p{L}\s]/gu)?.length ?? 0;
  return letters / text.length > 0.6 && isBalanced(text);
}

function isBalanced(text: string): boolean {
  return (
    countOf(text, /\(/g) === countOf(text, /\)/g) &&
    countOf(text, /\[/g) === countOf(text, /\]/g) &&
    countOf(text, /`/g) % 2 === 0 &&
    countOf(text, /\*\*/g) % 2 === 0
  );
}

function countOf(text: string, mark: RegExp): number {
  return text.match(mark)?.length ?? 0;
}

const PRONOUN = "(?:it|its|itself|this|these|that|those|they|them|their|he|she|him|his|her)";

const LEANING = new RegExp(
  `^(?:${PRONOUN}|such|also|but|and|or|so|yet|thus|hence|therefore|however|moreover|furthermore|otherwise|instead|consequently|then|` +
    "here|still|similarly|likewise|conversely|meanwhile|nevertheless|nonetheless|accordingly|additionally|besides|another|others|even so|" +
    "the (?:former|latter|same|other|others|rest|opposite|above|following)|for (?:example|instance)|as an example|in (?:contrast|addition|turn|short|" +
    "other words|effect|return)|as a (?:result|consequence)|by contrast|on the other hand|finally|next|secondly|thirdly|lastly|" +
    "(?:one|each|all|both|some|most|many|none|neither|either) of (?:them|these|those))\\b(?![-_])",
  "i",
);

const LEANING_INSIDE = new RegExp(
  "^(?:if|when|while|because|since|after|before|once|until|unless|although|though|as|where|whether|with|without|for|from|by|to|in|on|at|of|" +
    `beyond|below|above|under|over|despite|like|unlike|besides|because of|instead of) ${PRONOUN}\\b`,
  "i",
);

/** "An estimate is therefore optimistic": a conclusion from what was said before. */
const CONCLUDING = /^[^,;:]{1,80}\b(?:therefore|hence|thus|consequently|accordingly)\b/i;

/** "Those three wastes", "in that measurement": named before. */
const NAMED_BEFORE =
  /\b(?:these|those) (?:two|three|four|five|six|seven|eight|\d+) \p{L}|\b(?:in|of|from|for|by|with|at|to|on|under) (?:this|that|these|those) [\p{L}\d]/iu;

const POINTING =
  /\b(?:(?:table|list|figure|section|example|diagram|command|formula|steps?|text) (?:below|above)|(?:below|above|following) (?:table|list|figure|section|example|diagram|command|formula|steps?)|as follows|see (?:also )?\S+|(?:the|each) (?:table|figure|diagram|list) (?:lists?|shows?|gives?|compares?|summari[sz]es?)|(?:described|shown|given|listed|all \w+) here|this (?:page|section|document|table|figure|chapter|guide|article|file|note))\b/i;
