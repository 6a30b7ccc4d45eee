// What there is to answer from, as sentences that know where they come from.
//
// Reads context sections, tool results and documents; JSON by its keys, other text as markdown. Sentences stay word for word.
// Invariants
//   S1  Sentences of one passage that follow each other have `at` values that follow each other: a gap means that something between them was unfit.
//   S2  No more than MAX_SENTENCES sentences, read from no more than MAX_CHARACTERS characters.

import { isObject, parseJson } from "../../../json.ts";
import type { Section, ToolResult } from "./assignment.ts";
import { parseBlocks } from "./block.ts";
import { type Line, toLine } from "./line.ts";
import { isFragment, isSentence, splitSentences } from "./sentence.ts";
import { distinctBy, termsOf } from "./term.ts";

/** One sentence and its place. */
export type Sentence = {
  readonly text: string;
  /** What is cited for it: at least one name. */
  readonly sources: readonly string[];
  readonly section: string | undefined;
  /** Paragraph that it stands in, and its place there. */
  readonly passage: number;
  readonly at: number;
  /** Place of its text among those that a search returned; 0 is the best and the value for all other texts. */
  readonly rank: number;
  readonly terms: ReadonlySet<string>;
};

/** Most sentences and characters that one answer looks at. Ranking is linear in both, so the time is bounded. */
const MAX_SENTENCES = 3_000;
const MAX_CHARACTERS = 500_000;
/** Bounds of the walk through a JSON text. */
const MAX_DEPTH = 8;
const MAX_NODES = 5_000;
/** Shortest string of a JSON text that is read, in characters. */
const SHORTEST_TEXT = 20;

/** The sentences of all texts, in order; the same passage in two results counts once. */
export function readMaterial(
  sections: readonly Section[],
  results: readonly ToolResult[],
): Sentence[] {
  const distinct = textsOf(readable(sections, results));
  const whole = collect(distinct, isSentence);
  // Bullets without a full stop are better than nothing, and only then.
  return whole.length > 0 ? whole : collect(distinct, isFragment);
}

/** What can be read: the sections, and the results that are neither a failure nor the word that nothing was found. */
export function readable(
  sections: readonly Section[],
  results: readonly ToolResult[],
): readonly Section[] {
  const found = results.filter(({ content }) => !isFailure(content) && !saysNothing(content));
  return [...sections, ...found.map(({ tool, content }) => ({ name: tool, text: content }))];
}

/** The texts in the sections, each once. */
export function textsOf(sections: readonly Section[]): Text[] {
  const texts = sections.flatMap(({ name, text }) => readText(name, text));
  return distinctBy(texts, (text) => `${text.source}\n${text.text}`);
}

/** Every line of the texts, be it a sentence or not, headings included. At most MAX_SENTENCES. */
export function readLines(sections: readonly Section[]): Line[] {
  const lines: Line[] = [];
  let characters = 0;
  for (const { text } of textsOf(sections)) {
    if (lines.length >= MAX_SENTENCES || characters > MAX_CHARACTERS) break; // S2
    for (const block of parseBlocks(text.slice(0, MAX_CHARACTERS - characters)))
      lines.push(...splitSentences(block.text).map((said) => toLine(said.text)));
    characters += text.length;
  }
  return lines.slice(0, MAX_SENTENCES);
}

