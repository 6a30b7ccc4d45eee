// Reads TypeScript source just well enough to keep rules about it: code without texts and comments, imports, assertions.

/** One import of a file. */
export type Import = {
  readonly from: string;
  readonly isType: boolean;
  readonly isDynamic: boolean;
};

/** Every import and re-export of a file, types and dynamic ones included. */
export function importsOf(text: string): readonly Import[] {
  const code = withoutComments(text);
  const stated = [
    ...code.matchAll(
      /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?["']([^"']+)["']/gm,
    ),
  ];
  const dynamic = [...code.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g)];
  return [
    ...stated.map(([, type, from = ""]) => ({
      from,
      isType: type !== undefined,
      isDynamic: false,
    })),
    ...dynamic.map(([, from = ""]) => ({ from, isType: false, isDynamic: true })),
  ];
}

function withoutComments(text: string): string {
  return text.replace(/^\s*\/\/.*$/gm, "").replace(/^\s*\/\*\*?[\s\S]*?\*\//gm, "");
}

/** True when a line has an `as` that asserts a type: none of a constant, an import's or an export's new name, or of a text. */
export function isAssertion(lines: readonly string[], index: number): boolean {
  const code = lines[index] ?? "";
  if (!/\sas\s+(?!const\b)\S/.test(code)) return false;
  if (/^\s*(?:import|export)\s+(?:type\s+)?[{*]/.test(code)) return false;
  if (/\[\s*\w+ in .* as .*\]/.test(code)) return false; // keys of a mapped type
  return !isInsideOfImport(lines, index);
}

/** A name inside of `import { … } from`, over several lines. */
function isInsideOfImport(lines: readonly string[], index: number): boolean {
  for (let at = index - 1; at >= 0; at--) {
    const line = lines[at] ?? "";
    if (/^\s*(?:import|export)\s+(?:type\s+)?\{[^}]*$/.test(line)) return true;
    if (/[;}]/.test(line)) return false;
  }
  return false;
}

/** A file's code with its texts, comments and regular expressions blanked out; lines stay where they are. */
export function codeOf(text: string): string {
  let code = "";
  let at = 0;
  const blank = (until: number): void => {
    code += text.slice(at, until).replace(/[^\n]/g, " ");
    at = until;
  };
  while (at < text.length) {
    const rest = text.slice(at, at + 2);
    const [char = ""] = rest;
    if (rest === "//") blank(endOf(text, at, "\n"));
    else if (rest === "/*") blank(endOf(text, at + 2, "*/") + 2);
    else if (char === '"' || char === "'") blank(endOfText(text, at, char));
    else if (char === "`") blank(endOfTemplate(text, at));
    else if (char === "/" && /(^|[(,=:[!&|?{};\n]|\breturn)\s*$/.test(code.slice(-40)))
      blank(endOfPattern(text, at));
    else {
      code += char;
      at++;
    }
  }
  return code;
}

function endOf(text: string, from: number, mark: string): number {
  const found = text.indexOf(mark, from);
  return found < 0 ? text.length : found;
}

function endOfText(text: string, from: number, quote: string): number {
  let at = from + 1;
  while (at < text.length && text[at] !== quote) at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** What stands in its ${…} is blanked too: asserting a type there is not seen. */
function endOfTemplate(text: string, from: number): number {
  let [at, depth] = [from + 1, 0];
  for (; at < text.length; at++) {
    const char = text[at];
    if (char === "\\") at++;
    else if (depth === 0 && char === "`") return at + 1;
    else if (char === "$" && text[at + 1] === "{") {
      depth++;
      at++;
    } else if (depth > 0 && char === "{") depth++;
    else if (depth > 0 && char === "}") depth--;
    else if (depth > 0 && char === "`") at = endOfTemplate(text, at) - 1;
  }
  return at;
}

function endOfPattern(text: string, from: number): number {
  let isClass = false;
  for (let at = from + 1; at < text.length; at++) {
    const char = text[at];
    if (char === "\\") at++;
    else if (char === "[") isClass = true;
    else if (char === "]") isClass = false;
    else if (char === "/" && !isClass) return at + 1;
    else if (char === "\n") return from + 1;
  }
  return text.length;
}
