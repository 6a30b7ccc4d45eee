// Numbers as a text gives them.

import { termsOf } from "./term.ts";

/** The number nearest to one of the wanted terms; undefined when the text has none of the terms, or no number. */
export function numberNear(text: string, wanted: ReadonlySet<string>): number | undefined {
  const words = [...text.matchAll(/\p{L}[\p{L}\p{N}]*/gu)].filter((word) =>
    termsOf(word[0]).some((term) => wanted.has(term)),
  );
  if (words.length === 0) return undefined;
  const distance = (at: number): number =>
    Math.min(...words.map((word) => Math.abs(word.index - at)));
  return numbersIn(text).toSorted((a, b) => distance(a.at) - distance(b.at))[0]?.value;
}

/** The number of a text that has exactly one. */
export function onlyNumber(text: string): number | undefined {
  const numbers = numbersIn(text);
  return numbers.length === 1 ? numbers[0]?.value : undefined;
}

/** Numbers that stand alone: not those in names such as Qwen3-32B, fp8 or v0.9. */
function numbersIn(text: string): { readonly at: number; readonly value: number }[] {
  const found = text.matchAll(/(?<![\p{L}\d_.,/-])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\p{L}\d_/-])/gu);
  return [...found].map((match) => ({
    at: match.index,
    value: Number(match[0].replaceAll(",", "")),
  }));
}
