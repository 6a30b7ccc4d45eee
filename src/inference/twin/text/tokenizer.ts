// A stand-in for a tokenizer: fast, exactly reversible, the same in every process, and about as fine as a real one for English.
//
// It is nobody's vocabulary: an id holds its piece itself (layout below), so there is no table to load, to bound or to share. Pieces are
// what byte-pair encodings make of plain text: a word with the space before it, the rest of a long word, up to three digits, a run of
// signs. Characters a token: 4.2 in English prose, 3.4 in Markdown and TypeScript, 2.8 in indented JSON, 1 in CJK.
// Invariants
//   Y1  decodeIds(encodeText(text)) === text, lone surrogates included.
//   Y2  A longer text begins with the ids of a shorter one, but for the last ids of the shorter one: the text after them decides how
//       its last piece goes on. Texts that are encoded apart never melt, so a conversation's turns keep their ids.

/** Ids of the chat template's own marks; no text encodes to them. */
export const SPECIAL = {
  "<|im_start|>": 2_100_000_000,
  "<|im_end|>": 2_100_000_001,
} as const;

/** Letters of one word piece: 6 fit an id, and longer words are cut by real vocabularies too. */
const WORD_LETTERS = 6;
/** ASCII characters of any other piece. */
const GROUP_CHARS = 4;
const DIGITS = 3;

// Layout: groups of 1 to 4 ASCII characters, words (6 letters in base 27, with two flags), pairs of characters of alphabets
// (0x80 to 0x407f), single code points. The sum stays below 2 ** 31.
const GROUPS_OF = [0, 0, 128, 128 + 128 ** 2, 128 + 128 ** 2 + 128 ** 3] as const;
const WORDS_AT = 128 + 128 ** 2 + 128 ** 3 + 128 ** 4;
const WORDS = 27 ** WORD_LETTERS;
const PAIRS_AT = WORDS_AT + WORDS * 4;
const PAIR_CHARS = 0x4000;
const PAIR_FIRST = 0x80;
const CODES_AT = PAIRS_AT + PAIR_CHARS ** 2;
const CODES_END = CODES_AT + 0x11_0000;

const WITH_SPACE = 1;
const CAPITAL = 2;

/** The ids of a text. O(length). */
export function encodeText(text: string): Int32Array {
  const ids = new Int32Array(text.length);
  let count = 0;
  for (let at = 0; at < text.length;) {
    const { id, end } = pieceAt(text, at);
    ids[count++] = id;
    at = end;
  }
  return ids.slice(0, count);
}

/** The text of ids. Numbers that are no ids are "\ufffd", as in vLLM. */
export function decodeIds(ids: Iterable<number>): string {
  let text = "";
  for (const id of ids) text += textOf(id);
  return text;
}

/** Several encodings as one. */
export function joinIds(parts: readonly Int32Array[]): Int32Array {
  const ids = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    ids.set(part, at);
    at += part.length;
  }
  return ids;
}

type Piece = { readonly id: number; readonly end: number };

function pieceAt(text: string, start: number): Piece {
  const hasSpace = text.charCodeAt(start) === SPACE;
  const at = hasSpace && !isSpace(text.charCodeAt(start + 1)) ? start + 1 : start;
  const code = text.charCodeAt(at);
  if (isLower(code) || (isUpper(code) && isLower(text.charCodeAt(at + 1))))
    return wordAt(text, at, at > start);
  if (isUpper(code)) return groupAt(text, start, endOf(text, at, isUpper));
  if (isDigit(code))
    return at > start
      ? groupAt(text, start, at)
      : groupAt(text, at, endOf(text, at, isDigit, DIGITS));
  if (isSpace(code)) return spaceAt(text, at);
  if (code < PAIR_FIRST) return groupAt(text, start, endOf(text, at, isSign));
  if (at > start || Number.isNaN(code)) return groupAt(text, start, start + 1);
  return wideAt(text, at);
}

