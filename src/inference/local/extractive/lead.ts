// What the model does as the manager of a crew: it gives its whole task to whoever's goal speaks of it most, and answers from what
// comes back. It cannot split a task or judge a result, and does not pretend to.

import { isObject } from "../../../json.ts";
import type { Message, ToolCall, ToolSpec } from "../../model/message.ts";
import type { Assignment } from "./assignment.ts";
import { commonTerms, termsOf } from "./term.ts";

/** Most characters of context that are passed on. */
const MAX_CONTEXT = 16_000;

/** The call that gives the task away; undefined for who does not lead, and for a leader who has begun. */
export function planLead(
  { task, sections, calls, turn }: Assignment,
  tools: readonly ToolSpec[],
  messages: readonly Message[],
): ToolCall | undefined {
  const names = coworkersOf(tools);
  if (names.length === 0 || calls.length > 0) return undefined;
  const system = messages.find(({ role }) => role === "system")?.content ?? "";
  const wanted = new Set(termsOf(task));
  const [best] = names
    .map((name) => ({ name, fit: commonTerms(new Set(termsOf(goalOf(system, name))), wanted) }))
    .toSorted((a, b) => b.fit - a.fit);
  if (!best) return undefined;
  const context = sections.map(({ name, text }) => `## ${name}\n${text.trim()}`).join("\n\n");
  const args = { coworker: best.name, task, context: context.slice(0, MAX_CONTEXT) };
  return { id: `call_${turn}_1`, tool: "delegate_work", arguments: JSON.stringify(args) };
}

/** Whom a manager can give work to: who may only ask others has no send_back. */
function coworkersOf(tools: readonly ToolSpec[]): readonly string[] {
  const leads = tools.some(({ name }) => name === "send_back");
  const properties = tools.find(({ name }) => name === "delegate_work")?.parameters["properties"];
  const coworker = isObject(properties) ? properties["coworker"] : undefined;
  const names: unknown = isObject(coworker) ? coworker["enum"] : undefined;
  if (!leads || !Array.isArray(names)) return [];
  return names.filter((name: unknown) => typeof name === "string");
}

/** The line of the system text that names a coworker. */
function goalOf(system: string, name: string): string {
  const start = `- ${name}: `;
  return system.split("\n").find((line) => line.startsWith(start)) ?? "";
}
