// How a sentence and its document are named in an answer.

import type { Sentence } from "./material.ts";

/** A sentence as an answer shows it. */
export function citeSentence(sentence: Pick<Sentence, "text" | "sources">): string {
  return `${sentence.text} ${sentence.sources.map((source) => `[${source}]`).join(" ")}`;
}

/** A document's name as a heading: docs/kv-cache-sizing.md becomes "KV cache sizing" where `near`, its text, writes KV in capitals. */
export function titleOf(source: string, near: readonly string[] = []): string {
  const last =
    source
      .replace(/[?#].*$/, "")
      .replace(/\/+$/, "")
      .split("/")
      .at(-1) ?? source;
  const words =
    last
      .replace(/\.\w{1,5}$/, "")
      .replace(/[-_]+/g, " ")
      .trim() || source;
  const written = new Map(
    near
      .flatMap((text) => text.match(/\p{L}+\p{Lu}\p{L}*/gu) ?? [])
      .map((word) => [word.toLowerCase(), word]),
  );
  const spelled = words.replace(
    /\S+/g,
    (word) => written.get(word) ?? (ACRONYM.test(word) ? word.toUpperCase() : word),
  );
  return spelled.charAt(0).toUpperCase() + spelled.slice(1);
}

/** A word without a vowel, which is none: kv, http, css. */
const ACRONYM = /^[b-df-hj-np-tv-xz]{2,5}$/;
