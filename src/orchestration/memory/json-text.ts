// JSON as a text that can be searched: a heading for each place, "key: value" for what stands there.

import { isObject } from "../../json.ts";

/** Deeper levels are left out. */
const MAX_DEPTH = 8;

/** The value in Markdown's notation. Linear in its size. */
export function jsonToText(value: unknown): string {
  const out: string[] = [];
  write(out, value, { path: [], depth: 0 });
  return out.join("\n\n");
}

/** Lists have no name of their own: `depth` counts them, `path` does not. */
type Place = { readonly path: readonly string[]; readonly depth: number };

function write(out: string[], value: unknown, { path, depth }: Place): void {
  if (depth > MAX_DEPTH) return;
  if (!isObject(value) && !Array.isArray(value)) {
    out.push(shown(value));
    return;
  }
  const isList = Array.isArray(value);
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
  const plain = entries.filter(([, child]) => !isNested(child));
  if (path.length > 0) out.push(`## ${path.join(" ")}`);
  out.push(plain.map(([key, child]) => `- ${isList ? "" : `${key}: `}${shown(child)}`).join("\n"));
  for (const [key, child] of entries) {
    if (isNested(child)) {
      write(out, child, { path: isList ? path : [...path, key], depth: depth + 1 });
    }
  }
}

function isNested(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function shown(value: unknown): string {
  return typeof value === "string" ? value.replace(/\s+/g, " ") : JSON.stringify(value);
}
