// Cuts a document into passages: what a search finds and what a model quotes.
//
// A passage has one to four sentences of one section. Tables and code stay whole, because half of one says nothing; sections that
// list only where things come from ("Sources") are left out, because their titles match every question and answer none.

import { type Block, toBlocks } from "./markdown.ts";

/** A piece of a document. */
export type Passage = {
  /** The heading that it stands under; empty before the first one. */
  readonly section: string;
  /** All headings above it, the document's title first: searched, not shown. */
  readonly headings: string;
  readonly text: string;
};

/** Most sentences or list items of a passage. */
const MAX_UNITS = 4;
/** Most characters of a passage of prose. Docs have sentences of 100 to 200: four of them, or fewer long ones. */
const MAX_TEXT = 700;
/** Most characters of a table or a piece of code; more is cut. */
const MAX_WHOLE = 2_000;

/** The passages of a Markdown or plain text, in its order. */
export function toPassages(document: string): readonly Passage[] {
  const passages: Passage[] = [];
  let lead: { readonly headings: readonly string[]; readonly text: string } | undefined;
  const add = (headings: readonly string[], text: string): void => {
    passages.push({ section: headings.at(-1) ?? "", headings: headings.join(" "), text });
  };
  for (const { headings, block } of toBlocks(document)) {
    const [first = "", ...others] = textsOf(block);
    const isLead = block.type === "prose" && others.length === 0 && first.endsWith(":");
    const isLed = lead !== undefined && !isLead && lead.headings.join() === headings.join();
    if (lead && !isLed) add(lead.headings, lead.text);
    const text = lead && isLed ? `${lead.text}\n${first}` : first;
    lead = isLead ? { headings, text: first } : undefined; // "The flags are:" belongs to what follows it
    if (!isLead) for (const one of [text, ...others]) add(headings, one);
  }
  if (lead) add(lead.headings, lead.text);
  return passages;
}

function textsOf(block: Block): readonly string[] {
  switch (block.type) {
    case "prose":
      return group(toSentences(block.text), " ");
    case "list":
      return group(
        block.items.map((item) => `- ${item}`),
        "\n",
      );
    case "whole":
      return [block.text.length > MAX_WHOLE ? `${block.text.slice(0, MAX_WHOLE)}…` : block.text];
    default:
      return block satisfies never;
  }
}

/** Groups of at most MAX_UNITS units and MAX_TEXT characters, of about the same size: five sentences become three and two. */
function group(units: readonly string[], glue: string): readonly string[] {
  const pieces = units.flatMap(splitLong);
  const perGroup = Math.ceil(pieces.length / Math.ceil(pieces.length / MAX_UNITS));
  const groups: string[] = [];
  let count = 0;
  for (const piece of pieces) {
    const last = groups.at(-1);
    if (last === undefined || count === perGroup || last.length + piece.length >= MAX_TEXT) {
      groups.push(piece);
      count = 1;
    } else {
      groups[groups.length - 1] = `${last}${glue}${piece}`;
      count++;
    }
  }
  return groups;
}

/** A "sentence" of thousands of characters is a log or a list of numbers: it is cut between words. */
function splitLong(unit: string): readonly string[] {
  const pieces: string[] = [];
  let rest = unit;
  while (rest.length > MAX_TEXT) {
    const space = rest.lastIndexOf(" ", MAX_TEXT);
    const at = space > MAX_TEXT / 2 ? space : MAX_TEXT;
    pieces.push(rest.slice(0, at));
    rest = rest.slice(at).trimStart();
  }
  return rest === "" ? pieces : [...pieces, rest];
}

/** Words that end with a full stop and do not end a sentence. */
const ABBREVIATION = /(?:^|[\s(])(?:e\.g|i\.e|vs|cf|approx|fig|mr|mrs|dr|al|[A-Z])\.$/i;

/**
 * The sentences of a paragraph. Intl.Segmenter takes "… requests. vLLM …" for one sentence, because a small letter follows; here
 * a word with a capital or a digit anywhere in it starts a sentence.
 */
export function toSentences(text: string): readonly string[] {
  const sentences: string[] = [];
  let start = 0;
  for (const { index, 0: end } of text.matchAll(/[.!?][)"'”’\]]*\s+/g)) {
    const sentence = text.slice(start, index + end.length).trimEnd();
    const [next = ""] =
      /^\S{1,40}/.exec(text.slice(index + end.length, index + end.length + 40)) ?? [];
    if (!/[\p{Lu}\p{N}]/u.test(next) || ABBREVIATION.test(sentence.slice(-12))) continue;
    sentences.push(sentence);
    start = index + end.length;
  }
  const rest = text.slice(start).trim();
  return rest === "" ? sentences : [...sentences, rest];
}
