// Arithmetic: reads and computes an expression in one pass by recursive descent. Nothing is evaluated as code.
//
//   sum      product (("+" | "-") product)*
//   product  unary (("*" | "/" | "%") unary)*
//   unary    ("-" | "+") unary | power
//   power    atom ("^" unary)?                     right-associative, binds tighter than the sign before it: -2^2 = -4
//   atom     number | constant | function "(" sum ("," sum)* ")" | "(" sum ")"

import { BosunError } from "../../error.ts";

const MAX_TEXT = 1_000;
const MAX_DEPTH = 50;
const MAX_VALUES = 100;

/**
 * The value of an expression, rounded to 15 significant digits, which is what a double holds for certain: 0.1 + 0.2 is 0.3.
 * @throws BosunError `tool/arguments` with the position of what cannot be read, or why there is no value.
 */
export function evaluate(expression: string): number {
  if (expression.length > MAX_TEXT) {
    throw wrong(`the expression has ${expression.length} characters, the limit is ${MAX_TEXT}`);
  }
  const reader: Reader = { text: normalise(expression), at: 0, depth: 0 };
  const value = readSum(reader);
  if (peek(reader) !== "") throw unexpected(reader, "an operator or the end");
  if (Number.isNaN(value)) {
    throw wrong("the result is not a real number (a root or logarithm of a negative number?)");
  }
  if (!Number.isFinite(value)) throw wrong("the result is too large for a number");
  return Number.isSafeInteger(value) ? value : Number(value.toPrecision(15));
}

type Reader = { readonly text: string; at: number; depth: number };

/** Signs as they are typeset, and Python's power. Each has one character, so that positions stay. */
function normalise(expression: string): string {
  return expression
    .replace(/[×·]/g, "*")
    .replace(/÷/g, "/")
    .replace(/[−–]/g, "-")
    .replace(/\*\*/g, " ^");
}

function readSum(reader: Reader): number {
  let value = readProduct(reader);
  for (let sign = peek(reader); sign === "+" || sign === "-"; sign = peek(reader)) {
    reader.at++;
    const right = readProduct(reader);
    value = sign === "+" ? value + right : value - right;
  }
  return value;
}

function readProduct(reader: Reader): number {
  let value = readUnary(reader);
  for (let sign = peek(reader); sign === "*" || sign === "/" || sign === "%"; sign = peek(reader)) {
    const { at } = reader;
    reader.at++;
    const right = readUnary(reader);
    if (right === 0 && sign !== "*") throw wrong(`division by zero at position ${at}`);
    value = sign === "*" ? value * right : sign === "/" ? value / right : value % right;
  }
  return value;
}

function readUnary(reader: Reader): number {
  const sign = peek(reader);
  if (sign !== "-" && sign !== "+") return readPower(reader);
  reader.at++;
  const value = nested(reader, readUnary);
  return sign === "-" ? -value : value;
}

function readPower(reader: Reader): number {
  const base = readAtom(reader);
  if (peek(reader) !== "^") return base;
  reader.at++;
  return base ** nested(reader, readUnary);
}

function readAtom(reader: Reader): number {
  if (peek(reader) === "(") {
    reader.at++;
    const value = nested(reader, readSum);
    take(reader, ")");
    return value;
  }
  const number = readPattern(reader, NUMBER);
  if (number !== undefined) return Number(number.replaceAll("_", ""));
  const start = reader.at;
  const name = readPattern(reader, NAME)
    ?.toLowerCase()
    .replace(/^math\./, "");
  if (name === undefined) throw unexpected(reader, "a number, a function or '('");
  if (peek(reader) === "(") return call(reader, name, start);
  const constant = CONSTANTS.get(name);
  if (constant === undefined) {
    throw wrong(
      `there is no constant "${name}" at position ${start}; there are ${[...CONSTANTS.keys()].join(", ")}`,
    );
  }
  return constant;
}

