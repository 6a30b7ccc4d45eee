// What of a passage is searched: its words, in every spelling that a question may have, without what only announces.

import { toSentences } from "./passage.ts";

/** "This page explains how jobs are retried" has all the words of the question and not the answer. */
const ANNOUNCEMENT =
  /^(?:this|the following) (?:document|page|section|article|guide|chapter|file|tutorial|post) (?:also )?(?:explains?|describes?|covers?|lists?|shows?|gives?|converts?|introduces?|discusses|summari[sz]es|outlines?|collects?|walks)\b/i;

/** The text that stands for a passage in the index. */
export function toIndexed(text: string): string {
  const said = toSentences(text).filter((sentence) => !ANNOUNCEMENT.test(sentence));
  return withSpellings(said.join(" "));
}

/** The text, followed by its names in parts ("maxParallelJobs": max Parallel Jobs) and its compounds in one word ("time-out": timeout). */
export function withSpellings(text: string): string {
  // Word by word: one expression for the whole of it would try each letter of a long word as its beginning, in quadratic time.
  const compounds = (text.match(/[\p{L}\p{N}-]+/gu) ?? [])
    .flatMap((chain) => chain.split(/--+/))
    .map((chain) => chain.replace(/^-|-$/g, ""))
    .filter((chain) => chain.includes("-"));
  const words = text.match(/[\p{L}\p{N}]+/gu) ?? [];
  const names = words.filter((word) => /\p{Ll}\p{Lu}/u.test(word));
  const spellings = [
    ...compounds.map((word) => word.replaceAll("-", "")),
    ...names.map((name) => name.replace(/(?<=\p{Ll})(?=\p{Lu})/gu, " ")),
  ];
  return [text, ...spellings].join(" ");
}