/** True for a tool result that says that the tool failed. */
export function isFailure(content: string): boolean {
  const parsed = parseJson(content);
  if (isObject(parsed))
    return "error" in parsed && parsed["error"] !== null && parsed["error"] !== false;
  return /^\s*(?:error|exception|failure|traceback)\s*[:(]/i.test(content);
}

/** True for a short text that says that nothing was found. */
function saysNothing(content: string): boolean {
  return (
    content.length < 200 &&
    /^\s*(?:no|nothing|0)\b[\w ,]{0,60}\b(?:found|match\w*|results?|available)\b/i.test(content)
  );
}

/** A text and what it is called. */
export type Text = {
  readonly source: string;
  readonly section: string | undefined;
  readonly rank: number;
  readonly text: string;
};

function collect(texts: readonly Text[], isFit: (text: string) => boolean): Sentence[] {
  const sentences: Sentence[] = [];
  let passage = 0;
  let characters = 0;
  for (const { source, section: given, rank, text } of texts) {
    if (characters > MAX_CHARACTERS) break; // S2
    let section = given;
    let documentName: string | undefined;
    for (const block of parseBlocks(text.slice(0, MAX_CHARACTERS - characters))) {
      if (block.type === "heading") {
        if (FILE_NAME.test(block.text)) documentName = block.text;
        else section = block.text;
        continue;
      }
      if (section !== undefined && BACK_MATTER.test(section)) {
        passage++;
        continue;
      }
      for (const [at, { text: said, cited }] of splitSentences(block.text).entries()) {
        if (sentences.length >= MAX_SENTENCES) return sentences; // S2
        if (!isFit(said)) continue; // S1
        const sources = cited.length > 0 ? cited : [documentName ?? source];
        sentences.push({
          text: said,
          sources,
          section,
          passage,
          at,
          rank,
          terms: new Set(termsOf(said)),
        });
      }
      passage++;
    }
    characters += text.length;
  }
  return sentences;
}

/** Lists of where a text comes from say nothing about its subject. */
const BACK_MATTER =
  /^(?:sources?|references?|bibliography|further reading|see also|links|changelog|licen[sc]e)$/i;
const FILE_NAME = /^[\w./@-]+\.(?:md|mdx|txt|rst|html?|pdf|json|ya?ml)$/i;

/** The texts of a text: itself, or the strings of a JSON text with the names that stand beside them. */
export function readText(source: string, text: string): Text[] {
  const parsed = /^\s*[[{]/.test(text) ? (parseJson(text) ?? salvage(text)) : undefined;
  if (parsed === undefined) return [{ source, section: undefined, rank: 0, text }];
  const texts: Text[] = [];
  let nodes = 0;
  const walk = (
    value: unknown,
    near: { readonly source: string; readonly section: string | undefined },
    depth: number,
  ): void => {
    if (depth > MAX_DEPTH || nodes++ > MAX_NODES) return;
    if (typeof value === "string") {
      if (value.length >= SHORTEST_TEXT) texts.push({ ...near, rank: texts.length, text: value });
    } else if (Array.isArray(value)) {
      for (const item of value) walk(item, near, depth + 1);
    } else if (isObject(value)) {
      const here = {
        source: stringAt(value, SOURCE_KEYS) ?? near.source,
        section: stringAt(value, SECTION_KEYS) ?? near.section,
      };
      for (const [key, item] of Object.entries(value))
        if (!NAME_KEYS.has(key)) walk(item, here, depth + 1);
    }
  };
  walk(parsed, { source, section: undefined }, 0);
  return texts;
}

/** The whole objects of a JSON text that was cut; undefined when it has none. */
function salvage(text: string): readonly unknown[] | undefined {
  const objects = text
    .match(/\{[^{}]{1,20000}\}/g)
    ?.slice(0, MAX_NODES)
    .map(parseJson)
    .filter(isObject);
  return objects?.length ? objects : undefined;
}

/** Keys of a JSON text that say where it comes from. */
export const SOURCE_KEYS: readonly string[] = [
  "source",
  "url",
  "uri",
  "link",
  "path",
  "file",
  "document",
  "citation",
  "reference",
  "href",
];
const SECTION_KEYS = ["section", "heading", "title"];
/** Keys whose strings name something; they are not read as text. */
export const NAME_KEYS: ReadonlySet<string> = new Set([
  ...SOURCE_KEYS,
  ...SECTION_KEYS,
  "sources",
  "citations",
  "query",
  "id",
  "name",
]);

/** The first of the keys that holds a text. */
export function stringAt(
  value: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): string | undefined {
  const found = keys
    .map((key) => value[key])
    .find((item) => typeof item === "string" && item.trim() !== "");
  return typeof found === "string" ? found.trim() : undefined;
}
