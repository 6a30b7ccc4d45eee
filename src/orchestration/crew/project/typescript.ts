// Values and names as TypeScript.

import type { Json } from "../../../json.ts";

/** The code of a value. Texts of several lines stand in backticks, so that they can be read. */
export function toLiteral(value: Json, depth = 0): string {
  if (typeof value === "string") return textLiteral(value);
  if (typeof value !== "object" || value === null) return String(value);
  const items = Array.isArray(value)
    ? value.map((item: Json) => toLiteral(item, depth + 1))
    : Object.entries(value).flatMap(([key, item]) =>
        item === undefined ? [] : [`${keyCode(key)}: ${toLiteral(item, depth + 1)}`],
      );
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (items.length === 0) return `${open}${close}`;
  const line = items.join(", ");
  const space = open === "{" ? " " : "";
  if (line.length <= MAX_LINE && !line.includes("\n"))
    return `${open}${space}${line}${space}${close}`;
  const indent = "  ".repeat(depth + 1);
  return `${open}\n${items.map((item) => `${indent}${item},\n`).join("")}${"  ".repeat(depth)}${close}`;
}

const MAX_LINE = 80;

function textLiteral(text: string): string {
  if (!text.includes("\n") || /\r/.test(text))
    return JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
  return `\`${text.replaceAll(/[\\`]|\$(?=\{)/g, "\\$&")}\``;
}

/** The code of a key of an object. */
export function keyCode(key: string): string {
  // "__proto__" without brackets would set the prototype.
  if (key === "__proto__") return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
}

/** A comment with a line break where a line would be over 120 characters. Each line ends with one. */
export function comment(text: string): string {
  const lines: string[] = [];
  let line = "//";
  for (const word of text.split(/\s+/)) {
    if (line.length + 1 + word.length > MAX_COMMENT && line.trim() !== "//") {
      lines.push(line);
      line = "//  ";
    }
    line += ` ${word}`;
  }
  return `${[...lines, line].join("\n")}\n`;
}

const MAX_COMMENT = 120;

/** Names of constants, each for one agent or task. */
export type Namer = {
  readonly agent: (key: string) => string;
  readonly task: (name: string) => string;
  readonly tool: (name: string) => string;
};

/** A namer that keeps clear of `taken`. */
export function createNamer(taken: readonly string[]): Namer {
  const used = new Set([...taken, ...RESERVED]);
  const given = new Map<string, string>();
  const nameOf = (text: string, kind: "Agent" | "Task" | "Tool"): string => {
    const known = given.get(`${kind} ${text}`);
    if (known !== undefined) return known;
    const plain = identifierOf(text) || kind.toLowerCase();
    let name = used.has(plain) ? `${plain}${kind}` : plain;
    for (let count = 2; used.has(name); count++) name = `${plain}${kind}${count}`;
    used.add(name);
    given.set(`${kind} ${text}`, name);
    return name;
  };
  return {
    agent: (key) => nameOf(key, "Agent"),
    task: (name) => nameOf(name, "Task"),
    tool: (name) => nameOf(name, "Tool"),
  };
}

/** `research_task` → researchTask. */
function identifierOf(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).filter(Boolean);
  const joined = words
    .map(
      (word, index) =>
        (index === 0 ? word.slice(0, 1).toLowerCase() : word.slice(0, 1).toUpperCase()) +
        word.slice(1),
    )
    .join("");
  return /^\d/.test(joined) ? `_${joined}` : joined;
}

/** Words that cannot name a constant of a module. */
const RESERVED: readonly string[] =
  "arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof undefined var void while with yield".split(
    " ",
  );
