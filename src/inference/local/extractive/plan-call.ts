// Which tool to call next, and with what. Pure.
//
// Invariants
//   K1  No call is planned twice with the same arguments, unless the request forces a call and no other is left.
//   K2  At most MAX_CALLS calls of one tool in one turn; a tool that found nothing is asked once more, with other words.
//   K3  Tools that change something are called only when the task names the deed and its object.
//   K4  No call is planned without a value for each required argument: a tool that lacks one is named, with what is missing.

import { isObject, type JsonObject, parseJson } from "../../../json.ts";
import type { ToolCall, ToolChoice, ToolSpec } from "../../model/message.ts";
import type { Assignment } from "./assignment.ts";
import { fillArguments } from "./argument.ts";
import { isFailure, readMaterial } from "./material.ts";
import { otherQueries, queriesOf } from "./query.ts";
import { commonTerms, distinctBy, termsOf, topicOf } from "./term.ts";

/** Most calls of one turn. */
const MAX_CALLS = 3;
/** A tool that fits and was not called, and the required arguments that nothing gives. */
export type Unfilled = { readonly tool: string; readonly missing: readonly string[] };

/** What to do now: calls, or none when it is time to answer. */
export type Plan = { readonly calls: readonly ToolCall[]; readonly unfilled: readonly Unfilled[] };

/** The calls to make now, and the tools that would have fitted. */
export function planCalls(
  assignment: Assignment,
  tools: readonly ToolSpec[],
  choice: ToolChoice,
): Plan {
  if (choice === "none") return { calls: [], unfilled: [] };
  const isForced = choice === "required";
  const unfilled: Unfilled[] = [];
  const ranked = tools
    .map((tool) => ({ tool, fit: fitOf(tool, assignment) }))
    .filter(({ fit }) => fit > 0 || isForced)
    .toSorted((a, b) => b.fit - a.fit);
  for (const { tool } of ranked) {
    const { planned, missing } = nextArguments(tool, assignment, isForced);
    if (planned.length > 0) return { calls: toCalls(tool, planned, assignment), unfilled };
    if (missing.length > 0) unfilled.push({ tool: tool.name, missing });
  }
  const [query = ""] = queriesOf(assignment);
  for (const { tool } of isForced ? ranked : []) {
    const filled = fillArguments(tool, assignment, { query, isForced });
    if (filled.type === "filled" && isObject(filled.value))
      return { calls: toCalls(tool, [filled.value], assignment), unfilled }; // K1
  }
  return { calls: [], unfilled };
}

type Next = { readonly planned: readonly JsonObject[]; readonly missing: readonly string[] };

/** What the tool was not asked yet, or why it cannot be asked (K4). */
function nextArguments(tool: ToolSpec, assignment: Assignment, isForced: boolean): Next {
  const missing = new Set<string>();
  const fill = (query: string): JsonObject[] => {
    const filled = fillArguments(tool, assignment, { query, isForced });
    if (filled.type === "gaps") for (const name of filled.missing) missing.add(name);
    return filled.type === "filled" && isObject(filled.value) ? [filled.value] : [];
  };
  const earlier = assignment.calls.filter((call) => call.tool === tool.name);
  if (earlier.length === 0) {
    const planned = distinctBy(queriesOf(assignment).flatMap(fill), canonical);
    return { planned, missing: [...missing] };
  }
  const turns = new Set(earlier.map((call) => call.turn)).size;
  if (!isForced && (!isLookUp(tool) || turns > 1 || hasFound(tool, assignment)))
    return { planned: [], missing: [] }; // K2
  const isNew = (args: JsonObject): boolean =>
    !earlier.some((call) => sameArguments(call.arguments, args));
  const planned = otherQueries(assignment).flatMap(fill).filter(isNew).slice(0, 1);
  return { planned, missing: [] };
}

function hasFound(tool: ToolSpec, assignment: Assignment): boolean {
  const results = assignment.results.filter((result) => result.tool === tool.name);
  return (
    results.some((result) => !isFailure(result.content)) && readMaterial([], results).length > 0
  );
}

/** How well a tool fits: 0 = not at all. Words of its name count twice. */
function fitOf(tool: ToolSpec, assignment: Assignment): number {
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
