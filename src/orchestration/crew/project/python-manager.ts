// `manager_agent` of a Crew(…): an agent that a method without a decorator makes, or that stands in the method of the crew itself.

import type { Method } from "./python-file.ts";
import { configKeyOf, methodPart } from "./python-part.ts";
import { type PythonScope, selfCallOf } from "./python-scope.ts";
import type { RawPart } from "./raw.ts";
import { type Call, type Entry, isOff, type Located, type PythonValue } from "./value.ts";

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
export function managerOf(crew: readonly Entry[], scene: ManagerScene): FoundManager | undefined {
  const given = crew.find(({ key }) => key === "manager_agent");
  if (given?.value.type !== "python") return undefined;
  const part = partOf(given.value, scene);
  const isWhole = part && ["role", "goal"].every((key) => isRead(part.entries, key, scene.scope));
  if (!part || !isWhole) return undefined;
  const value: Located = { type: "scalar", value: part.id, place: given.value.place };
  return { part, entry: { ...given, value } };
}

/** The agent that an expression stands for. Called as its method or its local name is, or "manager". */
function partOf(given: PythonValue, { parts, scope, method }: ManagerScene): RawPart | undefined {
  const called = selfCallOf(given);
  if (called !== undefined && scope.method(called, "agent")) return undefined;
  const local = method?.locals.get(given.text);
  const result = scope.resolve(local ?? given);
  const call = result.type === "python" ? result.call : undefined;
  if (!call?.name.endsWith("Agent")) return undefined;
  const key = yamlKeyOf(call);
  if (key !== undefined && !parts.some(({ id }) => id === key)) return undefined;
  const name = called ?? (local ? given.text : "manager");
  const isTaken = name !== key && parts.some(({ id }) => id === name);
  const source = { name: isTaken ? `${name}_agent` : name, result, place: result.place };
  return { ...methodPart(source, parts, scope), aliases: key === undefined ? [] : [key] };
}

function yamlKeyOf({ keywords }: Call): string | undefined {
  const config = keywords.find(({ key }) => key === "config");
  return config && configKeyOf(config.value);
}

function isRead(entries: readonly Entry[], key: string, scope: PythonScope): boolean {
  const entry = entries.find((one) => one.key === key);
  const value: Located | undefined = entry && scope.resolve(entry.value);
  return value?.type === "scalar" && !isOff(value);
}
