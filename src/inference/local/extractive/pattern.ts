// A short text that a regular expression matches. Covers what schemas use: literals, classes, groups, alternatives, repetition, anchors.
//
// Not look-around or back-references: the caller validates. Linear in the pattern; bounded by MAX_LENGTH.

/** Longest text that is made. */
const MAX_LENGTH = 2_000;

/** A text for the pattern, at least `least` characters where a repetition allows it; undefined for what it does not cover. */
export function matchOf(pattern: string, least = 0): string | undefined {
  const made = generate(pattern, 0);
  if (made === undefined || made.length >= least) return made;
  const open = /(?:\*|\+|\{\d+,\d*\})\$?$/.test(pattern) ? least - made.length : 0;
  return open > 0 ? generate(pattern, Math.min(open, MAX_LENGTH)) : made;
}

type Reader = { readonly pattern: string; at: number; extra: number };

function generate(pattern: string, extra: number): string | undefined {
  const reader: Reader = { pattern, at: 0, extra };
  const text = readAlternatives(reader);
  return text === undefined || reader.at < pattern.length || text.length > MAX_LENGTH
    ? undefined
    : text;
}

/** The first alternative; the others are read over. */
function readAlternatives(reader: Reader): string | undefined {
  const first = readSequence(reader);
  if (first === undefined) return undefined;
  while (reader.pattern[reader.at] === "|") {
    const other: Reader = { ...reader, at: reader.at + 1, extra: 0 };
    if (readSequence(other) === undefined) return undefined;
    reader.at = other.at;
  }
  return first;
}

function readSequence(reader: Reader): string | undefined {
  let text = "";
  while (
    reader.at < reader.pattern.length &&
    reader.pattern[reader.at] !== "|" &&
    reader.pattern[reader.at] !== ")"
  ) {
    const atom = readAtom(reader);
    if (atom === undefined) return undefined;
    const times = readTimes(reader);
    if (times === undefined) return undefined;
    text += atom.repeat(times);
    if (text.length > MAX_LENGTH) return undefined;
  }
  return text;
}

function readAtom(reader: Reader): string | undefined {
  const char = reader.pattern[reader.at++] ?? "";
  switch (char) {
    case "^":
    case "$":
      return "";
    case ".":
      return "x";
    case "(":
      return readGroup(reader);
    case "[":
      return readClass(reader);
    case "\\":
      return readEscape(reader);
    case "*":
    case "+":
    case "?":
      return undefined;
    default:
      return char;
  }
}

function readGroup(reader: Reader): string | undefined {
  const kind = /^\?(?::|<\w+>)/.exec(reader.pattern.slice(reader.at))?.[0] ?? "";
  if (reader.pattern[reader.at] === "?" && !kind) return undefined; // look-around
  reader.at += kind.length;
  const text = readAlternatives(reader);
  return text !== undefined && reader.pattern[reader.at++] === ")" ? text : undefined;
}

/** A character of [a-z0-9_]: its first. Of [^…]: one that is not in it. */
function readClass(reader: Reader): string | undefined {
  const match = /^\^?\]?(?:\\.|[^\]\\])*\]/.exec(reader.pattern.slice(reader.at))?.[0];
  if (match === undefined) return undefined;
  reader.at += match.length;
  const source = `[${match}`;
  const explicit = /^\[\^?(\\?.)/.exec(source)?.[1] ?? "";
  try {
    const set = new RegExp(`^${source}$`, "u"); // one character against one class: cannot run away
    return [...CANDIDATES, explicit].find((candidate) => set.test(candidate));
  } catch {
    return undefined; // not a class of this dialect
  }
}

const CANDIDATES: readonly string[] = Array.from("a0A_-. x1:/@#+,;!?'\"()");

function readEscape(reader: Reader): string | undefined {
  const char = reader.pattern[reader.at++] ?? "";
  if (char === "p" || char === "P") {
    const name = /^\{[^}]+\}/.exec(reader.pattern.slice(reader.at))?.[0] ?? "";
    reader.at += name.length;
    return firstMatching(`\\${char}${name}`);
  }
  if (/[dDwWsS]/.test(char)) return firstMatching(`\\${char}`);
  if (char === "b") return "";
  if (/[1-9kux]/.test(char)) return undefined;
  return ESCAPES[char] ?? char;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  f: "\f",
  v: "\v",
  "0": "\0",
};

function firstMatching(set: string): string | undefined {
  try {
    const pattern = new RegExp(`^${set}$`, "u");
    return CANDIDATES.find((candidate) => pattern.test(candidate));
  } catch {
    return undefined; // not a set of this dialect
  }
}

/** How often the atom before comes: the least, and more where a text must be longer. */
function readTimes(reader: Reader): number | undefined {
  const match = /^(?:[*+?]|\{(\d+)(,(\d*))?\})\??/.exec(reader.pattern.slice(reader.at));
  if (!match) return 1;
  reader.at += match[0].length;
  const [said, low, open, high] = match;
  if (low === undefined)
    return said.startsWith("+") ? 1 + reader.extra : said.startsWith("*") ? reader.extra : 0;
  const least = Number(low);
  const most = open === undefined ? least : high ? Number(high) : Number.POSITIVE_INFINITY;
  return least > MAX_LENGTH ? undefined : Math.min(least + reader.extra, most);
}
