// A long text as a document: read by its lines, searched by its passages. For inputs that are too long for a prompt.
//
// Lines (text-line.ts) are counted from 1 and cover the text without a gap. The index is made at the first search.

import { openSqlite, type Sqlite } from "../../sqlite.ts";
import type { Passage } from "./passage.ts";
import { PASSAGE_SCHEMA, replacePassages } from "./passage-table.ts";
import { rankPassages } from "./rank.ts";
import { lineStarts } from "./text-line.ts";

/** Lines of a document, both counted from 1 and included. */
export type LineSpan = { readonly from: number; readonly to: number };

/** A passage that was found: some lines that stand together under one heading. */
export type TextPassage = LineSpan & {
  /** Its number in the document, from 1. */
  readonly id: number;
  /** The heading or key that it stands under; empty before the first one. */
  readonly section: string;
  readonly text: string;
};

/** A heading, or a key of the first level of a JSON text. */
export type OutlineEntry = { readonly line: number; readonly title: string };

/** A text by its lines and passages. Disposing it frees its index. */
export interface TextDocument extends Disposable {
  readonly characters: number;
  readonly lines: number;
  /** In the order of the text; empty for a text without structure. */
  readonly outline: readonly OutlineEntry[];
  /** The text of some lines; what lies outside of the document is left out. */
  textOf(span: LineSpan): string;
  /** Where a line begins in the text, in characters; of one beyond the last, the text's length. */
  offsetOf(line: number): number;
  /** The last line up to which the text from `from` on has at most so many characters; at least `from`. */
  lastLine(from: number, characters: number): number;
  /** The passages that answer a question in plain words best, best first; `more` others match too. */
  search(
    question: string,
    limit: number,
  ): { readonly passages: readonly TextPassage[]; readonly more: number };
  passage(id: number): TextPassage | undefined;
}

/** A passage ends at an empty line when it has so many characters, and everywhere at the most. */
const LEAST_PASSAGE = 250;
const MOST_PASSAGE = 700;

/** Makes a document of a text. O(length). */
export function createTextDocument(text: string): TextDocument {
  const starts = lineStarts(text);
  const outline = outlineOf(text, starts);
  const lines = starts.length;
  const offsetOf = (line: number): number => starts[line - 1] ?? text.length;
  const textOf = ({ from, to }: LineSpan): string =>
    text.slice(offsetOf(Math.max(1, from)), offsetOf(to + 1));
  let found: { readonly store: Sqlite; readonly passages: readonly TextPassage[] } | undefined;
  const index = (): NonNullable<typeof found> => (found ??= indexOf(textOf, lines, outline));
  return {
    characters: text.length,
    lines,
    outline,
    textOf,
    offsetOf,
    lastLine(from, characters) {
      const end = offsetOf(from) + characters;
      let line = from;
      while (line < lines && offsetOf(line + 2) <= end) line++;
      return Math.min(line, lines);
    },
    search(question, limit) {
      const { store, passages } = index();
      const { best, matching } = rankPassages(store.database, question, limit);
      const hits = best.flatMap(([id]) => passages[id - 1] ?? []);
      return { passages: hits, more: matching - hits.length };
    },
    passage: (id) => index().passages[id - 1],
    [Symbol.dispose]() {
      found?.store.close();
    },
  };
}

/** A Markdown heading, or a key of the first level of a JSON text that was written over several lines. */
const HEADING = /^(?:#{1,6}\s+(\S.*)|\s{2}"((?:[^"\\]|\\.){1,200})":.*)$/;

function outlineOf(text: string, starts: readonly number[]): readonly OutlineEntry[] {
  const isJson = /^[[{]\s*\n/.test(text);
  return starts.flatMap((start, index) => {
    const line = text.slice(start, starts[index + 1] ?? text.length).trimEnd();
    const [, heading, key] = HEADING.exec(line) ?? [];
    const title = isJson ? key : heading?.replace(/\s#+$/, "").trim(); // "# Title #" is one too
    return title === undefined ? [] : [{ line: index + 1, title }];
  });
}

function indexOf(
  textOf: (span: LineSpan) => string,
  lines: number,
  outline: readonly OutlineEntry[],
): { readonly store: Sqlite; readonly passages: readonly TextPassage[] } {
  const passages = passagesOf(textOf, lines, outline);
  const store = openSqlite(":memory:", [PASSAGE_SCHEMA]);
  const indexed = passages.map(({ section, text }): Passage => ({
    section,
    headings: section,
    text,
  }));
  replacePassages(store, { path: "input", source: "input", stamp: "" }, indexed);
  return { store, passages };
}

/** The passages of a document. A table that is filled for the first time counts its rows from 1, so a passage's id is its row's. */
function passagesOf(
  textOf: (span: LineSpan) => string,
  lines: number,
  outline: readonly OutlineEntry[],
): readonly TextPassage[] {
  const titles = new Map(outline.map(({ line, title }) => [line, title]));
  const passages: TextPassage[] = [];
  let section = "";
  let from = 1;
  let text = "";
  const close = (to: number): void => {
    if (text.trim() !== "") passages.push({ id: passages.length + 1, from, to, section, text });
    from = to + 1;
    text = "";
  };
  for (let line = 1; line <= lines; line++) {
    const added = textOf({ from: line, to: line });
    const title = titles.get(line);
    if (title !== undefined || text.length + added.length > MOST_PASSAGE) close(line - 1);
    section = title ?? section;
    text += added;
    if (added.trim() === "" && text.length >= LEAST_PASSAGE) close(line);
  }
  close(lines);
  return passages;
}
