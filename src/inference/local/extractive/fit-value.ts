// Numbers and strings that keep the bounds of their schema.

import type { JsonObject } from "../../../json.ts";
import { matchOf } from "./pattern.ts";
import { numberAt } from "./shape.ts";

/** Longest string that is made for a `minLength`. In characters. */
const MAX_PADDED = 20_000;

/**
 * The wanted number when it is within the bounds; else, for a required slot, the default or the number nearest to 0 that is.
 * A number out of bounds is not bent into them: it would say something that no text says.
 */
export function fitNumber(
  schema: JsonObject,
  wanted: number | undefined,
  isRequired: boolean,
): number | undefined {
  const isFit = (value: number): boolean => isWithin(schema, value);
  if (wanted !== undefined && isFit(wanted)) return wanted;
  const standard = schema["default"];
  if (typeof standard === "number" && isFit(standard)) return standard;
  if (!isRequired) return undefined;
  const { low, high } = boundsOf(schema);
  const step = numberAt(schema, "multipleOf") ?? (schema["type"] === "integer" ? 1 : undefined);
  // Steps are counted in whole numbers and rounded: 3 × 0.1 is 0.30000000000000004.
  const at = (count: number): number => Number((count * (step ?? 1)).toPrecision(12));
  const candidates =
    step === undefined
      ? [0, low, high, low + 1, high - 1, (low + high) / 2]
      : [0, ...stepsWithin(low, high, step).map(at)];
  return candidates.find((value) => Number.isFinite(value) && isFit(value));
}

/** The lowest and the highest number of steps within the bounds, and their neighbours, for bounds that are excluded. */
function stepsWithin(low: number, high: number, step: number): number[] {
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return [first, first + 1, last, last - 1];
}

/** Another number within the bounds for each variant, so that a list can hold distinct ones. */
export function varyNumber(schema: JsonObject, variant: number): number | undefined {
  const least = fitNumber(schema, undefined, true);
  if (least === undefined || variant === 0) return least;
  const { low, high } = boundsOf(schema);
  const step = numberAt(schema, "multipleOf") ?? (schema["type"] === "integer" ? 1 : undefined);
  const share = low + ((high - low) * variant) / (variant + 2);
  const near = [least + variant * (step ?? 1), least - variant * (step ?? 1), share];
  return near.find((value) => Number.isFinite(value) && isWithin(schema, value));
}

/**
 * The first text within the length bounds; else the last one cut at a word, or a text made for the pattern or the format.
 * undefined for an optional slot that no text fits.
 */
export function fitText(
  schema: JsonObject,
  texts: readonly string[],
  isRequired: boolean,
): string | undefined {
  const { format, pattern } = schema;
  if (typeof pattern === "string") return fitPattern(schema, texts, pattern, isRequired);
  if (typeof format === "string" && Object.hasOwn(FORMATS, format))
    return fitFormat(format, texts, isRequired);
  const least = numberAt(schema, "minLength") ?? 0;
  const most = numberAt(schema, "maxLength") ?? Number.POSITIVE_INFINITY;
  const fit = texts.find((text) => lengthOf(text) >= least && lengthOf(text) <= most);
  if (fit !== undefined) return fit;
  const [first] = texts;
  if (first === undefined && !isRequired) return undefined;
  const long = texts.filter((text) => lengthOf(text) > most);
  const short = long.at(-1);
  if (short !== undefined) return padded(cutAtWord(short, most), least, most);
  return padded(texts.toSorted((a, b) => b.length - a.length)[0] ?? "none", least, most);
}

type Format = { readonly found: RegExp; readonly least: string };

