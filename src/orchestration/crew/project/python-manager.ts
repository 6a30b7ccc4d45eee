// `manager_agent` of a Crew(…): an agent that a method without a decorator makes, or that stands in the method of the crew itself.

import type { Method } from "./python-file.ts";
import { configKeyOf, methodPart } from "./python-part.ts";
import { type PythonScope, selfCallOf } from "./python-scope.ts";
import type { RawPart } from "./raw.ts";
import { type Entry, isOff, type Located } from "./value.ts";

/** What a manager is looked for in. */
type ManagerScene = {
  /** Agents of the YAML. */
  readonly parts: readonly RawPart[];
  readonly scope: PythonScope;
  /** The method with @crew. */
  readonly method: Method | undefined;
};

/** A manager that is none of the agents, and the entry that names it. */
export type FoundManager = { readonly part: RawPart; readonly entry: Entry };

/** Undefined for none, for one of the agents, and for one that would have to be run or has no role and goal that can be read. */
export function managerOf(
  crew: readonly Entry[],
  { parts, scope, method }: ManagerScene,
): FoundManager | undefined {
  const given = crew.find(({ key }) => key === "manager_agent");
  if (!given || given.value.type !== "python") return undefined;
  const called = selfCallOf(given.value);
  if (called !== undefined && scope.method(called, "agent")) return undefined;
  const local = method?.locals.get(given.value.text);
  const result = scope.resolve(local ?? given.value);
  if (result.type !== "python" || !result.call?.name.endsWith("Agent")) return undefined;
  const { place } = result;
  const id = called ?? (local ? given.value.text : "manager");
  const config = result.call.keywords.find(({ key }) => key === "config");
  const key = config && configKeyOf(config.value);
  if (key !== undefined && !parts.some((one) => one.id === key)) return undefined;
  const taken = parts.some((one) => one.id === id) && key !== id;
  const part = methodPart({ name: taken ? `${id}_agent` : id, result, place }, parts, scope);
  const isWhole = ["role", "goal"].every((one) => isRead(part.entries, one, scope));
  if (!isWhole) return undefined;
  return {
    part: { ...part, aliases: key === undefined ? [] : [key] },
    entry: { ...given, value: { type: "scalar", value: part.id, place: given.value.place } },
  };
}

function isRead(entries: readonly Entry[], key: string, scope: PythonScope): boolean {
  const entry = entries.find((one) => one.key === key);
  const value: Located | undefined = entry && scope.resolve(entry.value);
  return value?.type === "scalar" && !isOff(value);
}
