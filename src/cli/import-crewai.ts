// `bosun import crewai`: a CrewAI project as TypeScript, in a folder of its own. Nothing that is there is changed.

import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { BosunError, messageOf } from "../error.ts";
import { defineCrew } from "../orchestration/crew/crew.ts";
import type { ProjectNote } from "../orchestration/crew/project/place.ts";
import { commandName } from "./command-name.ts";
import { EXIT } from "./failure.ts";
import { packageName, quoted } from "./init.ts";
import { inputNamesOf } from "./input.ts";
import { GITIGNORE, importedReadme, packageJson, TSCONFIG } from "./init-files.ts";
import { projectNoteLines } from "./project-note.ts";
import { type Terminal, writeLines } from "./terminal.ts";
import { bosunVersion } from "./version.ts";

/** The flags of `import crewai`, as commander gives them. */
export type ImportFlags = {
  readonly out?: string | undefined;
  readonly json?: boolean | undefined;
};

/**
 * Writes the project's crew as TypeScript.
 * @throws BosunError `usage` for a folder that is not empty or cannot be written; as loadCrewProject for the project.
 * @returns the exit code.
 */
export async function importCrewAi(
  folder: string,
  flags: ImportFlags,
  terminal: Terminal,
): Promise<number> {
  const { loadProject } = await import("../orchestration/crew/project/load.ts");
  const { renderCrew } = await import("../orchestration/crew/project/render.ts");
  const target = resolve(flags.out ?? `${resolve(folder)}-bosun`);
  checkTarget(target);
  const scene = { nowMs: terminal.clock.now(), env: terminal.env() };
  const { definition, options, inputs, notes } = await loadProject(folder, scene);
  const missing = inputNamesOf(defineCrew(options)).filter((name) => !Object.hasOwn(inputs, name));
  const name = packageName(target);
  const version = bosunVersion();
  const files = {
    "crew.ts": renderCrew(definition, { project: folder, target }),
    "package.json": packageJson(name, version),
    "tsconfig.json": TSCONFIG,
    ".gitignore": GITIGNORE,
    "README.md": importedReadme(name, { version, missing }),
  };
  writeFiles(target, files);
  tell(terminal, { target, paths: Object.keys(files), notes, missing, json: flags.json ?? false });
  return EXIT.done;
}

function checkTarget(target: string): void {
  if (!existsSync(target)) return;
  const isEmpty = statSync(target).isDirectory() && readdirSync(target).length === 0;
  if (isEmpty) return;
  throw new BosunError(
    "usage",
    `"${relative(process.cwd(), target) || "."}" is there and not empty: nothing is overwritten. Give another folder with --out`,
  );
}

function writeFiles(target: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    try {
      mkdirSync(target, { recursive: true });
      writeFileSync(join(target, name), text, { flag: "wx" });
    } catch (cause) {
      const message = `${join(basename(target), name)} cannot be written: ${messageOf(cause)}`;
      throw new BosunError("usage", message, { cause });
    }
  }
}

type Told = {
  readonly target: string;
  readonly paths: readonly string[];
  readonly notes: readonly ProjectNote[];
  /** Inputs that the project gives no value. */
  readonly missing: readonly string[];
  readonly json: boolean;
};

function tell({ out, err }: Terminal, { target, paths, notes, missing, json }: Told): void {
  const here = relative(process.cwd(), target);
  if (json) {
    out.write(`${JSON.stringify({ folder: target, files: paths, notes })}\n`);
    return;
  }
  writeLines(err, projectNoteLines(notes, err.paint, { withNotes: true }));
  const lines = paths.map((path) => `wrote  ${join(here, path)}`);
  const flags = missing.map((name) => ` --input ${name}=…`).join("");
  writeLines(out, [...lines, "", `Next: ${commandName()} run ${quoted(here)}${flags}`]);
}
