// Arguments of a tool call from the tool's JSON Schema and the task. Pure.
//
// Invariants
//   G1  An argument stands in the task, stands under its label in the conversation, or is stated by the schema.
//   G2  A name in the task is handed over once: two places of one call never take the same one.

import type { Json, JsonObject } from "../../../json.ts";
import type { ToolSpec } from "../../model/message.ts";
import type { Assignment } from "./assignment.ts";
import { type Item, readItems } from "./field.ts";
import { type Filled, fillSchema } from "./fill.ts";
import { fitNumber } from "./fit-number.ts";
import { fitText } from "./fit-text.ts";
import type { Line } from "./line.ts";
import { numberOf, numbersFor, valuesFor } from "./lookup.ts";
import { readable, readLines } from "./material.ts";
import { roleOf, slotTerms } from "./slot-role.ts";
import { isDenied, statedIn, truthOf } from "./statement.ts";
import { coverage, keywordsOf, optionTerms, termsOf } from "./term.ts";
import { wordsFor } from "./task-word.ts";
import type { Slot, Valuer } from "./valuer.ts";

/** Most characters of a task that are searched, and of a task and a context that are handed to a tool. */
const MAX_TASK = 2_000;
const MAX_CONTEXT = 8_000;

/** What a call asks for. */
export type Wish = {
  readonly query: string;
  /** True when the request demands a call: then the task's topic is handed over where no name fits. */
  readonly isForced: boolean;
};

/** Arguments for one call, or the names of the required ones that neither the task nor the schema gives. */
export function fillArguments(tool: ToolSpec, assignment: Assignment, wish: Wish): Filled {
  return fillSchema(tool.parameters, createArgumentValuer(assignment, wish), {
    branch: 0,
    isMinimal: false,
  });
}

/** What arguments are taken from. `taken` holds the words that are handed over (G2). */
type Brief = Wish & {
  readonly assignment: Assignment;
  readonly task: string;
  readonly lines: readonly Line[];
  readonly items: readonly Item[];
  readonly wanted: ReadonlySet<string>;
  readonly taken: Set<string>;
};

function createArgumentValuer(assignment: Assignment, wish: Wish): Valuer {
  const task = assignment.task.slice(0, MAX_TASK);
  const own = [{ name: "task", text: task }];
  const brief: Brief = {
    ...wish,
    assignment,
    task,
    lines: readLines(own),
    items: readItems([...own, ...readable(assignment.sections, assignment.results)]),
    wanted: new Set(termsOf(`${assignment.task} ${assignment.expected}`)),
    taken: new Set(),
  };
  const valuer: Valuer = {
    text: (slot) => textFor(slot, brief),
    number(slot) {
      const labelled = valuesFor(slot, brief.items).flatMap((value) => numberOf(value) ?? []);
      return fitNumber(slot.schema, [...labelled, ...numbersFor(slot, brief.lines)]);
    },
    flag: (slot) => flagFor(slot, brief),
    choice: (slot, options) => bestChoice(slot, options, brief.wanted),
    count: () => 1,
    // An optional argument narrows a search: only what names the search itself is filled, or what has a default or a match.
    wants: (slot) => roleOf(slot.name) === "query" || isNamed(slot, brief.wanted),
    keys: () => [],
    item: () => valuer,
  };
  return valuer;
}

function textFor(slot: Slot, brief: Brief): string | undefined {
  const { schema } = slot;
  const standard = typeof schema["default"] === "string" ? schema["default"] : undefined;
  switch (roleOf(slot.name)) {
    case "query":
    case "keyword":
      return fitText(schema, brief.query ? [brief.query] : []) ?? standard;
    case "task":
      return fitText(schema, [brief.task, brief.query]);
    case "context":
      return fitText(schema, [contextOf(brief.assignment)]);
    default: {
      const labelled = fitText(schema, valuesFor(slot, brief.items).map(String));
      return labelled ?? standard ?? takeWord(slot, brief);
    }
  }
}

/** The first words of the task that fit the slot and are not handed over yet (G2). */
function takeWord(slot: Slot, { task, query, taken, isForced }: Brief): string | undefined {
  const { exact, whole } = wordsFor(slot, task);
  const topic = isForced ? [query || keywordsOf(task).join(" ")] : [];
  const free = exact.filter((word) => !taken.has(word));
  const found = fitText(slot.schema, [...free, ...whole, ...topic].filter(Boolean));
  if (found !== undefined && free.includes(found)) taken.add(found);
  return found;
}

function contextOf({ sections }: Assignment): string {
  const texts = sections.map(({ name, text }) => `${name}: ${text.trim()}`);
  return texts.join("\n\n").slice(0, MAX_CONTEXT);
}

/** A switch that the task or a label sets: "a deep search", "not deep", "deep: yes". */
function flagFor(slot: Slot, { items, lines }: Brief): boolean | undefined {
  const [labelled] = valuesFor(slot, items).flatMap((value) => truthOf(`${value}`) ?? []);
  if (labelled !== undefined) return labelled;
  const terms = slotTerms(slot.name, undefined);
  const line = lines.find((one) => coverage(terms, one.terms) === 1);
  if (line) return statedIn(line.text, terms) ?? !isDenied(line.text);
  const standard = slot.schema["default"];
  return typeof standard === "boolean" ? standard : undefined;
}

/** True for an optional choice that the task names. */
function isNamed({ name, schema }: Slot, wanted: ReadonlySet<string>): boolean {
  const node = propertyOf(schema, name);
  const options = Array.isArray(node["enum"]) ? node["enum"] : [];
  if (typeof node["default"] === "number") return true;
  return options.some(
    (option) => typeof option === "string" && coverage(optionTerms(option), wanted) === 1,
  );
}

function propertyOf(schema: JsonObject, name: string): JsonObject {
  const properties = schema["properties"];
  const all = properties as Readonly<Record<string, JsonObject>> | undefined; // `as`: a schema's properties are schemas
  const node = all && Object.hasOwn(all, name) ? all[name] : undefined;
  return typeof node === "object" && node !== null ? node : {};
}

/** The option that has the most words of the task, then the default, then null. None where the task speaks of no option. */
function bestChoice(
  { schema }: Slot,
  options: readonly Json[],
  wanted: ReadonlySet<string>,
): Json | undefined {
  const worth = (option: Json): number => coverage(optionTerms(option), wanted);
  const [best] = options.toSorted((a, b) => worth(b) - worth(a));
  if (best !== undefined && worth(best) > 0) return best;
  return (
    options.find((option) => option === schema["default"]) ??
    options.find((option) => option === null)
  );
}
