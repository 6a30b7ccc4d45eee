// What a property is for, by its name.

import { termsOf } from "./term.ts";

/** The parts that properties play in the schemas of agents and tools. */
export type SlotRole =
  | "source"
  | "section"
  | "title"
  | "keyword"
  | "long"
  | "query"
  | "task"
  | "context"
  | "place"
  | "confidence"
  | "issue"
  | "sentence";

/** The first that fits names the role; the order matters. */
const ROLES: readonly (readonly [role: SlotRole, pattern: RegExp])[] = [
  [
    "issue",
    /^(?:issues?|problems?|errors?|concerns?|unsupported|removed|violations?|missing|corrections?)$/,
  ],
  [
    "source",
    /^(?:sources?|citations?|cites?|url|urls|uri|link|links|references?|file|files|path|document|documents|doc|docs|origin)$/,
  ],
  ["section", /^(?:section|sections|heading|headings|chapter)$/],
  ["keyword", /^(?:keywords?|tags?|topics|terms?|labels)$/],
  ["query", /^(?:query|q|queries|search|question|phrase)$/],
  ["title", /^(?:title|name|headline|topic|subject|label)$/],
  ["confidence", /^(?:confidence|score|relevance|probability|certainty)$/],
  ["place", /^(?:index|rank|position|order|step|nr|no|id)$/],
  ["task", /^(?:task|instruction|instructions|prompt|request|assignment)$/],
  ["context", /^(?:context|background)$/],
  [
    "long",
    /^(?:summary|report|text|content|body|answer|overview|conclusion|description|explanation|article|introduction|result|output|analysis|message|draft|final|corrected|revised)$/,
  ],
];

/** The role of a property: that of its whole name, else of its last word (`sourceUrl`, `review_summary`). */
export function roleOf(name: string): SlotRole {
  const words = wordsIn(name);
  return roleNamed(words.join("")) ?? roleNamed(words.at(-1)) ?? roleNamed(words[0]) ?? "sentence";
}

function roleNamed(word = ""): SlotRole | undefined {
  return ROLES.find(([, pattern]) => pattern.test(word))?.[0];
}

/** Comparable terms of a property's name and description. */
export function slotTerms(name: string, description: unknown): ReadonlySet<string> {
  return new Set(
    termsOf(`${wordsIn(name).join(" ")} ${typeof description === "string" ? description : ""}`),
  );
}

function wordsIn(name: string): string[] {
  return name
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[\s_.-]+/)
    .filter(Boolean);
}
