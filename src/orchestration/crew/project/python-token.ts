// Python source as tokens: enough of the language to find calls, their arguments and where statements begin. Nothing is executed.

import type { Place } from "./place.ts";
import type { Source } from "./source.ts";

/** A token. `value` is a text's content; f-strings have none. `isFirst`: a statement begins here. */
export type Token = {
  readonly type: "name" | "number" | "text" | "mark";
  readonly text: string;
  readonly value?: string | undefined;
  readonly isFirst: boolean;
  readonly start: number;
  readonly end: number;
  readonly place: Place;
};

/** Most tokens of a file: a crew.py has some thousand. */
const MAX_TOKENS = 50_000;

/** The tokens of a file in order. What is no Python, or too much, ends the list early: such a file is then known only in part. */
export function tokensOf({ file, text }: Source): readonly Token[] {
  const tokens: Token[] = [];
  let [at, line, lineStart, depth] = [0, 1, 0, 0];
  let lastLine = 0;
  while (at < text.length && tokens.length < MAX_TOKENS) {
    const found = nextToken(text, at);
    if (!found) break;
    const place = { file, line, column: at - lineStart + 1 };
    if (found.type !== "blank") {
      const isFirst = depth === 0 && line !== lastLine;
      const { type, end, value } = found;
      tokens.push({ type, text: text.slice(at, end), value, isFirst, start: at, end, place });
      depth = Math.max(0, depth + depthOf(text.slice(at, end)));
    }
    const passed = text.slice(at, found.end);
    const last = passed.lastIndexOf("\n");
    if (last >= 0) [line, lineStart] = [line + passed.split("\n").length - 1, at + last + 1];
    at = found.end;
    // A line that ends with a backslash goes on: what follows it begins no statement.
    if (found.type !== "blank" || /\\\r?\n/.test(text.slice(at - 2, at))) lastLine = line;
  }
  return tokens;
}

type Found =
  | { readonly type: "blank"; readonly end: number; readonly value?: undefined }
  | { readonly type: Token["type"]; readonly end: number; readonly value?: string | undefined };

const BLANK = /[ \t\r\f\uFEFF]+|\n|#[^\n]*|\\\r?\n/y;
const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy;
const NUMBER = /\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const QUOTE = /([rRbBuUfF]{0,2})("""|'''|"|')/y;

function nextToken(text: string, at: number): Found | undefined {
  const endOf = (pattern: RegExp): number | undefined => {
    pattern.lastIndex = at;
    return pattern.test(text) ? pattern.lastIndex : undefined;
  };
  const blank = endOf(BLANK);
  if (blank !== undefined) return { type: "blank", end: blank };
  QUOTE.lastIndex = at;
  const quote = QUOTE.exec(text);
  if (quote) return textToken(text, QUOTE.lastIndex, quote[1] ?? "", quote[2] ?? '"');
  const name = endOf(NAME);
  if (name !== undefined) return { type: "name", end: name };
  const number = endOf(NUMBER);
  return number === undefined ? { type: "mark", end: at + 1 } : { type: "number", end: number };
}

/** A text from behind its opening quote; undefined when it never ends. */
function textToken(text: string, from: number, prefix: string, quote: string): Found | undefined {
  let end = from;
  while (end < text.length && !text.startsWith(quote, end)) {
    if (quote.length === 1 && text[end] === "\n") return undefined;
    end += text[end] === "\\" ? 2 : 1;
  }
  if (end >= text.length) return undefined;
  const body = text.slice(from, end);
  const isRaw = /r/i.test(prefix);
  const value = /f/i.test(prefix) && /[{}]/.test(body) ? undefined : isRaw ? body : unescape(body);
  return { type: "text", end: end + quote.length, value };
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\n": "" };

function unescape(body: string): string {
  return body.replaceAll(/\\([\s\S])/g, (whole, next: string) =>
    next in ESCAPES ? (ESCAPES[next] ?? "") : /["'\\]/.test(next) ? next : whole,
  );
}

function depthOf(mark: string): number {
  if (mark === "(" || mark === "[" || mark === "{") return 1;
  return mark === ")" || mark === "]" || mark === "}" ? -1 : 0;
}
