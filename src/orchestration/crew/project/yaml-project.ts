// A project of agents.yaml and tasks.yaml, and of what its crew.py says without being run.
//
// With a crew.py, agents and tasks are its methods with @agent and @task, in that order, over the YAML that each of them names:
// this is what CrewAI runs. Without one, they are the keys of the files.

import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Layout } from "./layout.ts";
import { errorAt, type Noting, type Place } from "./place.ts";
import { type Method, readPython } from "./python-file.ts";
import { createScope, type PythonScope, selfCallOf } from "./python-scope.ts";
import { checkCount, entriesIn, overlay, type RawPart, type RawProject } from "./raw.ts";
import { readSource } from "./source.ts";
import { type Entry, type Located, show, toEntries } from "./value.ts";
import { readYaml } from "./yaml.ts";

type YamlLayout = Extract<Layout, { readonly type: "yaml" }>;

/**
 * Reads the project's files.
 * @throws BosunError `crew/…` with the place for a file that is broken or missing.
 */
export async function readYamlProject(layout: YamlLayout, note: Noting): Promise<RawProject> {
  const { root, code } = layout;
  if (!existsSync(join(root, layout.tasks)))
    throw errorAt(
      { file: join(root, layout.tasks), line: 1, column: 1 },
      `there is no such file beside ${layout.agents}`,
    );
  const agents = await partsIn(root, layout.agents);
  const tasks = await partsIn(root, layout.tasks);
  const file = code === undefined ? undefined : readPython(readSource(root, code));
  const scope = createScope(file);
  const crew = crewCallOf(scope);
  const inputs = inputsOf(layout);
  const name =
    file?.classes.find(({ decorators }) => decorators.includes("CrewBase"))?.name ??
    basename(resolve(root));
  const from = { scope, note };
  return {
    name,
    agents: methodParts(agents, "agent", from) ?? agents,
    tasks: inOrder(methodParts(tasks, "task", from) ?? withoutCode(tasks, layout, note), crew),
    crew,
    inputs,
    scope,
  };
}

async function partsIn(root: string, file: string): Promise<readonly RawPart[]> {
  const value = await readYaml(readSource(root, file));
  const parts = toEntries(value, "the file").map(({ key, value: part, place }) => {
    return { id: key, aliases: [], entries: toEntries(part, key), place };
  });
  if (parts.length === 0) throw errorAt(value.place, "the file is empty");
  checkCount(parts.length, value.place);
  return parts;
}

function withoutCode(
  tasks: readonly RawPart[],
  { root, tasks: file, code }: YamlLayout,
  note: Noting,
): readonly RawPart[] {
  const why =
    code === undefined ? "there is no crew.py" : `${code} has no @task methods that can be read`;
  note(
    { file: join(root, file), line: 1, column: 1 },
    "tasks",
    "note",
    `${why}: the tasks are done one after the other, in the order of this file`,
  );
  return tasks;
}

type From = { readonly scope: PythonScope; readonly note: Noting };

/** Parts as the methods with this decorator make them; undefined when there is none. */
function methodParts(
  parts: readonly RawPart[],
  decorator: "agent" | "task",
  { scope, note }: From,
): readonly RawPart[] | undefined {
  const methods = (scope.file?.methods ?? []).filter(({ decorators }) =>
    decorators.includes(decorator),
  );
  if (methods.length === 0) return undefined;
  for (const { result } of methods) noteArguments(result, decorator, note);
  const found = methods.map((method) => methodPart(method, parts, scope));
  const used = new Set(found.flatMap(({ id, aliases }) => [id, ...aliases]));
  for (const { id, place } of parts) {
    if (used.has(id)) continue;
    note(
      place,
      id,
      "warning",
      `left out: no method with @${decorator} in ${scope.file?.file} uses it, so CrewAI does not either`,
    );
  }
  return found;
}

/** Only keywords are read: `Agent(**settings)` says nothing without being run. */
function noteArguments(result: Located | undefined, decorator: string, note: Noting): void {
  const [first] = result?.type === "python" ? (result.call?.args ?? []) : [];
  if (first)
    note(
      first.place,
      decorator,
      "warning",
      `not read: it is ${show(first)}, and Python is not run`,
    );
}

function methodPart(method: Method, parts: readonly RawPart[], scope: PythonScope): RawPart {
  const { name, result, place } = method;
  const call = result?.type === "python" ? result.call : undefined;
  if (!call)
    return {
      ...(parts.find(({ id }) => id === name) ?? { entries: [], place }),
      id: name,
      aliases: [],
    };
  const config = call.keywords.find(({ key }) => key === "config");
  const base = config && configOf(config, parts, scope);
  const own = call.keywords.filter(({ key }) => key !== "config");
  return {
    id: name,
    aliases: base?.id === undefined || base.id === name ? [] : [base.id],
    entries: [...overlay(own, base?.entries ?? []), ...typeEntry(call.name, place)],
    place: base?.place ?? place,
  };
}

type Config = Pick<RawPart, "entries" | "place"> & { readonly id?: string };

/** What `config=` names: a key of the YAML, or an object in place. */
function configOf({ value, place }: Entry, parts: readonly RawPart[], scope: PythonScope): Config {
  const key = configKeyOf(value);
  if (key === undefined) return { entries: entriesIn(scope.resolve(value)), place };
  const base = parts.find(({ id }) => id === key);
  if (base) return base;
  const names = parts.map(({ id }) => id).join(", ");
  throw errorAt(place, `"${key}" is in none of the YAML file's keys: ${names}`);
}

/** `ConditionalTask(…)` is what "type" says in JSON. */
function typeEntry(name: string | undefined, place: Place): readonly Entry[] {
  if (name !== "ConditionalTask") return [];
  return [{ key: "type", value: { type: "scalar", value: name, place }, place }];
}

/** `name` of `self.agents_config["name"]`. */
function configKeyOf(value: Located): string | undefined {
  return value.type === "python"
    ? /^self\.\w+(?:\.get\(|\[)\s*["']([^"']+)["']\s*[\])]/.exec(value.text)?.[1]
    : undefined;
}

/** Keywords of `Crew(…)` in the method with @crew. */
function crewCallOf({ file }: PythonScope): readonly Entry[] {
  const method = file?.methods.find(({ decorators }) => decorators.includes("crew"));
  const call = method?.result?.type === "python" ? method.result.call : undefined;
  return call?.name === "Crew" ? call.keywords : [];
}

/** `tasks=[self.b(), self.a()]` says which tasks are done and in which order. */
function inOrder(tasks: readonly RawPart[], crew: readonly Entry[]): readonly RawPart[] {
  const listed = crew.find(({ key }) => key === "tasks")?.value;
  if (listed?.type !== "list") return tasks;
  const names = listed.items.map(selfCallOf);
  const found = names.flatMap((name) => tasks.find(({ id }) => id === name) ?? []);
  return found.length === names.length && found.length > 0 ? found : tasks;
}

/** `inputs = { … }` of main.py, as far as its values are plain. */
function inputsOf({ root, main }: YamlLayout): readonly Entry[] {
  if (main === undefined) return [];
  return readPython(readSource(root, main)).inputs;
}
