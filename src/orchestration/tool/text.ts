// Cuts a text where a reader would: after a line, after a word, never inside a character.

/** How much of a text may be given up for a good place to cut. */
const LINE_SLACK = 0.2;
const WORD_SLACK = 0.1;

/**
 * The longest beginning of `text` that, with a mark of how much is missing, `fits`. Without room for the mark the beginning alone,
 * down to nothing.
 * @param fits Must be true for every shorter text when it is true for one.
 */
export function cutText(text: string, fits: (text: string) => boolean): string {
  if (fits(text)) return text;
  // The mark is longest when all is left out: what fits beside that one fits beside the real one.
  const longest = markOf(text.length, text.length);
  if (!fits(longest)) return cutPlain(text, fits);
  const length = lengthThatFits(text, (beginning) => fits(beginning + longest));
  const kept = text.slice(0, niceLength(text, length)).trimEnd();
  return kept + markOf(text.length - kept.length, text.length);
}

function cutPlain(text: string, fits: (text: string) => boolean): string {
  const length = lengthThatFits(text, (beginning) => fits(`${beginning}…`));
  return length > 0 || fits("…") ? `${text.slice(0, length)}…` : "";
}

function markOf(left: number, of: number): string {
  return `… [${left} of ${of} characters left out]`;
}

/** O(log n) tests. No bound is above a few mega-characters, and the search starts small: the text may be much longer than that. */
function lengthThatFits(text: string, fits: (beginning: string) => boolean): number {
  let low = 0;
  let high = 64;
  while (high < text.length && fits(text.slice(0, high))) {
    low = high;
    high *= 2;
  }
  high = Math.min(high, text.length);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(text.slice(0, middle))) low = middle;
    else high = middle - 1;
  }
  return isPairAt(text, low) ? low - 1 : low;
}

function niceLength(text: string, length: number): number {
  const line = text.lastIndexOf("\n", length - 1);
  if (line >= length * (1 - LINE_SLACK)) return line;
  const word = text.lastIndexOf(" ", length - 1);
  return word >= length * (1 - WORD_SLACK) ? word : length;
}

/** True when a cut before `at` would part the two halves of one character. */
function isPairAt(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  const after = text.charCodeAt(at);
  return before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff;
}
