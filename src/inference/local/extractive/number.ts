// Numbers as a text gives them.

import { termsOf } from "./term.ts";

/** Farther than this from the words that it is looked for by, a number counts something else. In characters. */
const REACH = 60;

/** The numbers near one of the wanted terms, the nearest first; none when the text has none of the terms. */
export function numbersNear(text: string, wanted: ReadonlySet<string>): number[] {
  const words = [...text.matchAll(/[\p{L}\p{N}]+/gu)].filter((word) =>
    termsOf(word[0]).some((term) => wanted.has(term)),
  );
  const distance = (at: number): number =>
    words.reduce((least, word) => Math.min(least, Math.abs(word.index - at)), Infinity);
  return numbersIn(text)
    .filter(({ at }) => distance(at) <= REACH)
    .toSorted((a, b) => distance(a.at) - distance(b.at))
    .map(({ value }) => value);
}

/** The number of a text that has exactly one. */
export function onlyNumber(text: string): number | undefined {
  const numbers = numbersIn(text);
  return numbers.length === 1 ? numbers[0]?.value : undefined;
}

/** The first number of a text: 1.49 of "1.49 USD per hour". */
export function firstNumber(text: string): number | undefined {
  return numbersIn(text)[0]?.value;
}

/** Numbers that stand alone or before their unit (80GB, 12ms): not those in names such as Qwen3-32B, fp8, v0.9 or 10.0.0.7, nor in dates. */
function numbersIn(text: string): { readonly at: number; readonly value: number }[] {
  const found = text.matchAll(
    /(?<![\p{L}\d_.,/:-])-?\d+(?:,\d{3})*(?:\.\d+)?(?!\.\d|:\d)(?:(?![\p{L}\d_/-])|(?=(?:ms|s|h|W|[KMGT]i?B)(?![\p{L}\d])))/gu,
  );
  return [...found].map((match) => ({
    at: match.index,
    value: Number(match[0].replaceAll(",", "")),
  }));
}
