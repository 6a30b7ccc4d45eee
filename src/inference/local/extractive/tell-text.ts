// The texts that fit a slot: values under its label, names, sentences, whole passages. Word for word, the best first.

import { type Bench, type Evidence, type Focus, nextUnit } from "./bench.ts";
import { citeSentence } from "./cite.ts";
import { valuesFor } from "./lookup.ts";
import type { Sentence } from "./material.ts";
import { numberAt } from "./shape.ts";
import { roleOf } from "./slot-role.ts";
import { lengthOf } from "./span.ts";
import { inReadingOrder, sectionsOf, sourcesOf, type Unit } from "./unit.ts";
import type { Slot } from "./valuer.ts";

/** Sentences of a long text. */
const LONG_SENTENCES = 5;

/** The texts that stand under the slot's label; for an item of a list the one at its place. */
export function labelledTexts(slot: Slot, { evidence }: Bench, focus: Focus | undefined): string[] {
  if (focus?.type === "unit") return [];
  const values = valuesFor(slot, focus ? [focus.item] : evidence.items).map(String);
  if (!slot.isItem) return values;
  // "tags: gpu, memory": one value that lists several.
  const listed = values.flatMap((value) => (value.length < 200 ? value.split(/[,;]\s+/) : [value]));
  return listed.slice(slot.index, slot.index + 1);
}

/** The texts that fit the slot without standing under its label. */
export function textsFor(slot: Slot, bench: Bench, own: Focus | undefined): readonly string[] {
  if (own?.type === "item") return roleOf(slot.name) === "source" ? [own.item.source] : [];
  const texts = namedTexts(slot, bench, own);
  const least = numberAt(slot.schema, "minLength") ?? 0;
  if (texts.length === 0 || texts.some((text) => lengthOf(text) >= least)) return texts;
  const long = extended(slot, bench, least);
  return long === undefined ? texts : [long, ...texts];
}

type UnitFocus = Extract<Focus, { readonly type: "unit" }>;

function namedTexts(slot: Slot, bench: Bench, focus: UnitFocus | undefined): readonly string[] {
  const { evidence } = bench;
  const units = focus ? [focus.unit] : evidence.pool;
  const at = (values: readonly string[]): readonly string[] =>
    focus ? values : values.slice(slot.index, slot.index + 1);
  switch (roleOf(slot.name)) {
    case "source":
      return at(sourcesOf(units));
    case "section":
      return at(sectionsOf(units));
    case "keyword":
      return evidence.keywords.slice(slot.index, slot.index + 1);
    case "query":
    case "task":
      return units.length > 0 && evidence.keywords.length > 0 ? [evidence.keywords.join(" ")] : [];
    case "title":
      return units.length === 0 ? [] : titles(evidence, units, focus !== undefined);
    case "long":
      return focus
        ? sentences(slot, bench, focus)
        : [...longTexts(evidence), ...sentences(slot, bench, focus)];
    default:
      return sentences(slot, bench, focus);
  }
}

/** A sentence for the slot, then shorter texts. The first slot of an item takes the item's own sentence, the next ones take new ones. */
function sentences(slot: Slot, bench: Bench, focus: UnitFocus | undefined): string[] {
  const unit = focus && !focus.isTold ? focus.unit : nextUnit(slot, bench, focus);
  if (!unit) return [];
  if (focus) focus.isTold = true;
  bench.used.add(unit);
  const shortest = bench.evidence.pool.reduce(
    (short, other) => (other.text.length < short.text.length ? other : short),
    unit,
  );
  const cited = hasSourceBeside(slot) ? [] : [citedText(unit)];
  return [...cited, unit.text, shortest.text];
}

function hasSourceBeside({ siblings }: Slot): boolean {
  return siblings.some((name) => roleOf(name) === "source");
}

function citedText(unit: Unit): string {
  return unit.sentences.map(citeSentence).join(" ");
}

/** Several sentences in reading order; the longest text first. */
function longTexts({ pool, scale }: Evidence): string[] {
  const most = Math.max(1, Math.round(LONG_SENTENCES * scale));
  const chosen = pool.slice(0, most);
  return chosen.map((_, index) => inReadingOrder(chosen.slice(0, chosen.length - index)));
}

/**
 * The best sentences, one behind the other until the text has its least length: a short text is extended with what the sources say
 * besides, never padded. undefined when all that fits is not enough.
 */
function extended(slot: Slot, { evidence }: Bench, least: number): string | undefined {
  const most = numberAt(slot.schema, "maxLength") ?? Number.POSITIVE_INFINITY;
  const said = new Set<Sentence>();
  let text = "";
  for (const unit of evidence.pool) {
    const fresh = unit.sentences.filter((sentence) => !said.has(sentence));
    const more = fresh.map((one) => (hasSourceBeside(slot) ? one.text : citeSentence(one)));
    const longer = [text, ...more].filter(Boolean).join(" ");
    if (lengthOf(longer) > most) continue;
    text = longer;
    for (const sentence of fresh) said.add(sentence);
    if (lengthOf(text) >= least) return text;
  }
  return undefined;
}

function titles(evidence: Evidence, units: readonly Unit[], isItem: boolean): string[] {
  const topic = evidence.keywords.slice(0, 8).join(" ");
  const own = sectionsOf(units.slice(0, 1));
  const all = isItem ? [...own, topic] : [topic, ...own];
  return all.filter(Boolean).map((text) => text.charAt(0).toUpperCase() + text.slice(1));
}
