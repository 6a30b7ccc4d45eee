// Checks a text against the other sources of a conversation: what has a source stays, what has none is taken out and listed. Pure.

import type { Assignment, Section } from "./assignment.ts";
import { parseBlocks } from "./block.ts";
import { citeSentence } from "./cite.ts";
import { readMaterial, readText } from "./material.ts";
import { checkedLine, MARKER, REMOVED_HEADING } from "./own-line.ts";
import { needsPredecessor, splitSentences } from "./sentence.ts";
import { createSupportCheck, type Support, type SupportCheck } from "./support.ts";
import { countWords } from "./term.ts";

/** A statement that was taken out. */
export type Removed = { readonly text: string; readonly reason: string };

/** One block of a corrected text. */
type Line =
  | { readonly type: "heading"; readonly level: number; readonly text: string }
  | {
      readonly type: "statements";
      readonly marker: string | undefined;
      readonly statements: readonly string[];
    };

/** What came of a check. */
export type Review = {
  /** The corrected text. */
  readonly lines: readonly Line[];
  readonly supported: number;
  readonly removed: readonly Removed[];
};

/** Most statements that are checked; later ones count as unchecked and are taken out. */
const MAX_STATEMENTS = 600;
/** Most characters of a removed statement that are listed. */
const MAX_SHOWN = 500;

/** The text under review: the last context section, when the role or the task asks for a check. */
export function draftOf(assignment: Assignment): Section | undefined {
  const { role, task } = assignment;
  const isAsked = ROLE.test(role) || (LEADS.test(task) && !MAKES.test(task));
  return isAsked ? assignment.sections.at(-1) : undefined;
}

const VERB = "(?:fact[- ]?check|review|verify|check|proofread|validate|audit)";
const ROLE = /\b(?:review|reviewer|verifier|checker|fact[- ]?check\w*|proofread\w*|auditor)\b/i;
/** Whoever makes a text may be told to check it: that is no review of another's. */
const MAKES =
  /^\s*(?:write|draft|compose|create|make|summari[sz]e|research|find|collect|list|explain|plan|turn)\b/i;
/** The verb begins a sentence or a clause: "Review the draft", "then check every statement". */
const LEADS = new RegExp(
  `(?:^|[.:;!?\\n]\\s*|\\b(?:and|then|to|please|carefully)\\s+)${VERB}\\b`,
  "i",
);

/** Checks the draft. undefined when there is nothing to check it against. */
export function reviewDraft(draft: Section, assignment: Assignment): Review | undefined {
  const others = assignment.sections.filter((section) => section !== draft);
  const evidence = readMaterial(others, assignment.results);
  return evidence.length > 0 ? checkText(proseOf(draft), createSupportCheck(evidence)) : undefined;
}

/** A draft of structured output as paragraphs: each of its texts with the source beside it. */
function proseOf({ name, text }: Section): string {
  const texts = readText(name, text);
  if (texts.length === 1 && texts[0]?.text === text) return text;
  return texts.map((one) => `${one.text} [${one.source}]`).join("\n\n");
}

/** The corrected text with the review's own lines, in at most `words` words where leaving out its last statements is enough. */
export function formatReview(review: Review, words: number): string {
  const list = review.removed.map((one) => `- ${removedLine(one)}`).join("\n");
  const own = [
    ...(list ? [`### ${REMOVED_HEADING}`, list] : []),
    checkedLine(review.supported, review.removed.length),
  ];
  let { lines } = review;
  let text = [MARKER, correctedText(lines), ...own].join("\n\n");
  for (let leftOut = 1; countWords(text) > words && leftOut < review.supported; leftOut++) {
    lines = withoutLast(lines);
    text = [MARKER, correctedText(lines), ...own].join("\n\n") + ` ${leftOut} left out for length.`;
  }
  return text;
}

/** A removed statement as a review lists it. */
export function removedLine({ text, reason }: Removed): string {
  const shown = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return `"${shown}" Reason: ${reason}.`;
}

/** The text of a review alone. Items of one list stand close, all else apart. */
export function correctedText(lines: Review["lines"]): string {
  if (lines.length === 0) return "No statement of the text has a source.";
  return lines
    .map((line, index) => {
      const gap = index === 0 ? "" : isItem(line) && isItem(lines[index - 1]) ? "\n" : "\n\n";
      if (line.type === "heading") return `${gap}${"#".repeat(line.level)} ${line.text}`;
      return `${gap}${line.marker === undefined ? "" : `${line.marker} `}${line.statements.join(" ")}`;
    })
    .join("");
}

function isItem(line: Line | undefined): boolean {
  return line?.type === "statements" && line.marker !== undefined;
}

function withoutLast(lines: readonly Line[]): Line[] {
  const at = lines.findLastIndex((line) => line.type === "statements");
  const shorter = lines.map((line, index) =>
    index === at && line.type === "statements"
      ? { ...line, statements: line.statements.slice(0, -1) }
      : line,
  );
  return withoutEmpty(shorter);
}

/** Without blocks that have lost all their statements, and headings over nothing. */
function withoutEmpty(lines: readonly Line[]): Line[] {
  const full = lines.filter((line) => line.type === "heading" || line.statements.length > 0);
  return full.filter((line, index) => {
    const next = full[index + 1];
    return (
      line.type !== "heading" ||
      (next !== undefined && (next.type !== "heading" || next.level > line.level))
    );
  });
}

function checkText(draft: string, check: SupportCheck): Review {
  const removed: Removed[] = [];
  let checked = 0;
  const checkBlock = (text: string): string[] => {
    const kept: string[] = [];
    let isGap = false;
    for (const sentence of splitSentences(text)) {
      const support: Support =
        checked++ < MAX_STATEMENTS
          ? check(sentence.text, sentence.cited)
          : { type: "unsupported", reason: "the text is too long to check this part" };
      const leansOnGap: boolean = isGap && needsPredecessor(sentence.text);
      isGap = support.type === "unsupported" || leansOnGap;
      if (support.type === "unsupported")
        removed.push({ text: sentence.text, reason: support.reason });
      else if (leansOnGap)
        removed.push({ text: sentence.text, reason: "it leans on a statement that was taken out" });
      else kept.push(citeSentence({ text: sentence.text, sources: support.sources }));
    }
    return kept;
  };
  const lines = parseBlocks(draft).map((block): Line => {
    if (block.type === "heading") return block;
    return {
      type: "statements",
      marker: block.type === "item" ? block.marker : undefined,
      statements: checkBlock(block.text),
    };
  });
  return { lines: withoutEmpty(lines), supported: checked - removed.length, removed };
}
