// From a model's text to a task's output: finds the JSON in it and checks it against the task's schema.

import { isJson, type Json, parseJson } from "../../json.ts";
import { type Schema, validate } from "../../schema.ts";

/** An answer that fits, as its JSON text, or what to mend. */
export type OutputCheck =
  | { readonly type: "valid"; readonly raw: string }
  | { readonly type: "invalid"; readonly issues: readonly string[] };

/** Checks an answer against a schema. Never rejects for a wrong answer. */
export async function checkOutput(text: string, schema: Schema): Promise<OutputCheck> {
  const value = findJson(text);
  if (value === undefined) return { type: "invalid", issues: ["the answer holds no JSON"] };
  const result = await validate(schema, value);
  return result.type === "valid" ? { type: "valid", raw: JSON.stringify(value) } : result;
}

/** The typed output of a text that was checked before. */
export async function readOutput(raw: string, schema: Schema): Promise<unknown> {
  const value = parseJson(raw);
  if (value === undefined) return undefined; // a text that there was of an answer, taken as it is
  const result = await validate(schema, value);
  return result.type === "valid" ? result.value : undefined;
}

/** The JSON of an answer: the whole text, the content of a code fence, or what lies between its outermost brackets of a kind. */
export function findJson(text: string): Json | undefined {
  const candidates = [text, inFence(text), between(text, "{", "}"), between(text, "[", "]")];
  for (const candidate of candidates) {
    const value = candidate === undefined ? undefined : parseJson(candidate.trim());
    if (isJson(value)) return value; // what is too deep to be stored is no answer
  }
  return undefined;
}

const FENCE = "```";

/** The content of the first code fence. indexOf and no pattern: linear in a text that a stranger's model wrote. */
function inFence(text: string): string | undefined {
  const open = text.indexOf(FENCE);
  if (open < 0) return undefined;
  const start = open + FENCE.length;
  const close = text.indexOf(FENCE, start);
  if (close < 0) return undefined;
  return text.slice(text.startsWith("json", start) ? start + "json".length : start, close);
}

function between(text: string, open: string, close: string): string | undefined {
  const start = text.indexOf(open);
  const end = text.lastIndexOf(close);
  return start >= 0 && end > start ? text.slice(start, end + 1) : undefined;
}
