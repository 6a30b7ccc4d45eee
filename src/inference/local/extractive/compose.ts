// The text of an answer: chosen sentences, word for word, grouped by source and section, each with its citation.
//
// Pure. Headings come from the documents' sections; nothing else is added but the marker line.

import { estimateTokens } from "../../model/tokens.ts";
import { chooseUnits, type Room } from "./choose.ts";
import { citeSentence, titleOf } from "./cite.ts";
import type { Limits } from "./limit.ts";
import type { Sentence } from "./material.ts";
import { MARKER } from "./own-line.ts";
import { isAboutPaper } from "./sentence.ts";
import { countWords, distinctBy } from "./term.ts";
import { type Unit, unitsOf } from "./unit.ts";

/** What a text is made for. */
export type Brief = {
  readonly limits: Limits;
  /** Words where no limit is stated. */
  readonly defaultWords: number;
  readonly maxTokens: number;
  /** True for a sentence that an answer should begin with. */
  readonly isLead: (sentence: Sentence) => boolean;
};

/** Sentences under one heading. A run is a sentence with those that lean on it: one bullet, or a part of a paragraph. */
type Part = {
  readonly heading: string;
  readonly title: string;
  readonly runs: readonly (readonly Sentence[])[];
};

/** Room below the stated limit, because people and guardrails count words differently. */
const MARGIN = 0.97;
/** Estimated tokens of a word with its citation. */
const TOKENS_PER_WORD = 1.7;
/** One section for about this many words. */
const WORDS_PER_SECTION = 80;
/** Texts with fewer words get no headings. */
const SHORTEST_WITH_HEADINGS = 110;
/** Sentences of a paragraph, at most. */
const MAX_PARAGRAPH = 5;

/** The best answer that fits, or undefined when there is nothing to say. */
export function composeAnswer(
  sentences: readonly Sentence[],
  scores: readonly number[],
  brief: Brief,
): string | undefined {
  const { limits } = brief;
  const words = Math.floor(
    (limits.words ?? brief.defaultWords) * (limits.words === undefined ? 1 : MARGIN),
  );
  const budget = Math.min(words, Math.floor(brief.maxTokens / TOKENS_PER_WORD));
  const units = unitsOf(sentences, scores);
  let chosen = chooseUnits(units, roomFor(limits, budget));
  if (chosen.length === 0)
    chosen = units.toSorted((a, b) => a.text.length - b.text.length).slice(0, 1);
  // Headings and bullets cost words as well; the unit that was chosen last goes first.
  while (chosen.length > 1 && !fits(layOut(chosen, brief, budget), words, brief.maxTokens))
    chosen.pop();
  return chosen.length === 0 ? undefined : layOut(chosen, brief, budget);
}

function roomFor(limits: Limits, words: number): Room {
  return {
    words: words - countWords(MARKER),
    sentences: limits.sentences ?? Number.POSITIVE_INFINITY,
    units: limits.bullets ?? Number.POSITIVE_INFINITY,
    groups: limits.paragraphs ?? Math.min(8, Math.max(1, Math.round(words / WORDS_PER_SECTION))),
    floor: limits.isTarget || limits.bullets || limits.sentences ? 0.05 : 0.3,
  };
}

function fits(text: string, words: number, maxTokens: number): boolean {
  return countWords(text) <= words && estimateTokens(text) <= maxTokens;
}

function layOut(chosen: readonly Unit[], { limits, isLead }: Brief, words: number): string {
  const parts = partsOf(chosen, isLead);
  const hasHeadings =
    parts.length > 1 &&
    words >= SHORTEST_WITH_HEADINGS &&
    !limits.bullets &&
    !limits.paragraphs &&
    !limits.sentences;
  const blocks = hasHeadings ? withHeadings(parts, limits) : withoutHeadings(parts, limits);
  return [MARKER, ...blocks].join("\n\n");
}

function withHeadings(parts: readonly Part[], limits: Limits): string[] {
  const counts = Map.groupBy(parts, (part) => part.heading);
  return parts.flatMap((part) => {
    const isShared = (counts.get(part.heading)?.length ?? 0) > 1 && part.heading !== part.title;
    const heading = `### ${part.heading}${isShared ? ` (${part.title})` : ""}`;
    return [heading, ...(limits.isList ? [bullets(part.runs)] : paragraphs(part.runs))];
  });
}

