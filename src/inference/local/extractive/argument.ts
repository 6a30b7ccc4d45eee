// Arguments of a tool call from the tool's JSON Schema and the task. Pure.

import { isObject, type Json, type JsonObject } from "../../../json.ts";
import type { ToolSpec } from "../../model/message.ts";
import type { Assignment } from "./assignment.ts";
import { fillSchema } from "./fill.ts";
import { roleOf } from "./slot-role.ts";
import { coverage, keywordsOf, optionTerms, termsOf } from "./term.ts";
import type { Slot, Valuer } from "./valuer.ts";

/** Most characters of a task or a context that are handed to a tool. */
const MAX_TASK = 2_000;
const MAX_CONTEXT = 8_000;

/** Arguments for one call that asks for `query`. */
export function fillArguments(tool: ToolSpec, assignment: Assignment, query: string): JsonObject {
  const filled = fillSchema(tool.parameters, createArgumentValuer(assignment, query), {
    branch: 0,
    isMinimal: false,
  });
  return isObject(filled) ? filled : {};
}

function createArgumentValuer(assignment: Assignment, query: string): Valuer {
  const { task, sections } = assignment;
  const wanted = new Set(termsOf(`${task} ${assignment.expected}`));
  const valuer: Valuer = {
    texts(slot) {
      switch (roleOf(slot.name)) {
        case "source":
        case "place":
          return found(task.slice(0, MAX_TASK), PLACES);
        case "task":
        case "long":
        case "issue":
        case "sentence":
          return namesOrQuery(slot, task, query);
        case "context":
          return [
            sections
              .map(({ name, text }) => `${name}: ${text.trim()}`)
              .join("\n\n")
              .slice(0, MAX_CONTEXT),
          ];
        default:
          return query ? [query] : [];
      }
    },
    number: () => undefined,
    flag: () => undefined,
    choice: (_, options) => bestChoice(options, wanted),
    count: () => 1,
    // An optional argument narrows a search: only what names the search itself is filled, or what has a default or a match.
    wants: (slot) => roleOf(slot.name) === "query" || isNamed(slot, wanted),
    keys: () => [],
    item: () => valuer,
  };
  return valuer;
}

/** True for an optional choice that the task names. */
function isNamed({ name, schema }: Slot, wanted: ReadonlySet<string>): boolean {
  const properties = schema["properties"];
  const node = isObject(properties) ? properties[name] : undefined;
  const options = isObject(node) && Array.isArray(node["enum"]) ? node["enum"] : [];
  if (isObject(node) && typeof node["default"] === "number") return true;
  return options.some(
    (option) => typeof option === "string" && coverage(optionTerms(option), wanted) === 1,
  );
}

function bestChoice(options: readonly Json[], wanted: ReadonlySet<string>): Json | undefined {
  const worth = (option: Json): number => coverage(optionTerms(option), wanted);
  return options.toSorted((a, b) => worth(b) - worth(a))[0];
}

/** What kind of words a property other than the query takes: the task itself, a calculation, a name in the task. */
function namesOrQuery(slot: Slot, whole: string, query: string): string[] {
  const task = whole.slice(0, MAX_TASK); // the patterns below grow with the square of it
  if (
    roleOf(slot.name) === "task" ||
    /^(?:message|description|content|body|text)$/i.test(slot.name)
  )
    return [task, query];
  if (/^(?:expression|formula|calculation)$/i.test(slot.name))
    return found(task, [/[\d.()\s+*/^×÷-]*\d\s*[-+*/^×÷]\s*[\d.()\s+*/^×÷-]*\d\)?/]);
  if (/^(?:email|to|recipient)$/i.test(slot.name)) return found(task, [/\S+@\S+\.\w+/]);
  const name = found(task, [
    /(?<=["“'‘])[^"”'’]{2,80}(?=["”'’])/,
    /(?<=\S\s)\p{Lu}[\p{L}\d-]+(?:\s\p{Lu}[\p{L}\d-]+)*/u,
  ]);
  return [...name, query || keywordsOf(task).join(" ")];
}

const PLACES = [
  /https?:\/\/[^\s)>"']+[^\s)>"'.,]/,
  /(?:[\w.-]+\/)+[\w.-]*\w/,
  /\b[\w-]+\.(?:md|txt|json|ya?ml|csv|pdf|html?|ts|js|py)\b/,
];

function found(text: string, patterns: readonly RegExp[]): string[] {
  return patterns.flatMap((pattern) => pattern.exec(text)?.[0]?.trim() ?? []).filter(Boolean);
}
