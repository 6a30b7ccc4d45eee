// A crew or a flow from a file or a folder: finds the file, loads it, and finds it in what it exports; or reads a CrewAI project.

import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { BosunError } from "../error.ts";
import { isObject } from "../json.ts";
import { crewOfAgent } from "../agent.ts";
import type { Agent } from "../orchestration/crew/agent.ts";
import type { Clock } from "../clock.ts";
import type { Env } from "../inference/model/http.ts";
import type { Program } from "../bosun.ts";
import type { Flow } from "../orchestration/flow/flow.ts";
import { type Crew, defineCrew } from "../orchestration/crew/crew.ts";
import type { Inputs } from "../orchestration/crew/input.ts";
import { findLayout } from "../orchestration/crew/project/layout.ts";
import type { ProjectNote } from "../orchestration/crew/project/place.ts";
import { commandName } from "./command-name.ts";
import { isInputs } from "./input.ts";
import { toLoadError } from "./load-error.ts";
import { resolveBosunHere } from "./resolve-bosun.ts";

/** A crew or a flow as its file gives it. */
export type Loaded = {
  readonly program: Program;
  /** What the file exports as `inputs`, or the project has as defaults: examples of what the crew asks for. */
  readonly inputs: Inputs;
  /** What a CrewAI project means differently here. */
  readonly notes: readonly ProjectNote[];
  /** Its file, or its project's folder: what loads it again. */
  readonly origin: string;
  /** What it runs with: a project's own .env stands below the environment. Holds keys: not for printing. */
  readonly env: Env;
};

/** What a crew is loaded in. */
export type CrewScene = { readonly clock: Clock; readonly env: () => Env };

/**
 * Loads a crew or a flow.
 * @param path A file, or a folder with one of CREW_FILES or with a CrewAI project.
 * @throws BosunError `usage` for a path that is none, `crew/invalid` for a file without one crew or that fails to load,
 *   a crew's own `crew/…` error with its place in front.
 */
export async function loadCrew(path: string, scene: CrewScene): Promise<Loaded> {
  const found = findCrew(path);
  const env = scene.env();
  if (found.type === "file") return { ...(await loadFile(found.file)), env, origin: found.file };
  const { loadProject } = await import("../orchestration/crew/project/load.ts");
  const nowMs = scene.clock.now();
  const { options, ...loaded } = await loadProject(found.folder, { nowMs, env });
  return { ...loaded, program: defineCrew(options), origin: resolve(found.folder) };
}

async function loadFile(file: string): Promise<Omit<Loaded, "env" | "origin">> {
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
  return { program: pickProgram(shown, exported), inputs, notes: [] };
}

/** In the order in which a folder is searched. */
export const CREW_FILES = [
  "crew.ts",
  "crew.js",
  "crew.mjs",
  "flow.ts",
  "flow.js",
  "index.ts",
  "index.js",
] as const;

/** Where a crew stands: a file that is loaded, or the folder of a CrewAI project, which is read. */
export type CrewPlace =
  | { readonly type: "file"; readonly file: string }
  | { readonly type: "project"; readonly folder: string };

/**
 * Where the crew of a path stands. A folder's own crew file comes before a CrewAI project in it.
 * @throws BosunError `usage` for a path that leads to no crew, or to several.
 */
export function findCrew(path: string): CrewPlace {
  const full = resolve(path);
  const stats = statSync(full, { throwIfNoEntry: false });
  if (!stats) throw new BosunError("usage", `there is no file or folder "${path}"`);
  if (stats.isDirectory()) return findInFolder(path, full);
  if (/\.[cm]?[jt]s$/.test(full)) return { type: "file", file: full };
  if (/\.(ya?ml|py|jsonc?)$/.test(full)) return projectOf(path);
  throw new BosunError(
    "usage",
    `"${path}" is no file of a crew or a flow: it must end in .ts, .mts, .js or .mjs, or be a file of a CrewAI project`,
  );
}

/** One of a project's files stands for its project. */
function projectOf(path: string): CrewPlace {
  const own = dirname(path);
  const isInside = ["config", "agents"].includes(basename(resolve(own)));
  const folder = isInside ? join(own, "..") : own;
  if (findLayout(folder)) return { type: "project", folder };
  throw new BosunError(
    "usage",
    `"${path}" is no file of a CrewAI project: there is no crew.json(c) and no agents.yaml around it`,
  );
}

function findInFolder(path: string, folder: string): CrewPlace {
  const name = crewFileIn(folder);
  if (name !== undefined) return { type: "file", file: join(folder, name) };
  if (findLayout(path)) return { type: "project", folder: path };
  const crews = subFoldersWithCrew(folder).map((one) => join(path, one));
  if (crews.length > 0)
    throw new BosunError(
      "usage",
      `the folder "${path}" has no crew or flow itself, but folders in it do: ${crews.join(", ")}`,
    );
  throw new BosunError(
    "usage",
    `the folder "${path}" has no crew and no flow: none of ${CREW_FILES.join(", ")}, and no CrewAI project. "${commandName()} init ${path}" writes a small one`,
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

async function importFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const loaded: unknown = await import(pathToFileURL(file).href);
    return isObject(loaded) ? loaded : {};
  } catch (error) {
    throw toLoadError(error, file);
  }
}

/** The default export, else the only flow, else the only crew: crews of a file with a flow are parts of it. */
function pickProgram(shown: string, exported: Readonly<Record<string, unknown>>): Program {
  const standard = programIn(exported["default"]);
  if (standard) return standard;
  const programs = Object.entries(exported).flatMap(([name, value]) =>
    isCrew(value) || isFlow(value) ? [{ name, program: value }] : [],
  );
  const flows = programs.filter(({ program }) => program.type === "flow");
  const found = flows.length > 0 ? flows : programs;
  const [first, ...others] = found;
  if (first && others.length === 0) return first.program;
  const names = exportNames(exported).join(", ") || "nothing";
  if (first)
    throw new BosunError(
      "crew/invalid",
      `${shown} exports several ${flows.length > 0 ? "flows" : "crews"} (${found.map(({ name }) => name).join(", ")}): export the one to run as default`,
    );
  throw new BosunError(
    "crew/invalid",
    `${shown} has no crew and no flow: it exports ${names}. Write: export default crew({ name, tasks }), or export default flow(name, options, steps)`,
  );
}

/** What the user wrote: Node adds "module.exports" and a default to what a CommonJS file exports. */
function exportNames(exported: Readonly<Record<string, unknown>>): readonly string[] {
  const names = Object.keys(exported);
  const added = names.includes("module.exports") ? ["module.exports", "default"] : [];
  return names.filter((name) => !added.includes(name));
}

/** A flow, a crew, or one of a single agent that takes a message. */
function programIn(value: unknown): Program | undefined {
  if (isCrew(value) || isFlow(value)) return value;
  const isAgent = isObject(value) && value["type"] === "agent" && typeof value["role"] === "string";
  return isAgent ? crewOfAgent(value as unknown as Agent) : undefined; // `as`: by its tag, not its class
}

function isFlow(value: unknown): value is Flow {
  return isObject(value) && value["type"] === "flow" && isObject(value["steps"]);
}

/** By its tag, not its class: a crew is plain data. */
function isCrew(value: unknown): value is Crew {
  return isObject(value) && value["type"] === "crew" && Array.isArray(value["tasks"]);
}
