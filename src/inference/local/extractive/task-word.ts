// Words of a task that can be the argument of a tool: places, calculations, addresses, codes, names. Pure; word for word.

import { roleOf } from "./slot-role.ts";
import { termsOf } from "./term.ts";
import type { Slot } from "./valuer.ts";

/** Candidates, the best first. `exact` are single words or names; `whole` is the task itself, for a message. */
export type TaskWords = { readonly exact: readonly string[]; readonly whole: readonly string[] };

/** Most words of one kind. */
const MAX_WORDS = 20;

/** What of the task fits the slot. The patterns grow with the square of a text: the caller bounds it. */
export function wordsFor({ name, schema }: Pick<Slot, "name" | "schema">, task: string): TaskWords {
  const words = (...patterns: readonly RegExp[]): TaskWords => ({
    exact: found(task, patterns),
    whole: [],
  });
  if (/^(?:url|uri|link|href)$/i.test(name)) return words(URL_PATTERN);
  if (/^(?:path|file|filename|file_?path|directory|folder)$/i.test(name)) return words(...PATHS);
  if (roleOf(name) === "source") return words(URL_PATTERN, ...PATHS);
  if (/^(?:expression|formula|calculation)$/i.test(name)) return words(CALCULATION);
  if (/^(?:email|to|recipient)$/i.test(name)) return words(EMAIL);
  if (/^(?:message|description|content|body|text)$/i.test(name))
    return { exact: [], whole: [task] };
  if (typeof schema["pattern"] === "string" || typeof schema["format"] === "string")
    return { exact: [], whole: [task] };
  if (/(?:^|[a-z_])(?:id|number|code|key)$/i.test(name)) return words(CODE);
  return { exact: [...examplesIn(schema["examples"], task), ...found(task, NAMES)], whole: [] };
}

/** The examples of a schema that the task names. */
function examplesIn(examples: unknown, task: string): string[] {
  const said = new Set(termsOf(task));
  return (Array.isArray(examples) ? examples : []).filter(
    (example): example is string =>
      typeof example === "string" && termsOf(example).every((term) => said.has(term)),
  );
}

const URL_PATTERN = /https?:\/\/[^\s)>"']+[^\s)>"'.,]/g;
const PATHS = [
  /(?:[\w.-]+\/)+[\w.-]*\w/g,
  /\b[\w-]+\.(?:md|txt|json|ya?ml|csv|pdf|html?|ts|js|py)\b/g,
];
const CALCULATION = /[\d.()\s+*/^×÷-]*\d\s*[-+*/^×÷]\s*[\d.()\s+*/^×÷-]*\d\)?/g;
const EMAIL = /[^\s@<(]+@[^\s@]+\.\w+/g;
const CODE = /(?<![\w.-])#?[\w-]*\d[\w-]*(?![\w-])/g;
/** In quotes, then capitalised words that do not begin the task. */
const NAMES = [
  /["“'‘]([^"“”'‘’]{2,80})["”'’]/g,
  /(?<=\S\s)\p{Lu}[\p{L}\d-]+(?:\s\p{Lu}[\p{L}\d-]+)*/gu,
];

/** The first group of each match where there is one, else the match. */
function found(text: string, patterns: readonly RegExp[]): string[] {
  return patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)]
      .slice(0, MAX_WORDS)
      .map((match) => (match[1] ?? match[0]).trim())
      .filter(Boolean),
  );
}
