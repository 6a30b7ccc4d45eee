// Python expressions as located values: literals are read, calls keep their name and arguments, anything else keeps its text.

import type { Source } from "./source.ts";
import type { Token } from "./python-token.ts";
import type { Call, Entry, Located } from "./value.ts";

/** An expression and the index of the token behind it. */
type Read<T> = { readonly value: T; readonly next: number };

/** Deeper brackets keep their text. */
const MAX_DEPTH = 32;

/** Reads expressions of one file. */
export type ExpressionReader = (index: number) => Located | undefined;

/** @param tokens of the same file as `source`. */
export function createExpressionReader(
  { text }: Source,
  tokens: readonly Token[],
): ExpressionReader {
  return (index) => readExpression({ text, tokens }, index, 0)?.value;
}

type Code = { readonly text: string; readonly tokens: readonly Token[] };

/** An expression is what comes before a comma, a closing bracket, a colon, "=" or the next statement, outside of brackets. */
function readExpression(code: Code, index: number, depth: number): Read<Located> | undefined {
  const first = code.tokens[index];
  if (!first || isEnd(first)) return undefined;
  const end = endOfExpression(code.tokens, index);
  const literal = depth > MAX_DEPTH ? undefined : readLiteral(code, index, depth);
  if (literal?.next === end) return literal;
  const call = depth > MAX_DEPTH ? undefined : readCall(code, index, depth);
  const text = code.text.slice(first.start, code.tokens[end - 1]?.end);
  const known = call?.next === end ? call.value : undefined;
  return { value: { type: "python", text, call: known, place: first.place }, next: end };
}

function endOfExpression(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let index = from; index < tokens.length; index++) {
    const token = tokens[index];
    if (!token || (depth === 0 && (isEnd(token) || (index > from && token.isFirst)))) return index;
    if (token.type === "mark" && "([{".includes(token.text)) depth += 1;
    if (token.type === "mark" && ")]}".includes(token.text)) depth -= 1;
  }
  return tokens.length;
}

function isEnd({ type, text }: Token): boolean {
  return type === "mark" && ",)]}:=;".includes(text);
}

const WORDS: Readonly<Record<string, boolean | null>> = { True: true, False: false, None: null };

function readLiteral(code: Code, index: number, depth: number): Read<Located> | undefined {
  const token = code.tokens[index];
  if (!token) return undefined;
  const { place, text, type } = token;
  if (type === "text") return readTexts(code, index);
  if (type === "number") return scalar(Number(text.replaceAll("_", "")), index + 1);
  if (type === "name" && Object.hasOwn(WORDS, text)) return scalar(WORDS[text] ?? null, index + 1);
  if (text === "[") {
    const { value: items, next } = readItems(code, index + 1, depth);
    return { value: { type: "list", items, place }, next };
  }
  if (text === "{") return readDictionary(code, index, depth);
  if (text !== "(") return undefined;
  const inner = readExpression(code, index + 1, depth + 1);
  const isClosed = inner && code.tokens[inner.next]?.text === ")";
  return isClosed ? { value: inner.value, next: inner.next + 1 } : undefined;

  function scalar(value: number | boolean | null, next: number): Read<Located> {
    return { value: { type: "scalar", value, place }, next };
  }
}

/** Texts beside each other are one text. */
function readTexts({ tokens }: Code, index: number): Read<Located> | undefined {
  const first = tokens[index];
  if (!first) return undefined;
  let value = "";
  let next = index;
  for (let token = tokens[next]; token?.type === "text"; token = tokens[++next]) {
    if (token.value === undefined) return undefined;
    value += token.value;
  }
  return { value: { type: "scalar", value, place: first.place }, next };
}

function readItems(code: Code, from: number, depth: number): Read<readonly Located[]> {
  const items: Located[] = [];
  let next = from;
  for (
    let item = readExpression(code, next, depth + 1);
    item;
    item = readExpression(code, next, depth + 1)
  ) {
    items.push(item.value);
    next = item.next;
    if (code.tokens[next]?.text === ",") next += 1;
    else break;
  }
  return { value: items, next: next + 1 };
}

/** A dictionary whose keys are texts; any other keeps its text. */
function readDictionary(code: Code, index: number, depth: number): Read<Located> | undefined {
  const entries: Entry[] = [];
  const first = code.tokens[index];
  if (!first) return undefined;
  let next = index + 1;
  while (code.tokens[next]?.text !== "}") {
    const key = readTexts(code, next);
    if (key?.value.type !== "scalar" || code.tokens[key.next]?.text !== ":") return undefined;
    const value = readExpression(code, key.next + 1, depth + 1);
    if (!value) return undefined;
    entries.push({ key: String(key.value.value), value: value.value, place: key.value.place });
    next = behindComma(code, value.next);
  }
  return { value: { type: "map", entries, place: first.place }, next: next + 1 };
}

function readCall(code: Code, index: number, depth: number): Read<Call> | undefined {
  const { tokens } = code;
  const callee = calleeOf(tokens, index);
  if (!callee) return undefined;
  const args: Located[] = [];
  const keywords: Entry[] = [];
  let { next } = callee;
  while (next < tokens.length && tokens[next]?.text !== ")") {
    const keyword = tokens[next + 1]?.text === "=" ? tokens[next] : undefined;
    const value = readExpression(code, keyword ? next + 2 : next, depth + 1);
    if (!value) return undefined;
    if (keyword) keywords.push({ key: keyword.text, value: value.value, place: keyword.place });
    else args.push(value.value);
    next = behindComma(code, value.next);
  }
  return { value: { name: callee.value, args, keywords }, next: next + 1 };
}

/** `Name(` or `a.b.Name(`: its name is the last part. */
function calleeOf(tokens: readonly Token[], index: number): Read<string> | undefined {
  let at = index;
  while (tokens[at]?.type === "name" && tokens[at + 1]?.text === ".") at += 2;
  const name = tokens[at];
  if (name?.type !== "name" || tokens[at + 1]?.text !== "(") return undefined;
  return { value: name.text, next: at + 2 };
}

function behindComma({ tokens }: Code, index: number): number {
  return tokens[index]?.text === "," ? index + 1 : index;
}
