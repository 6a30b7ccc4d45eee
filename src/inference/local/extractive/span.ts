// Pieces of a text that can stand where a whole sentence does not fit: runs of whole words, word for word.

import { termsOf } from "./term.ts";

/** Most words that are looked at, and most words of a run that is tried against a pattern. */
const MAX_WORDS = 400;
const MAX_RUN = 4;

/** Characters as JSON Schema counts them. */
export function lengthOf(text: string): number {
  return Array.from(text).length;
}

/**
 * The run of whole words nearest to the text's beginning, as long as the bounds allow, that says something: the beginning of the
 * sentence where that is long enough, else a run from its middle. undefined when no run fits.
 */
export function runWithin(text: string, least: number, most: number): string | undefined {
  const words = text.split(/\s+/, MAX_WORDS);
  for (let first = 0; first < words.length; first++) {
    const run = runFrom(words.slice(first), most);
    if (run !== undefined && lengthOf(run) >= least && termsOf(run).length > 0) return run;
  }
  return undefined;
}

/** As many of the words as fit, without the marks and the "of the" that a cut leaves at its end. */
function runFrom(words: readonly string[], most: number): string | undefined {
  let count = 0;
  while (count < words.length && lengthOf(bare(words.slice(0, count + 1).join(" "))) <= most)
    count++;
  while (count > 0 && count < words.length && termsOf(words[count - 1] ?? "").length === 0) count--;
  return bare(words.slice(0, count).join(" ")) || undefined;
}

/** All runs of one to four words without the marks around them, the short ones first. */
export function runsOf(text: string): string[] {
  const words = text.split(/\s+/, MAX_WORDS).filter(Boolean);
  return Array.from({ length: MAX_RUN }, (_, size) =>
    words.map((_word, first) => bare(words.slice(first, first + size + 1).join(" "))),
  ).flat();
}

function bare(run: string): string {
  return run.replace(/^[\s"'“”‘’`*([<]+|[\s"'“”‘’`*)\]>.,;:!?([]+$/g, "");
}
