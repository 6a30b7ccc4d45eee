// What a prompt shows of an input that is too long for it: its outline, its head, or what was found in it. Pure.

import { estimateTokens } from "../../inference/model/tokens.ts";
import type { LineSpan, OutlineEntry, TextPassage } from "../memory/text-document.ts";
import { type InputDocument, READ_TOOL, SEARCH_TOOL } from "./input-document.ts";

/** The section of a prompt's context that shows an input; no task can have its name. */
export function sectionName(name: string): string {
  return `input ${name}`;
}

/** What stands where the input's placeholder stood. */
export function mentionText({ name, tokens, document }: InputDocument): string {
  const { characters, lines } = document;
  return `(the input "${name}", about ${tokens} tokens, ${characters} characters, ${lines} lines: see "${sectionName(name)}")`;
}

/** A text for the prompt, and the lines of the input that it shows. */
export type InputView = { readonly text: string; readonly spans: readonly LineSpan[] };

/** How large the input is, how it is built, how it begins, and how to find the rest. */
export function outlineView(input: InputDocument, budgetTokens: number): InputView {
  const { name, tokens, document } = input;
  const { characters, lines } = document;
  const head = headOf(input, Math.floor(budgetTokens * HEAD_SHARE));
  const entries = document.outline.length > 0 ? document.outline : beginnings(input);
  const outline = outlineText(entries, Math.floor(budgetTokens * (1 - HEAD_SHARE)));
  const title = document.outline.length > 0 ? "Its outline, by line" : "Some of its lines";
  const text =
    `The input "${name}" is too long to stand here: about ${tokens} tokens, ${characters} characters, ${lines} lines.\n` +
    `Find what you need with ${SEARCH_TOOL} and read it with ${READ_TOOL}, as often as you need to.\n` +
    `${title}:\n${outline}\nIt begins:\n${document.textOf(head).trimEnd()}`;
  return { text, spans: [head] };
}

/** The input's beginning. */
export function headView(input: InputDocument, budgetTokens: number): InputView {
  const { tokens, document } = input;
  const head = headOf(input, budgetTokens);
  const text = `Its first ${head.to} of ${document.lines} lines; it has about ${tokens} tokens, and the rest is not shown:\n${document.textOf(head).trimEnd()}`;
  return { text, spans: [head] };
}

/** The input's beginning and its end: for one that no model could summarise. */
export function endsView(input: InputDocument, budgetTokens: number): InputView {
  const { tokens, document } = input;
  const head = headOf(input, Math.floor(budgetTokens * ENDS_HEAD_SHARE));
  const tail = tailOf(
    input,
    head.to + 1,
    budgetTokens - Math.floor(budgetTokens * ENDS_HEAD_SHARE),
  );
  const left = tail.from - head.to - 1;
  const text =
    `Its beginning and its end, as no summary could be made; it has about ${tokens} tokens:\n${document.textOf(head).trimEnd()}` +
    `\n[… ${left} of ${document.lines} lines left out …]\n${document.textOf(tail).trimEnd()}`;
  return { text, spans: tail.from <= tail.to ? [head, tail] : [head] };
}

/** As where other texts are cut (fit.ts). */
const ENDS_HEAD_SHARE = 0.7;

/** The last lines, from `least` on, that fit a budget; none when the last one does not. */
function tailOf({ document }: InputDocument, least: number, budgetTokens: number): LineSpan {
  const to = document.lines;
  let from = to + 1;
  let left = budgetTokens;
  while (from > least) {
    left -= estimateTokens(document.textOf({ from: from - 1, to: from - 1 }));
    if (left < 0) break;
    from--;
  }
  return { from, to };
}

/** The passages that answer a question best, as many as the budget allows, in the input's order. */
export function retrievedView(
  input: InputDocument,
  question: string,
  budgetTokens: number,
): InputView {
  const { tokens, document } = input;
  const { passages } = document.search(question, MAX_PASSAGES);
  const chosen = withinBudget(passages, budgetTokens).toSorted((a, b) => a.id - b.id);
  if (chosen.length === 0) return headView(input, budgetTokens);
  const shown = chosen.map(
    ({ from, to, section, text }) =>
      `(lines ${from}-${to}${section === "" ? "" : `, ${section}`})\n${text.trimEnd()}`,
  );
  const text = `What was found in it for this task; it has about ${tokens} tokens, and the rest is not shown:\n\n${shown.join("\n\n")}`;
  return { text, spans: chosen };
}

/** A model's summary of the input, or of the lines that it has read. */
export function summaryView(input: InputDocument, summary: string): string {
  return `A summary of it; it has about ${input.tokens} tokens:\n${summary}`;
}

/** The best passages that fit a budget together; at least one. */
export function withinBudget(
  passages: readonly TextPassage[],
  budgetTokens: number,
): readonly TextPassage[] {
  let left = budgetTokens;
  return passages.filter(({ text }, index) => {
    const tokens = estimateTokens(text) + PASSAGE_TOKENS;
    if (tokens > left && index > 0) return false;
    left -= tokens;
    return true;
  });
}

/** The lines from one on that fit a budget; at least one. */
export function spanOf(input: InputDocument, from: number, budgetTokens: number): LineSpan {
  const { tokens, document } = input;
  const perToken = document.characters / tokens;
  let to = document.lastLine(from, Math.floor(budgetTokens * perToken));
  // Where the text is denser than on the whole, fewer lines fit.
  while (to > from && estimateTokens(document.textOf({ from, to })) > budgetTokens)
    to = from + Math.floor((to - from) * 0.8);
  return { from, to };
}

/** Share of an outline's budget that the beginning gets. */
const HEAD_SHARE = 0.5;
/** Most passages that are looked at for a prompt. */
const MAX_PASSAGES = 100;
/** What stands around a passage: its lines and its heading. */
const PASSAGE_TOKENS = 12;

function headOf(input: InputDocument, budgetTokens: number): LineSpan {
  return spanOf(input, 1, budgetTokens);
}

/** Lines in even distances, for a text without headings. */
function beginnings({ document }: InputDocument): readonly OutlineEntry[] {
  const count = Math.min(document.lines, 12);
  return Array.from({ length: count }, (_, n) => {
    const line = 1 + Math.floor((n * document.lines) / count);
    return { line, title: document.textOf({ from: line, to: line }).trim() };
  });
}

/** Most characters of a heading that is shown. */
const MAX_TITLE = 80;

/** The entries that fit, evenly taken when not all do. */
function outlineText(entries: readonly OutlineEntry[], budgetTokens: number): string {
  const shown = entries.map(({ line, title }) => `${line} ${title.slice(0, MAX_TITLE)}`);
  const each = Math.max(...shown.map((text) => estimateTokens(text) + 1));
  const count = Math.max(1, Math.floor(budgetTokens / each));
  if (count >= shown.length) return shown.join("\n");
  const picked = Array.from(
    { length: count },
    (_, n) => shown[Math.floor((n * shown.length) / count)],
  );
  return [...picked, `(${shown.length - count} more)`].join("\n");
}