/** What counts as found in a text, and what stands where a required slot has none: values that say that they are none. */
const FORMATS: Readonly<Record<string, Format>> = {
  date: { found: /\b\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])\b/, least: "1970-01-01" },
  "date-time": {
    found: /\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})/,
    least: "1970-01-01T00:00:00Z",
  },
  time: { found: /\b\d{2}:\d{2}:\d{2}Z/, least: "00:00:00Z" },
  duration: { found: /\bP(?:\d+[YMWD])+\b/, least: "P0D" },
  email: { found: /\b[\w.+-]+@[\w-]+(?:\.[a-z]{2,})+\b/i, least: "none@example.invalid" },
  hostname: { found: /\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b/, least: "example.invalid" },
  ipv4: {
    found: /\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b/,
    least: "0.0.0.0",
  },
  ipv6: { found: /::1\b/, least: "::" },
  uri: { found: /https?:\/\/[^\s\])>"',]+[^\s\])>"',.]/, least: "about:blank" },
  url: { found: /https?:\/\/[^\s\])>"',]+[^\s\])>"',.]/, least: "about:blank" },
  "uri-reference": { found: /(?:https?:\/\/)?[\w.-]+\/[\w./#-]+/, least: "#" },
  uuid: {
    found: /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/i,
    least: "00000000-0000-0000-0000-000000000000",
  },
};

function fitFormat(
  format: string,
  texts: readonly string[],
  isRequired: boolean,
): string | undefined {
  const known = FORMATS[format];
  const found = texts
    .map((text) => known?.found.exec(text)?.[0])
    .find((match) => match !== undefined);
  return found ?? (isRequired ? known?.least : undefined);
}

/**
 * A text is tried against a pattern only when the pattern cannot run away: no repeated group, few repetitions. Patterns come with
 * a request, and a repeated group over a long text can take hours.
 */
function fitPattern(
  schema: JsonObject,
  texts: readonly string[],
  pattern: string,
  isRequired: boolean,
): string | undefined {
  const least = numberAt(schema, "minLength") ?? 0;
  const most = numberAt(schema, "maxLength") ?? Number.POSITIVE_INFINITY;
  const isTame = !/\)[*+{?]/.test(pattern) && (pattern.match(/[*+{]/g)?.length ?? 0) <= 2;
  const fit = isTame
    ? texts.find(
        (text) =>
          text.length <= 1_000 &&
          lengthOf(text) >= least &&
          lengthOf(text) <= most &&
          matches(pattern, text),
      )
    : undefined;
  if (fit !== undefined || !isRequired) return fit;
  return matchOf(pattern, least);
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return false; // a pattern that is none fits nothing; validation says so
  }
}

function isWithin(schema: JsonObject, value: number): boolean {
  const step = numberAt(schema, "multipleOf");
  const { low, high } = boundsOf(schema);
  const isOutside =
    value < low ||
    value > high ||
    value === numberAt(schema, "exclusiveMinimum") ||
    value === numberAt(schema, "exclusiveMaximum");
  if (isOutside || (schema["type"] === "integer" && !Number.isInteger(value))) return false;
  // The remainder of decimals is not exact: 0.3 % 0.1 is 0.09999999999999998.
  return step === undefined || Math.abs(value / step - Math.round(value / step)) < 1e-9;
}

function boundsOf(schema: JsonObject): { readonly low: number; readonly high: number } {
  const low = Math.max(
    numberAt(schema, "minimum") ?? Number.NEGATIVE_INFINITY,
    numberAt(schema, "exclusiveMinimum") ?? Number.NEGATIVE_INFINITY,
  );
  const high = Math.min(
    numberAt(schema, "maximum") ?? Number.POSITIVE_INFINITY,
    numberAt(schema, "exclusiveMaximum") ?? Number.POSITIVE_INFINITY,
  );
  return { low, high };
}

/** At a word's end when there is one; JSON Schema counts code points. */
function cutAtWord(text: string, most: number): string {
  const cut = Array.from(text).slice(0, most).join("");
  const atWord = cut.slice(0, Math.max(0, cut.lastIndexOf(" "))).replace(/[\s,;:([]+$/, "");
  return atWord.length >= most / 2 ? atWord : cut;
}

function padded(text: string, least: number, most: number): string {
  const unit = text || ".";
  const times = Math.ceil(Math.min(least, MAX_PADDED) / lengthOf(unit));
  const long = lengthOf(text) >= least ? text : Array.from({ length: times }, () => unit).join(" ");
  return Array.from(long).slice(0, Math.min(most, MAX_PADDED)).join("");
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
