// The number, the truth value and the option that fit a slot: as a label gives them, or as a sentence states them near the slot's words.

import type { Json } from "../../../json.ts";
import type { Bench, Evidence, Focus } from "./bench.ts";
import type { Field } from "./field.ts";
import type { Line } from "./line.ts";
import { linesFor, numberOf, numbersFor, valuesFor } from "./lookup.ts";
import { onlyNumber } from "./number.ts";
import { numberAt } from "./shape.ts";
import { roleOf, slotTerms } from "./slot-role.ts";
import { statedIn, truthOf } from "./statement.ts";
import { coverage, optionTerms, termsOf } from "./term.ts";
import type { Unit } from "./unit.ts";
import type { Slot } from "./valuer.ts";

/** Units that are searched for an option that no line names beside the slot's words. */
const OPTION_UNITS = 10;

/** Numbers for a slot, the best first: under its label, then near its words; in an item also the only number of its sentence. */
export function numbersToTell(slot: Slot, bench: Bench, focus: Focus | undefined): number[] {
  const { evidence } = bench;
  const said = evidence.verdict?.number(slot);
  if (said !== undefined) return [said];
  if (roleOf(slot.name) === "place" && focus) return [slot.index + 1];
  const labelled = valuesOf(slot, evidence, focus).flatMap((value) => numberOf(value) ?? []);
  const near = focus?.type === "item" ? [] : numbersFor(slot, linesOf(evidence, focus));
  // A list without a name takes the number of each sentence that has one.
  const alone = slot.isItem && slot.name === "" ? evidence.pool : [];
  const units = focus?.type === "unit" ? [focus.unit] : alone;
  const all = [...labelled, ...near, ...units.flatMap(({ text }) => onlyNumber(text) ?? [])];
  return slot.isItem
    ? [...new Set(all)].slice(slot.index)
    : [...all, ...sharesFor(slot, bench, focus)];
}

/** A confidence that no source states is the share of the task's terms that the unit has: a measure, if not certainty. */
function sharesFor(
  { name, schema }: Slot,
  { evidence }: Bench,
  focus: Focus | undefined,
): number[] {
  const isShare = !/score/i.test(name) || numberAt(schema, "maximum") === 1;
  const unit: Unit | undefined = focus?.type === "unit" ? focus.unit : evidence.pool[0];
  if (roleOf(name) !== "confidence" || !isShare || !unit || focus?.type === "item") return [];
  const share = coverage(new Set(evidence.keywords.flatMap(termsOf)), unit.terms);
  return [Math.round(100 * share) / 100];
}

/** A truth value: under the slot's label, then as a sentence states it; whether there is anything at all, for `found`; the default. */
export function flagFor(
  slot: Slot,
  { evidence }: Bench,
  focus: Focus | undefined,
): boolean | undefined {
  const { name, schema } = slot;
  const labelled = valuesOf(slot, evidence, focus).flatMap((value) =>
    typeof value === "boolean" ? value : (truthOf(`${value}`) ?? []),
  );
  const wanted = slotTerms(name.replace(AUXILIARY, ""), undefined);
  const stated = linesOf(evidence, focus).flatMap(({ text }) => statedIn(text, wanted) ?? []);
  const said = [...labelled, ...stated][slot.isItem ? slot.index : 0];
  if (said !== undefined || slot.isItem) return said;
  const { pool } = evidence;
  if (/found|available/i.test(name)) return pool.length > 0;
  if (/answered|complete|success|^ok$/i.test(name) && pool.length > 0) return true;
  return typeof schema["default"] === "boolean" ? schema["default"] : undefined;
}

const AUXILIARY = /^(?:is|has|can|does|needs|should)(?=[A-Z_])/;

/** The option that a label gives, that a line names beside the slot's words, or that one of the best units names; the default; null. */
export function choiceFor(
  slot: Slot,
  options: readonly Json[],
  { evidence }: Bench,
  focus: Focus | undefined,
): Json | undefined {
  const spoken = options
    .filter((option) => option !== null)
    .map((option) => ({ option, terms: optionTerms(option) }));
  const labelled = valuesOf(slot, evidence, focus).flatMap((value) => optionOf(value, spoken));
  const lines = linesOf(evidence, focus);
  // What nobody requires is not worth a guess: an option that stands elsewhere may be about something else.
  const elsewhere = slot.isRequired ? evidence.pool.slice(0, OPTION_UNITS) : [];
  const named = [...linesFor(slot, lines), ...(focus ? lines : elsewhere)].flatMap((line) =>
    optionIn(line, spoken),
  );
  const found = [...new Set([...labelled, ...named])];
  if (slot.isItem) return found[slot.index];
  const standard = options.filter((option) => option === slot.schema["default"] || option === null);
  return [...found, ...standard.toSorted((a) => (a === null ? 1 : -1))][0];
}

/** An option with its words. */
type Option = { readonly option: Json; readonly terms: ReadonlySet<string> };

function optionOf(value: Field["value"], options: readonly Option[]): Json[] {
  const said = `${value}`.trim().toLowerCase();
  const same = options.find(({ option }) => wordOf(option) === said);
  return same ? [same.option] : optionIn({ text: said, terms: optionTerms(said) }, options);
}

/** An option as a text writes it; undefined for null and for what is no single word or number. */
function wordOf(option: Json): string | undefined {
  return option === null || typeof option === "object" ? undefined : `${option}`.toLowerCase();
}

/** The option that a line names; none when it asks, or names several, because it then compares them. */
function optionIn({ text, terms }: Line, options: readonly Option[]): Json[] {
  if (text.trimEnd().endsWith("?")) return [];
  const named = options.filter((one) => coverage(one.terms, terms) === 1);
  return named.length === 1 ? named.map(({ option }) => option) : [];
}

function valuesOf(slot: Slot, { items }: Evidence, focus: Focus | undefined): Field["value"][] {
  if (focus?.type === "unit") return [];
  return valuesFor(slot, focus ? [focus.item] : items);
}

/** A task without sources is its own source, as when a chat message holds what is to be extracted. */
function linesOf({ lines, taskLines }: Evidence, focus: Focus | undefined): readonly Line[] {
  if (!focus) return lines.length > 0 ? lines : taskLines;
  return focus.type === "unit" ? [focus.unit] : [];
}
