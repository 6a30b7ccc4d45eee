// Strings that keep the lengths, the pattern and the format of their schema, and stand in a text that is given. Nothing is made up.

import { z } from "zod";
import type { JsonObject } from "../../../json.ts";
import { numberAt } from "./shape.ts";
import { lengthOf, runsOf, runWithin } from "./span.ts";

/** Longest text, and longest run of its words, that is tried against a pattern. In characters. */
const LONGEST_WHOLE = 1_000;
const LONGEST_RUN = 60;
/** A shorter piece of a sentence says nothing any more. In characters. */
const SHORTEST_CUT = 12;
/** Most candidates that are tried. */
const MAX_CANDIDATES = 30_000;

/** True for a schema that wants a piece of a text: a pattern, or a format that is known here. */
export function wantsPiece({ format, pattern }: JsonObject): boolean {
  const isFormat = typeof format === "string" && Object.hasOwn(FORMATS, format);
  return isFormat || typeof pattern === "string";
}

/**
 * The first text within the length bounds; else whole words of one that is too long. For a pattern or a format it is the first piece
 * of a text that fits.
 */
export function fitText(schema: JsonObject, texts: readonly string[]): string | undefined {
  return wantsPiece(schema) ? piecesOf(schema, texts)[0] : plain(schema, texts);
}

/** What of a text counts as a value of a format. */
const FORMATS: Readonly<Record<string, RegExp>> = {
  date: /\b\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])\b/g,
  "date-time": /\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})/g,
  time: /\b\d{2}:\d{2}:\d{2}Z/g,
  duration: /\bP(?:\d+[YMWD])+\b/g,
  email: /\b[\w.+-]{1,64}@[\w-]+(?:\.[a-z]{2,})+\b/gi,
  hostname: /\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b/gi,
  ipv4: /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\.?\d)/g,
  ipv6: /::1\b/g,
  uri: /https?:\/\/[^\s\])>"',]+[^\s\])>"',.]/g,
  url: /https?:\/\/[^\s\])>"',]+[^\s\])>"',.]/g,
  "uri-reference": /(?:https?:\/\/)?[\w.-]+\/[\w./#-]+/g,
  uuid: /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
};

function plain(schema: JsonObject, texts: readonly string[]): string | undefined {
  const { least, most } = lengthsOf(schema);
  const fit = texts.find((text) => lengthOf(text) >= least && lengthOf(text) <= most);
  if (fit !== undefined || most < SHORTEST_CUT) return fit;
  const long = texts.filter((text) => lengthOf(text) > most);
  return long
    .toReversed()
    .map((text) => runWithin(text, least, most))
    .find((run) => run !== undefined);
}

/** What fits a pattern or a format, each once: whole texts first, then pieces of them. */
export function piecesOf(schema: JsonObject, texts: readonly string[]): string[] {
  const { format, pattern } = schema;
  const { least, most } = lengthsOf(schema);
  const found = typeof format === "string" ? FORMATS[format] : undefined;
  const candidates = found
    ? texts.flatMap((text) => text.match(found) ?? [])
    : [...texts.filter((text) => text.length <= LONGEST_WHOLE), ...shortRuns(texts)];
  const isFit = (text: string): boolean =>
    lengthOf(text) >= least &&
    lengthOf(text) <= most &&
    (typeof pattern !== "string" || matches(pattern, text));
  return [...new Set(candidates.slice(0, MAX_CANDIDATES).filter(isFit))];
}

function shortRuns(texts: readonly string[]): string[] {
  const runs: string[] = [];
  for (const text of texts) {
    if (runs.length >= MAX_CANDIDATES) break;
    runs.push(...runsOf(text).filter((run) => run !== "" && run.length <= LONGEST_RUN));
  }
  return runs;
}

/**
 * A text is tried against a pattern only when the pattern cannot run away: no repeated group, few open repetitions. Patterns come
 * with a request, and a repeated group over a long text can take hours.
 */
function matches(pattern: string, text: string): boolean {
  const open = pattern.match(/(?<!\(|\\)\?|(?<!\\)[*+]|\{\d+,\d*\}/g)?.length ?? 0;
  const isTame = !/\)(?:[*+]|\{)/.test(pattern) && open <= (text.length <= LONGEST_RUN ? 4 : 2);
  if (!isTame && pattern !== z.regexes.email.source) return false;
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return false; // a pattern that is none fits nothing; validation says so
  }
}

function lengthsOf(schema: JsonObject): { readonly least: number; readonly most: number } {
  return {
    least: numberAt(schema, "minLength") ?? 0,
    most: numberAt(schema, "maxLength") ?? Number.POSITIVE_INFINITY,
  };
}
