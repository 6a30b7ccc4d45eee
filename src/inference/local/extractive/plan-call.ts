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
import { commonTerms, distinctBy, termsOf } from "./term.ts";
import { otherQueries, queriesOf } from "./query.ts";

/** Most calls of one turn. */
const MAX_CALLS = 3;

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
  const wanted = new Set(
    termsOf([assignment.task, assignment.expected, assignment.role, assignment.goal].join(" ")),
  );
  const named = nameTerms(tool);
  const inName = named.filter((term) => wanted.has(term)).length;
  const inText = commonTerms(new Set(termsOf(tool.description)), wanted);
  const score = 2 * inName + inText;
  if (!canFill(tool, assignment)) return 0;
  if (isLookUp(tool)) return score + 1;
  if (DEED.test(tool.name)) return named.length > 0 && inName === named.length ? score : 0; // K3
  return inName > 0 || inText > 1 ? score : 0;
}

const LOOK_UP =
  /(?:^|[_\W]|(?<=[a-z])(?=[A-Z]))(?:search|find|look_?up|query|retrieve|recall|browse|knowledge|docs?|documents?|wiki)/i;
const DEED =
  /(?:^|[_\W])(?:send|delete|remove|create|update|write|post|pay|buy|order|execute|run|deploy|restart|kill|drop|insert|upload|save|email|notify|transfer|approve|cancel|publish|set|move|book)/i;

function isLookUp(tool: ToolSpec): boolean {
  return LOOK_UP.test(tool.name) && !DEED.test(tool.name);
}

function nameTerms(tool: ToolSpec): string[] {
  return termsOf(tool.name.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/[_-]+/g, " "));
}

/** False when the tool needs something that the task does not hold: a path, a URL, an expression. */
function canFill(tool: ToolSpec, assignment: Assignment): boolean {
  const required = Array.isArray(tool.parameters["required"]) ? tool.parameters["required"] : [];
  return required.every(
    (name) =>
      typeof name !== "string" ||
      NEEDS.every(([key, pattern]) => !key.test(name) || pattern.test(assignment.task)),
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