function wordAt(text: string, at: number, hasSpace: boolean): Piece {
  const isCapital = isUpper(text.charCodeAt(at));
  let value = 0;
  let end = at;
  for (let letter = 0; letter < WORD_LETTERS; letter++) {
    const code = text.charCodeAt(end);
    const isPart = letter === 0 || isLower(code);
    value = value * 27 + (isPart && end < text.length ? (code | 0x20) - 0x60 : 0);
    if (isPart && end < text.length) end++;
    else {
      value *= 27 ** (WORD_LETTERS - 1 - letter);
      break;
    }
  }
  const flags = (hasSpace ? WITH_SPACE : 0) + (isCapital ? CAPITAL : 0);
  return { id: WORDS_AT + value * 4 + flags, end };
}

/** The last space of a run stays for the word behind it. */
function spaceAt(text: string, at: number): Piece {
  const end = endOf(text, at, isSpace);
  const isBeforeWord = end - at > 1 && text.charCodeAt(end - 1) === SPACE && isWordStart(text, end);
  return groupAt(text, at, isBeforeWord ? end - 1 : end);
}

function isWordStart(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return isLower(code) || isUpper(code);
}

function wideAt(text: string, at: number): Piece {
  const first = text.charCodeAt(at) - PAIR_FIRST;
  const second = text.charCodeAt(at + 1) - PAIR_FIRST;
  if (first < PAIR_CHARS && second >= 0 && second < PAIR_CHARS)
    return { id: PAIRS_AT + first * PAIR_CHARS + second, end: at + 2 };
  const code = text.codePointAt(at) ?? 0;
  return { id: CODES_AT + code, end: at + (code > 0xffff ? 2 : 1) };
}

/** A group ends after GROUP_CHARS at the latest. */
function groupAt(text: string, start: number, wanted: number): Piece {
  const end = Math.min(wanted, start + GROUP_CHARS);
  let value = 0;
  for (let at = start; at < end; at++) value = value * 128 + text.charCodeAt(at);
  return { id: (GROUPS_OF[end - start] ?? 0) + value, end };
}

function endOf(
  text: string,
  start: number,
  isPart: (code: number) => boolean,
  most = GROUP_CHARS,
): number {
  let end = start + 1;
  while (end < text.length && end - start < most && isPart(text.charCodeAt(end))) end++;
  return end;
}

function textOf(id: number): string {
  if (id === SPECIAL["<|im_start|>"]) return "<|im_start|>";
  if (id === SPECIAL["<|im_end|>"]) return "<|im_end|>";
  if (!Number.isInteger(id) || id < 0 || id >= CODES_END) return "\ufffd";
  if (id >= CODES_AT) return String.fromCodePoint(id - CODES_AT);
  if (id >= PAIRS_AT) {
    const value = id - PAIRS_AT;
    const first = Math.floor(value / PAIR_CHARS) + PAIR_FIRST;
    return String.fromCharCode(first, (value % PAIR_CHARS) + PAIR_FIRST);
  }
  return id >= WORDS_AT ? wordOf(id - WORDS_AT) : groupOf(id);
}

function wordOf(value: number): string {
  const flags = value % 4;
  let rest = Math.floor(value / 4);
  let word = "";
  for (let letter = 0; letter < WORD_LETTERS; letter++) {
    const digit = rest % 27;
    if (digit > 0) word = String.fromCharCode(digit + 0x60) + word;
    rest = Math.floor(rest / 27);
  }
  const cased = flags & CAPITAL ? word.charAt(0).toUpperCase() + word.slice(1) : word;
  return flags & WITH_SPACE ? ` ${cased}` : cased;
}

function groupOf(id: number): string {
  const length = [4, 3, 2].find((chars) => id >= (GROUPS_OF[chars] ?? 0)) ?? 1;
  let rest = id - (GROUPS_OF[length] ?? 0);
  let text = "";
  for (let at = 0; at < length; at++) {
    text = String.fromCharCode(rest % 128) + text;
    rest = Math.floor(rest / 128);
  }
  return text;
}

const SPACE = 0x20;
const isSpace = (code: number): boolean => code === SPACE || (code >= 0x09 && code <= 0x0d);
const isLower = (code: number): boolean => code >= 0x61 && code <= 0x7a;
const isUpper = (code: number): boolean => code >= 0x41 && code <= 0x5a;
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isSign = (code: number): boolean =>
  code < PAIR_FIRST && !isSpace(code) && !isLower(code) && !isUpper(code) && !isDigit(code);