function withoutHeadings(parts: readonly Part[], limits: Limits): string[] {
  const runs = parts.flatMap((part) => part.runs);
  if (limits.isList) return [bullets(runs)];
  if (limits.sentences !== undefined) return [paragraph(runs)];
  if (limits.paragraphs === undefined) return parts.flatMap((part) => paragraphs(part.runs));
  if (limits.paragraphs === parts.length) return parts.map((part) => paragraph(part.runs));
  const size = Math.ceil(runs.length / limits.paragraphs);
  return Array.from({ length: Math.ceil(runs.length / size) }, (_, at) =>
    paragraph(runs.slice(at * size, (at + 1) * size)),
  );
}

function bullets(runs: Part["runs"]): string {
  return runs.map((run) => `- ${run.map(citeSentence).join(" ")}`).join("\n");
}

function paragraph(runs: Part["runs"]): string {
  return runs.flat().map(citeSentence).join(" ");
}

/** Paragraphs of a readable length; a run is never cut. */
function paragraphs(runs: Part["runs"]): string[] {
  const made: Sentence[][] = [];
  for (const run of runs) {
    const open = made.at(-1);
    if (open && open.length + run.length <= MAX_PARAGRAPH) open.push(...run);
    else made.push([...run]);
  }
  return made.map((sentences) => paragraph([sentences]));
}

/**
 * Runs by source, then by section. A source with a lead comes first, then those that say most; in it the section with the lead, the
 * document's introduction, the sections with the best sentences, what was published about it. Inside a section the document's order holds.
 */
function partsOf(chosen: readonly Unit[], isLead: Brief["isLead"]): Part[] {
  const runs = [...Map.groupBy(chosen, (unit) => placeOf(unit.sentences[0])).values()].map(toRun);
  const hasLead = (some: Part["runs"]): number => (some.some((run) => run.some(isLead)) ? 1 : 0);
  const scores = Map.groupBy(chosen, (unit) => unit.sentences[0].sources[0] ?? "");
  const weightOf = (source: string): number =>
    (scores.get(source) ?? []).reduce((sum, unit) => sum + unit.score, 0);
  return [...Map.groupBy(runs, (run) => run[0]?.sources[0] ?? "")]
    .toSorted(([a, ofA], [b, ofB]) => hasLead(ofB) - hasLead(ofA) || weightOf(b) - weightOf(a))
    .flatMap(([source, ofSource]) =>
      sectionsIn(source, ofSource, hasLead).toSorted(
        (a, b) =>
          hasLead(b.runs) - hasLead(a.runs) ||
          isIntroduction(b) - isIntroduction(a) ||
          Number(isAboutPaper(a.heading)) - Number(isAboutPaper(b.heading)),
      ),
    );
}

function sectionsIn(
  source: string,
  runs: Part["runs"],
  hasLead: (some: Part["runs"]) => number,
): Part[] {
  const title = titleOf(
    source,
    runs.flat().map((sentence) => sentence.text),
  );
  const bySection = [...Map.groupBy(runs, (run) => run[0]?.section)];
  const parts = bySection.map(([section, ofSection]) => ({
    heading: headingOf(section) ?? title,
    title,
    runs: inOrder(ofSection),
  }));
  // Sections with a single sentence would be a heading each: together they stand under the document's name.
  const several = parts.filter((part) => part.runs.length > 1);
  const single = parts.filter((part) => part.runs.length === 1).flatMap((part) => part.runs);
  const ordered = inOrder(single).toSorted((a, b) => hasLead([b]) - hasLead([a]));
  return single.length < 2 ? parts : [...several, { heading: title, title, runs: ordered }];
}

/** 1 for the part whose section begins with the document's name: "KV cache sizing: how many agents fit" in kv-cache-sizing.md. */
function isIntroduction({ runs, title }: Part): number {
  return runs[0]?.[0]?.section?.toLowerCase().startsWith(title.toLowerCase()) ? 1 : 0;
}

/** Units with the same head are one run: its sentences in their order, each once. */
function toRun(units: readonly Unit[]): Sentence[] {
  const sentences = units.flatMap((unit) => unit.sentences);
  return distinctBy(sentences, placeOf).toSorted((a, b) => a.at - b.at);
}

function inOrder(runs: Part["runs"]): Part["runs"] {
  return runs.toSorted(
    ([a], [b]) => (a?.passage ?? 0) - (b?.passage ?? 0) || (a?.at ?? 0) - (b?.at ?? 0),
  );
}

function placeOf({ passage, at }: Sentence): string {
  return `${passage}:${at}`;
}

/** The last step of "Page › Section", without numbering. */
function headingOf(section: string | undefined): string | undefined {
  const last = section
    ?.split(/\s*[›»>]\s*/)
    .at(-1)
    ?.replace(/^\d+(?:\.\d+)*\.?\s+/, "")
    .trim();
  return last === "" ? undefined : last;
}
