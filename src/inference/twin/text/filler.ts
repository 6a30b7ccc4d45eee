// Words that mean nothing, one token each: for an answer of an exact length.

import { encodeText } from "./tokenizer.ts";

/** Each of them is one token with the space before it. Nobody takes them for an answer. */
const WORDS =
  "filler text of a twin no model wrote this it only has the right length in tokens".split(" ");

const IDS: readonly number[] = WORDS.flatMap((word) => [...encodeText(` ${word}`)]);

/** `count` ids, starting at a place of the word list. */
export function fillerIds(count: number, start = 0): Int32Array {
  return Int32Array.from({ length: count }, (_, index) => IDS[(start + index) % IDS.length] ?? 0);
}
