// A crew from a file or a folder: finds the file, loads it, and finds the crew in what it exports.

import { existsSync, readdirSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { BosunError } from "../error.ts";
import { isObject } from "../json.ts";
import { crewOfAgent } from "../agent.ts";
import type { Agent } from "../orchestration/crew/agent.ts";
import type { Crew } from "../orchestration/crew/crew.ts";
import type { Inputs } from "../orchestration/crew/input.ts";
import { commandName } from "./command-name.ts";
import { isInputs } from "./input.ts";
import { toLoadError } from "./load-error.ts";
import { resolveBosunHere } from "./resolve-bosun.ts";

/** A crew as its file gives it. */
export type LoadedCrew = {
  readonly crew: Crew;
  /** What the file exports as `inputs`: examples of what the crew asks for. */
  readonly inputs: Inputs;
  readonly file: string;
};

/**
 * Loads a crew.
 * @param path A file, or a folder with one of CREW_FILES.
 * @throws BosunError `usage` for a path that is none, `crew/invalid` for a file without one crew or that fails to load,
 *   `crew/not-built` for a CrewAI project or a flow; a crew's own `crew/…` error with its place in front.
 */
export async function loadCrew(path: string): Promise<LoadedCrew> {
  const file = findCrewFile(path);
  resolveBosunHere();
  const exported = await importFile(file);
  const shown = relative(process.cwd(), file);
  const { inputs = {} } = exported;
  if (!isInputs(inputs)) {
    throw new BosunError(
      "crew/invalid",
      `${shown}: its export "inputs" must be an object of texts, numbers, booleans, lists and objects`,
    );
  }
  return { crew: pickCrew(shown, exported), inputs, file };
}

/** In the order in which a folder is searched. */
export const CREW_FILES = ["crew.ts", "crew.js", "crew.mjs", "index.ts", "index.js"] as const;

/**
 * The file of a path.
 * @throws BosunError `usage` or `crew/not-built`.
 */
export function findCrewFile(path: string): string {
  const full = resolve(path);
  const stats = statSync(full, { throwIfNoEntry: false });
  if (!stats) throw new BosunError("usage", `there is no file or folder "${path}"`);
  if (stats.isDirectory()) return findInFolder(path, full);
  if (/\.(ya?ml|py)$/.test(full)) throw crewAiNotBuilt(path);
  if (/\.[cm]?[jt]s$/.test(full)) return full;
  throw new BosunError(
    "usage",
    `"${path}" is not a crew file: it must end in .ts, .mts, .js or .mjs`,
  );
}

function findInFolder(path: string, folder: string): string {
  const name = crewFileIn(folder);
  if (name !== undefined) return join(folder, name);
  if (isCrewAiProject(folder)) throw crewAiNotBuilt(path);
  const crews = subFoldersWithCrew(folder).map((one) => join(path, one));
  if (crews.length > 0)
    throw new BosunError(
      "usage",
      `the folder "${path}" has no crew itself, but folders in it do: ${crews.join(", ")}`,
    );
  throw new BosunError(
    "usage",
    `the folder "${path}" has no crew: none of ${CREW_FILES.join(", ")}. "${commandName()} init ${path}" writes a small one`,
  );
}

function crewFileIn(folder: string): string | undefined {
  return CREW_FILES.find((one) => existsSync(join(folder, one)));
}

/** Most folders that are named. */
const MAX_NAMED = 10;
/** Most entries of a folder that are looked into. */
const MAX_LOOKED_INTO = 1_000;

function subFoldersWithCrew(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .slice(0, MAX_LOOKED_INTO)
    .filter((entry) => entry.isDirectory() && crewFileIn(join(folder, entry.name)) !== undefined)
    .map(({ name }) => name)
    .toSorted()
    .slice(0, MAX_NAMED);
}

/** agents.yaml in the folder, in config/, or in src/<name>/config/, as `crewai create` lays a project out. */
function isCrewAiProject(folder: string): boolean {
  const src = join(folder, "src");
  const packages = existsSync(src) ? readdirSync(src).map((name) => join(src, name, "config")) : [];
  return [folder, join(folder, "config"), ...packages].some((one) =>
    ["agents.yaml", "agents.yml"].some((name) => existsSync(join(one, name))),
  );
}

function crewAiNotBuilt(path: string): BosunError {
  return new BosunError(
    "crew/not-built",
    `"${path}" is a CrewAI project: reading agents.yaml and tasks.yaml is not built yet in this version. Write the crew in TypeScript; "${commandName()} init" shows how`,
  );
}

async function importFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const loaded: unknown = await import(pathToFileURL(file).href);
    return isObject(loaded) ? loaded : {};
  } catch (error) {
    throw toLoadError(error, file);
  }
}

function pickCrew(shown: string, exported: Readonly<Record<string, unknown>>): Crew {
  const standard = crewIn(exported["default"]);
  if (standard) return standard;
  const crews = Object.entries(exported).flatMap(([name, value]) =>
    isCrew(value) ? [{ name, crew: value }] : [],
  );
  const [first, ...others] = crews;
  if (first && others.length === 0) return first.crew;
  const names = exportNames(exported).join(", ") || "nothing";
  if (first)
    throw new BosunError(
      "crew/invalid",
      `${shown} exports several crews (${crews.map(({ name }) => name).join(", ")}): export the one to run as default`,
    );
  if (Object.values(exported).some((value) => isObject(value) && value["type"] === "flow"))
    throw new BosunError(
      "crew/not-built",
      `${shown} exports a flow: flows are not built yet in this version`,
    );
  throw new BosunError(
    "crew/invalid",
    `${shown} has no crew: it exports ${names}. Write: export default crew({ name, tasks })`,
  );
}

/** What the user wrote: Node adds "module.exports" and a default to what a CommonJS file exports. */
function exportNames(exported: Readonly<Record<string, unknown>>): readonly string[] {
  const names = Object.keys(exported);
  const added = names.includes("module.exports") ? ["module.exports", "default"] : [];
  return names.filter((name) => !added.includes(name));
}

/** A crew, or one of a single agent that takes a message. */
function crewIn(value: unknown): Crew | undefined {
  if (isCrew(value)) return value;
  const isAgent = isObject(value) && value["type"] === "agent" && typeof value["role"] === "string";
  return isAgent ? crewOfAgent(value as unknown as Agent) : undefined; // `as`: by its tag, not its class
}

/** By its tag, not its class: a crew is plain data. */
function isCrew(value: unknown): value is Crew {
  return isObject(value) && value["type"] === "crew" && Array.isArray(value["tasks"]);
}
