// Which tool to call next, and with what. Pure.
//
// Invariants
//   K1  No call is planned twice with the same arguments, unless the request forces a call and no other is left.
//   K2  At most MAX_CALLS calls of one tool in one turn; a tool that found nothing is asked once more, with other words.
//   K3  Tools that change something are called only when the task names the deed and its object.

import { isObject, type JsonObject, parseJson } from "../../../json.ts";
import type { ToolCall, ToolChoice, ToolSpec } from "../../model/message.ts";
import type { Assignment } from "./assignment.ts";
import { fillArguments } from "./argument.ts";
import { isFailure, readMaterial } from "./material.ts";
import { otherQueries, queriesOf } from "./query.ts";
import { commonTerms, distinctBy, termsOf, topicOf } from "./term.ts";

/** Most calls of one turn. */
const MAX_CALLS = 3;
/** Most characters of a task that are searched for arguments: the patterns grow with the square of it. */
const MAX_TASK = 2_000;

/** The calls to make now; none when it is time to answer. */
export function planCalls(
  assignment: Assignment,
  tools: readonly ToolSpec[],
  choice: ToolChoice,
): ToolCall[] {
  if (choice === "none" || tools.length === 0) return [];
  const ranked = tools
    .map((tool) => ({ tool, fit: fitOf(tool, assignment) }))
    .toSorted((a, b) => b.fit - a.fit);
  for (const { tool, fit } of ranked) {
    if (fit <= 0 && choice !== "required") continue;
    const planned = nextArguments(tool, assignment, choice === "required");
    if (planned.length > 0) return toCalls(tool, planned, assignment);
  }
  const [forced] = choice === "required" ? ranked : [];
  return forced
    ? toCalls(
        forced.tool,
        [fillArguments(forced.tool, assignment, queriesOf(assignment)[0] ?? "")],
        assignment,
      )
    : []; // K1
}

/** What the tool was not asked yet. */
function nextArguments(tool: ToolSpec, assignment: Assignment, isForced: boolean): JsonObject[] {
  const earlier = assignment.calls.filter((call) => call.tool === tool.name);
  const fill = (query: string): JsonObject => fillArguments(tool, assignment, query);
  if (earlier.length === 0) return distinctBy(queriesOf(assignment).map(fill), canonical);
  const turns = new Set(earlier.map((call) => call.turn)).size;
  if (!isForced && (!isLookUp(tool) || turns > 1 || hasFound(tool, assignment))) return []; // K2
  const isNew = (args: JsonObject): boolean =>
    !earlier.some((call) => sameArguments(call.arguments, args));
  return otherQueries(assignment).map(fill).filter(isNew).slice(0, 1);
}

function hasFound(tool: ToolSpec, assignment: Assignment): boolean {
  const results = assignment.results.filter((result) => result.tool === tool.name);
  return (
    results.some((result) => !isFailure(result.content)) && readMaterial([], results).length > 0
  );
}

/** How well a tool fits: 0 = not at all. Words of its name count twice. */
function fitOf(tool: ToolSpec, assignment: Assignment): number {
  if (!canFill(tool, assignment)) return 0;
  const { task, expected, role, goal } = assignment;
  const wanted = new Set(termsOf([task, expected, role, goal].join(" ")));
  const named = wordsOf(tool).flatMap(termsOf);
  const inName = named.filter((term) => wanted.has(term)).length;
  const inText = commonTerms(new Set(topicOf(tool.description).flatMap(termsOf)), wanted);
  const score = 2 * inName + inText;
  if (isDeed(tool)) return named.length > 0 && inName === named.length ? score : 0; // K3
  if (isLookUp(tool) && GENERAL.test(`${wordsOf(tool).join(" ")} ${tool.description}`))
    return score + 1;
  return inName > 0 || inText > 1 ? score : 0;
}

/** What can be searched for anything. */
const GENERAL =
  /\b(?:docs?|documents?|documentation|web|internet|knowledge|files?|notes?|wiki\w*|sources?|passages?|index|anything|memory)\b/i;
const LOOK_UPS: ReadonlySet<string> = new Set(
  "search find lookup look query retrieve recall browse knowledge doc docs document documents wiki wikipedia".split(
    " ",
  ),
);
const DEEDS: ReadonlySet<string> = new Set(
  (
    "send delete remove create update write post pay buy order execute run deploy restart kill drop insert upload save email " +
    "notify transfer approve cancel publish set move book"
  ).split(" "),
);

function isLookUp(tool: ToolSpec): boolean {
  return !isDeed(tool) && wordsOf(tool).some((word) => LOOK_UPS.has(word));
}

function isDeed(tool: ToolSpec): boolean {
  return wordsOf(tool).some((word) => DEEDS.has(word));
}

/** The words of a tool's name: search_docs and searchDocs have two. */
function wordsOf(tool: ToolSpec): string[] {
  return tool.name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[\s_-]+/)
    .filter(Boolean);
}

/** False when the tool needs something that the task does not hold: a path, a URL, an expression. */
function canFill(tool: ToolSpec, assignment: Assignment): boolean {
  const required = Array.isArray(tool.parameters["required"]) ? tool.parameters["required"] : [];
  const task = assignment.task.slice(0, MAX_TASK);
  return required.every(
    (name) =>
      typeof name !== "string" ||
      NEEDS.every(([key, pattern]) => !key.test(name) || pattern.test(task)),
  );
}

/** What stands in a task when such a property can be filled. */
const NEEDS: readonly (readonly [key: RegExp, pattern: RegExp])[] = [
  [/^(?:url|uri|link|href)$/i, /https?:\/\/\S+/],
  [
    /^(?:path|file|filename|file_?path|directory|folder)$/i,
    /[\w.-]+\/[\w./-]+|\b[\w-]+\.\w{1,5}\b/,
  ],
  [/^(?:expression|formula|calculation)$/i, /\d\s*[-+*/^×÷]\s*\d/],
  [/^(?:email|to|recipient)$/i, /\S+@\S+\.\w+/],
];

function sameArguments(text: string, args: JsonObject): boolean {
  const parsed = parseJson(text);
  return isObject(parsed) && canonical(parsed) === canonical(args);
}

function canonical(value: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Ids say the turn, so that a conversation never holds one twice. */
function toCalls(tool: ToolSpec, planned: readonly JsonObject[], { turn }: Assignment): ToolCall[] {
  return planned.slice(0, MAX_CALLS).map((args, index) => ({
    id: `call_${turn}_${index + 1}`,
    tool: tool.name,
    arguments: JSON.stringify(args),
  }));
}
