// A line of a source: a sentence, a heading, a bullet.

import { termsOf } from "./term.ts";

/** A line of a source with its terms. */
export type Line = { readonly text: string; readonly terms: ReadonlySet<string> };

/** A line of a text. */
export function toLine(text: string): Line {
  return { text, terms: new Set(termsOf(text)) };
}