const NUMBER = /(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const NAME = /[a-zA-Z][a-zA-Z0-9.]{0,20}/y;

function call(reader: Reader, name: string, start: number): number {
  const found = FUNCTIONS.get(name);
  if (!found) {
    throw wrong(
      `there is no function "${name}" at position ${start}; there are ${[...FUNCTIONS.keys()].join(", ")}`,
    );
  }
  const values: number[] = [];
  do {
    reader.at++; // "(" or ","
    values.push(nested(reader, readSum));
    if (values.length > MAX_VALUES) throw wrong(`${name} has more than ${MAX_VALUES} values`);
  } while (peek(reader) === ",");
  take(reader, ")");
  const [least, most] = found.count;
  if (values.length < least || values.length > most) {
    throw wrong(
      `${name} takes ${least === most ? least : `${least} to ${most}`} values, got ${values.length}`,
    );
  }
  return found.compute(values);
}

function nested(reader: Reader, read: (reader: Reader) => number): number {
  if (++reader.depth > MAX_DEPTH) {
    throw wrong(`more than ${MAX_DEPTH} levels of brackets and signs`);
  }
  const value = read(reader);
  reader.depth--;
  return value;
}

function peek(reader: Reader): string {
  while (/\s/.test(reader.text[reader.at] ?? "")) reader.at++;
  return reader.text[reader.at] ?? "";
}

function readPattern(reader: Reader, pattern: RegExp): string | undefined {
  peek(reader);
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text)?.[0];
  reader.at += found?.length ?? 0;
  return found;
}

function take(reader: Reader, mark: string): void {
  if (peek(reader) !== mark) throw unexpected(reader, `'${mark}'`);
  reader.at++;
}

function unexpected(reader: Reader, expected: string): BosunError {
  const found = peek(reader);
  return wrong(
    `expected ${expected} at position ${reader.at}, got ${found === "" ? "the end" : JSON.stringify(found)}`,
  );
}

function wrong(what: string): BosunError {
  return new BosunError("tool/arguments", `cannot compute: ${what}`);
}

const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ["pi", Math.PI],
  ["e", Math.E],
  ["tau", 2 * Math.PI],
]);

type Operation = {
  readonly count: readonly [number, number];
  readonly compute: (values: readonly number[]) => number;
};

function unary(compute: (value: number) => number): Operation {
  return { count: [1, 1], compute: ([value = 0]) => compute(value) };
}

function anyOf(compute: (values: readonly number[]) => number): Operation {
  return { count: [1, MAX_VALUES], compute };
}

const FUNCTIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ["sqrt", unary(Math.sqrt)],
  ["cbrt", unary(Math.cbrt)],
  ["abs", unary(Math.abs)],
  ["floor", unary(Math.floor)],
  ["ceil", unary(Math.ceil)],
  ["trunc", unary(Math.trunc)],
  ["exp", unary(Math.exp)],
  ["ln", unary(Math.log)],
  ["log2", unary(Math.log2)],
  ["log10", unary(Math.log10)],
  ["sin", unary(Math.sin)],
  ["cos", unary(Math.cos)],
  ["tan", unary(Math.tan)],
  ["asin", unary(Math.asin)],
  ["acos", unary(Math.acos)],
  ["atan", unary(Math.atan)],
  ["round", { count: [1, 2], compute: ([value = 0, digits = 0]) => round(value, digits) }],
  [
    "log",
    { count: [1, 2], compute: ([value = 0, base = Math.E]) => Math.log(value) / Math.log(base) },
  ],
  ["pow", { count: [2, 2], compute: ([base = 0, exponent = 0]) => base ** exponent }],
  ["min", anyOf((values) => Math.min(...values))],
  ["max", anyOf((values) => Math.max(...values))],
  ["sum", anyOf((values) => values.reduce((sum, value) => sum + value, 0))],
  ["avg", anyOf((values) => values.reduce((sum, value) => sum + value, 0) / values.length)],
]);

/** Half away from zero, on the decimal digits: 1.005 to two digits is 1.01, which 1.005 * 100 would miss. */
function round(value: number, digits: number): number {
  const places = Math.max(-300, Math.min(300, Math.trunc(digits)));
  const [mantissa = "0", exponent = "0"] = Math.abs(value).toString().split("e");
  const scaled = Math.round(Number(`${mantissa}e${Number(exponent) + places}`));
  const rounded = Number(`${scaled}e${-places}`);
  return Number.isFinite(rounded) ? Math.sign(value) * rounded : value;
}
