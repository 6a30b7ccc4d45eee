// Where the files of a CrewAI project stand. Looks at names only; knows nothing of what is in them but "@CrewBase" and imports of crewai.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { BosunError } from "../../../error.ts";

/** The files of a project, relative to its root. */
export type Layout =
  | {
      readonly type: "yaml";
      readonly root: string;
      readonly agents: string;
      readonly tasks: string;
      /** The crew's Python file. */
      readonly code: string | undefined;
      /** Where the run's inputs stand, if anywhere. */
      readonly main: string | undefined;
      /** The folder of its own tools, which need not be there. */
      readonly tools: string;
    }
  | {
      readonly type: "json";
      readonly root: string;
      readonly crew: string;
      readonly agents: string;
      readonly tools: string;
    };

/** In the order in which CrewAI looks. */
const JSON_NAMES = ["crew.jsonc", "crew.json"] as const;
const YAML_ENDINGS = ["yaml", "yml"] as const;
/** Most entries of a folder that are looked into. */
const MAX_ENTRIES = 1_000;
/** Largest Python file that is looked into for what tells a crew. */
const MAX_CODE_BYTES = 1_048_576;

/**
 * The files of the project in a folder; undefined when there is none: no crew.json(c) and no agents.yaml in the folder itself, in
 * config/ or in src/<package>/config/.
 * @throws BosunError `usage` when the folder holds several, with their folders, or a crew that is Python alone.
 */
export function findLayout(root: string): Layout | undefined {
  const crew = JSON_NAMES.find((name) => existsSync(join(root, name)));
  if (crew !== undefined) return { type: "json", root, crew, agents: "agents", tools: "tools" };
  const folders = ["", "config", ...packagesOf(root)].filter((folder) =>
    agentsFileIn(join(root, folder)),
  );
  const [folder, ...others] = folders;
  if (folder === undefined) return severalIn(root);
  if (others.length > 0 && folder.startsWith("src")) throw several(root, folders);
  const tasks = YAML_ENDINGS.map((ending) => `tasks.${ending}`).find((name) =>
    existsSync(join(root, folder, name)),
  );
  const home = basename(join(root, folder)) === "config" ? join(folder, "..") : folder;
  return {
    type: "yaml",
    root,
    agents: join(folder, agentsFileIn(join(root, folder)) ?? "agents.yaml"),
    tasks: join(folder, tasks ?? "tasks.yaml"),
    code: codeIn(root, home),
    main: existsSync(join(root, home, "main.py")) ? join(home, "main.py") : undefined,
    tools: join(home, "tools"),
  };
}

function agentsFileIn(folder: string): string | undefined {
  return YAML_ENDINGS.map((ending) => `agents.${ending}`).find((name) =>
    existsSync(join(folder, name)),
  );
}

/** src/<package>/config of each package. */
function packagesOf(root: string): readonly string[] {
  return foldersIn(join(root, "src")).map((name) => join("src", name, "config"));
}

/** A project of a flow has several crews, each in a folder of its own: they are named instead of guessed at. */
function severalIn(root: string): undefined {
  const homes = foldersIn(join(root, "src")).map((name) => join("src", name, "crews"));
  const crews = ["crews", ...homes].flatMap((home) =>
    foldersIn(join(root, home)).map((name) => join(home, name)),
  );
  const found = crews.filter((crew) =>
    [crew, join(crew, "config")].some((folder) => agentsFileIn(join(root, folder)) !== undefined),
  );
  if (found.length > 0) throw several(root, found);
  const python = pythonCrewIn(root);
  if (python.length > 0) throw inPython(root, python);
}

/** Files of a crew whose agents are made in Python alone. */
const PYTHON_NAMES: readonly string[] = ["agents.py", "tasks.py", "crew.py", "main.py"];
const IMPORT = /^\s*(?:from|import) crewai\b/m;

/** Such files in the folder or in src/<package>: those that import crewai. */
function pythonCrewIn(root: string): readonly string[] {
  const homes = ["", "src", ...foldersIn(join(root, "src")).map((name) => join("src", name))];
  return homes
    .flatMap((home) => PYTHON_NAMES.map((name) => join(home, name)))
    .filter((name) => holds(join(root, name), IMPORT));
}

function inPython(root: string, files: readonly string[]): BosunError {
  const message =
    `the folder "${root}" holds a CrewAI crew whose agents and tasks are written in Python (${files.join(", ")}), which is not run and ` +
    "cannot be read. Write their texts into agents.yaml and tasks.yaml in that folder, as docs/crewai-projects.md shows, or the crew as a crew.ts: bosun init FOLDER writes one to begin with";
  return new BosunError("usage", message);
}

function several(root: string, folders: readonly string[]): BosunError {
  const shown = folders.map((folder) => join(root, folder.replace(/[/\\]config$/, "")));
  const message = `the folder's CrewAI crews stand in folders of their own: name one of ${shown.slice(0, 10).join(", ")}`;
  return new BosunError("usage", message);
}

function foldersIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .slice(0, MAX_ENTRIES)
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}

/** crew.py, or the only Python file with a class that is decorated as a crew. */
function codeIn(root: string, home: string): string | undefined {
  const folder = join(root, home);
  if (existsSync(join(folder, "crew.py"))) return join(home, "crew.py");
  const [found, ...others] = readdirSync(folder)
    .slice(0, MAX_ENTRIES)
    .filter((name) => name.endsWith(".py") && isCrewCode(join(folder, name)));
  return found === undefined || others.length > 0 ? undefined : join(home, found);
}

function isCrewCode(path: string): boolean {
  return holds(path, /@CrewBase/);
}

/** Whether a file that is not too large has such a text. */
function holds(path: string, text: RegExp): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  const isRead = stats?.isFile() && stats.size <= MAX_CODE_BYTES;
  return isRead ? text.test(readFileSync(path, "utf8")) : false;
}
