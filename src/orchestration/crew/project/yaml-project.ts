// A project of agents.yaml and tasks.yaml, and of what its crew.py says without being run.
//
// With a crew.py, agents and tasks are its methods with @agent and @task, in that order, over the YAML that each of them names:
// this is what CrewAI runs. Without one, they are the keys of the files.

import { existsSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import type { Layout } from "./layout.ts";
import { errorAt, type Noting } from "./place.ts";
import { type Method, readPython } from "./python-file.ts";
import { managerOf } from "./python-manager.ts";
import { methodPart } from "./python-part.ts";
import { readToolFiles } from "./python-tool.ts";
import { createScope, type PythonScope, selfCallOf } from "./python-scope.ts";
import { checkCount, overlay, type RawPart, type RawProject } from "./raw.ts";
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
  const crewMethod = file?.methods.find(({ decorators }) => decorators.includes("crew"));
  const call = crewCallOf(crewMethod);
  const inputs = inputsOf(layout);
  const name =
    file?.classes.find(({ decorators }) => decorators.includes("CrewBase"))?.name ??
    basename(resolve(root));
  const from = { root, scope, note };
  const manager = managerOf(call, { parts: agents, scope, method: crewMethod });
  const workers = methodParts(agents, "agent", { ...from, used: manager?.part.aliases }) ?? agents;
  return {
    name,
    agents: workers,
    manager: manager?.part,
    tasks: inOrder(methodParts(tasks, "task", from) ?? withoutCode(tasks, layout, note), call),
    crew: manager ? overlay([manager.entry], call) : call,
    inputs,
    scope,
    toolFiles: [...(file ? [file] : []), ...readToolFiles(root, layout.tools)],
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
    code === undefined ? "note" : "warning",
    `${why}: the tasks are done one after the other, in the order of this file`,
  );
  return tasks;
}

type From = {
  readonly root: string;
  readonly scope: PythonScope;
  readonly note: Noting;
  /** Keys of the YAML that something else uses. */
  readonly used?: readonly string[] | undefined;
};

/** Parts as the methods with this decorator make them; undefined when there is none. */
function methodParts(
  parts: readonly RawPart[],
  decorator: "agent" | "task",
  { root, scope, note, used: others = [] }: From,
): readonly RawPart[] | undefined {
  const methods = (scope.file?.methods ?? []).filter(({ decorators }) =>
    decorators.includes(decorator),
  );
  if (methods.length === 0) return undefined;
  for (const { result } of methods) noteArguments(result, decorator, note);
  const found = methods.map((method) => methodPart(method, parts, scope));
  const used = new Set([...others, ...found.flatMap(({ id, aliases }) => [id, ...aliases])]);
  for (const { id, place } of parts) {
    if (used.has(id)) continue;
    note(
      place,
      id,
      "note",
      `left out: no method with @${decorator} in ${relative(root, scope.file?.file ?? "")} uses it, so CrewAI does not either`,
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

/** Keywords of `Crew(…)` in the method with @crew. */
function crewCallOf(method: Method | undefined): readonly Entry[] {
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
