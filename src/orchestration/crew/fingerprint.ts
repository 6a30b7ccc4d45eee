// What a crew is made of, part by part, as short hashes: whether a run goes on with the crew that it began with.
//
// Functions (tools' code, guardrails, hooks, conditions) count by name and number only: their code is the user's to keep.

import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "../../json.ts";
import type { Agent } from "./agent.ts";
import { askedAgents, allTasks } from "./cast.ts";
import type { Crew } from "./crew.ts";
import type { Task } from "./task.ts";

/** A short hash for each part of a crew, by its name: "task write", "agent Writer", "process". */
export type Fingerprint = Readonly<Record<string, string>>;

export function fingerprintOf(crew: Crew): Fingerprint {
  const found = known.get(crew);
  if (found) return found;
  const made = make(crew);
  known.set(crew, made);
  return made;
}

/** All runs of a crew share it. */
const known = new WeakMap<Crew, Fingerprint>();

function make(crew: Crew): Fingerprint {
  const tasks = allTasks(crew.tasks);
  const agents = askedAgents(crew.tasks, crew);
  const parts: [string, Json][] = [
    ["process", [crew.process, crew.tasks.map(({ name }) => name)]],
    ["hooks", Object.keys(crew.hooks).toSorted()],
    ...tasks.map((task): [string, Json] => [`task ${task.name}`, ofTask(task)]),
    ...agents.map((agent): [string, Json] => [`agent ${agent.name}`, ofAgent(agent)]),
  ];
  return Object.fromEntries(parts.map(([name, part]) => [name, hashOf(part)]));
}

/** The parts that differ, by name. */
export function changedParts(before: Fingerprint, now: Fingerprint): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter((name) => before[name] !== now[name]);
}

function ofTask(task: Task): Json {
  const { description, expectedOutput, agent, context, tools, output, guardrails, onError } = task;
  return [
    description,
    expectedOutput,
    typeof agent === "string" ? agent : (agent?.name ?? null),
    context?.map((one) => (typeof one === "string" ? one : one.name)) ?? null,
    tools.map(({ name }) => name),
    output !== undefined,
    guardrails.length,
    typeof onError === "object" ? onError.name : (onError ?? null),
    task.when !== undefined,
  ];
}

function ofAgent({ role, goal, backstory, tools, models, maxIterations }: Agent): Json {
  const named = models.map((model) =>
    typeof model === "string" ? model : (model.model ?? model.url),
  );
  return [role, goal, backstory, tools.map(({ name }) => name), named, maxIterations];
}

/** Short. */
export function hashOf(part: Json): string {
  return createHash("sha256").update(canonicalJson(part)).digest("hex").slice(0, 12);
}
