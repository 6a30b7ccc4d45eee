// A project of crew.json(c) and agents/*.json(c), as `crewai create` writes it since 1.15. Agents may also stand in the crew's file.

import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { readJsonc } from "./jsonc.ts";
import type { Layout } from "./layout.ts";
import { errorAt } from "./place.ts";
import { readToolFiles } from "./python-tool.ts";
import { createScope } from "./python-scope.ts";
import { checkCount, entriesIn, overlay, type RawPart, type RawProject } from "./raw.ts";
import { readSource } from "./source.ts";
import {
  type Entry,
  entryOf,
  type Located,
  toEntries,
  toItems,
  toText,
  wrongType,
} from "./value.ts";

/**
 * Reads the project's files.
 * @throws BosunError `crew/…` with the place for a file that is broken or missing.
 */
export function readJsonProject(layout: Extract<Layout, { readonly type: "json" }>): RawProject {
  const value = readJsonc(readSource(layout.root, layout.crew));
  const crew = toEntries(value, "the crew");
  const agents = agentsOf(layout, crew, value);
  const tasks = entryOf(crew, "tasks");
  if (!tasks) throw errorAt(value.place, "the crew has no tasks, which it needs");
  const items = toItems(tasks.value, "tasks", "tasks");
  if (items.length === 0)
    throw errorAt(tasks.value.place, "tasks is an empty list: a crew needs at least one task");
  checkCount(items.length, tasks.value.place);
  return {
    name: basename(resolve(layout.root)),
    agents,
    tasks: items.map(toTask),
    crew,
    inputs: entriesIn(entryOf(crew, "inputs")?.value),
    scope: createScope(undefined),
    toolFiles: readToolFiles(layout.root, layout.tools),
  };
}

function toTask(item: Located, index: number): RawPart {
  const entries = toEntries(item, `tasks[${index}]`);
  const name = entryOf(entries, "name");
  const id = name ? toText(name.value, "name") : `task-${index + 1}`;
  return { id, aliases: [], entries, place: item.place };
}

function agentsOf(
  layout: Extract<Layout, { readonly type: "json" }>,
  crew: readonly Entry[],
  value: Located,
): readonly RawPart[] {
  const listed = entryOf(crew, "agents");
  if (!listed) throw errorAt(value.place, "the crew has no agents, which it needs");
  const written = listed.value.type === "map" ? listed.value.entries.map(inlineAgent) : undefined;
  const named = written ? [] : toItems(listed.value, "agents", "names of agents");
  const all = [...named, ...managerOf(crew, new Set(written?.map(({ id }) => id)))];
  checkCount(all.length + (written?.length ?? 0), listed.value.place);
  const agents = new Map((written ?? []).map((agent) => [agent.id, agent]));
  for (const item of all) {
    const agent = item.type === "map" ? listedAgent(item) : agentFile(layout, item);
    if (!agents.has(agent.id)) agents.set(agent.id, agent);
  }
  return [...agents.values()];
}

/** The manager need not be one of the agents that are listed. */
function managerOf(crew: readonly Entry[], known: ReadonlySet<string>): readonly Located[] {
  const value = entryOf(crew, "manager_agent")?.value;
  return value?.type === "scalar" && !known.has(String(value.value)) ? [value] : [];
}

function inlineAgent({ key, value, place }: Entry): RawPart {
  return { id: key, aliases: [], entries: withSettings(toEntries(value, `agents.${key}`)), place };
}

function listedAgent(item: Extract<Located, { readonly type: "map" }>): RawPart {
  const name = entryOf(item.entries, "name") ?? entryOf(item.entries, "role");
  if (!name) throw errorAt(item.place, "an agent has no name, by which tasks could refer to it");
  const entries = withSettings(item.entries.filter(({ key }) => key !== "name"));
  return { id: toText(name.value, name.key), aliases: [], entries, place: item.place };
}

function agentFile(layout: Extract<Layout, { readonly type: "json" }>, item: Located): RawPart {
  const name = toText(item, "an agent");
  if (/^\.|[/\\]/.test(name))
    throw wrongType(item, "an agent", "the name of a file in agents/, without its ending");
  const file = ["jsonc", "json"]
    .map((ending) => join(layout.agents, `${name}.${ending}`))
    .find((one) => existsSync(join(layout.root, one)));
  if (file === undefined)
    throw errorAt(
      item.place,
      `the agent "${name}" has no file: neither ${layout.agents}/${name}.jsonc nor ${layout.agents}/${name}.json`,
      "crew/unknown-agent",
    );
  const value = readJsonc(readSource(layout.root, file));
  const entries = toEntries(value, `the agent "${name}"`);
  return { id: name, aliases: [], entries: withSettings(entries), place: value.place };
}

/** Keys in "settings" count as if they stood beside it, and before those. */
function withSettings(entries: readonly Entry[]): readonly Entry[] {
  const settings = entryOf(entries, "settings");
  const others = entries.filter(({ key }) => key !== "settings");
  return settings ? overlay(toEntries(settings.value, "settings"), others) : others;
}
