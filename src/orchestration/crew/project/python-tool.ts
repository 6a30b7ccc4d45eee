// Tools of a project's own, which are Python: what a model is told of them, as far as it can be read. Nothing of them is run.

import { readdirSync, type Stats, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { JsonObject } from "../../../json.ts";
import type { Place } from "./place.ts";
import {
  type Method,
  parametersOf,
  type PythonClass,
  type PythonFile,
  readPython,
} from "./python-file.ts";
import { type FoundSchema, schemaOf, schemaOfParameters } from "./python-model.ts";
import { createScope } from "./python-scope.ts";
import { readSource } from "./source.ts";
import type { Located } from "./value.ts";

/** A tool that has to be written anew. */
export type ToolStub = {
  readonly type: "stub";
  /** As models see it. */
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonObject;
  /** What it is called in Python, and where it stands; undefined when it was not found. */
  readonly python: string;
  readonly place: Place | undefined;
};

/** Most files that are looked into. */
const MAX_FILES = 100;

/**
 * The Python files in a folder of tools, and the one beside it that is called as it. Files that cannot be read are none of them: they
 * are only looked into for descriptions.
 */
export function readToolFiles(root: string, folder: string): readonly PythonFile[] {
  const statsOf = (path: string): Stats | undefined =>
    statSync(join(root, path), { throwIfNoEntry: false });
  const inside = statsOf(folder)?.isDirectory() ? readdirSync(join(root, folder)) : [];
  return [`${folder}.py`, ...inside.toSorted().map((name) => join(folder, name))]
    .filter((path) => path.endsWith(".py") && statsOf(path)?.isFile())
    .slice(0, MAX_FILES)
    .flatMap((path) => {
      try {
        return [readPython(readSource(root, path))];
      } catch {
        return []; // the tool is still told, and its stub has no description
      }
    });
}

/** The stub of a class, of a function with @tool, or of the file `tools/<name>.py` that `custom:<name>` means. */
export function toolStub(name: string, files: readonly PythonFile[]): ToolStub {
  const python = name.replace(/^custom:/, "");
  for (const file of files) {
    const isOwn = name !== python && basename(file.file) === `${python}.py`;
    const found =
      file.classes.find((one) => one.name === python || (isOwn && isTool(one))) ??
      [...file.methods, ...file.helpers].find((one) => one.name === python);
    if (!found) continue;
    return "body" in found ? ofClass(found, python, file) : ofFunction(found, python, file);
  }
  return { ...UNKNOWN, name: toToolName(python), python, place: undefined };
}

const UNKNOWN = {
  type: "stub",
  description: "What it does, and when to use it.",
  parameters: { type: "object", properties: {}, additionalProperties: true },
} as const;

function isTool({ bases }: PythonClass): boolean {
  return bases.some((base) => base.endsWith("Tool"));
}

function ofClass(found: PythonClass, python: string, file: PythonFile): ToolStub {
  const { attributes, body, place } = found;
  const scope = createScope(file);
  const schema = attributes.get("args_schema");
  const run = parametersOf(body, "_run") ?? [];
  const parameters =
    schema?.type === "python" ? schemaOf(schema.text, scope) : schemaOfParameters(run, scope);
  return {
    type: "stub",
    name: toToolName(textOf(attributes.get("name")) ?? python),
    description: textOf(attributes.get("description")) ?? UNKNOWN.description,
    parameters: schemaOr(parameters),
    python,
    place,
  };
}

function ofFunction(found: Method, python: string, file: PythonFile): ToolStub {
  const { title, doc, parameters, place } = found;
  return {
    type: "stub",
    name: toToolName(title ?? python),
    description: doc?.replaceAll(/\s+/g, " ").trim() || UNKNOWN.description,
    parameters: schemaOr(schemaOfParameters(parameters, createScope(file))),
    python,
    place,
  };
}

function schemaOr(found: FoundSchema): JsonObject {
  return found.type === "schema" ? found.schema : UNKNOWN.parameters;
}

function textOf(value: Located | undefined): string | undefined {
  const text = value?.type === "scalar" && typeof value.value === "string" ? value.value : "";
  return text.replaceAll(/\s+/g, " ").trim() || undefined;
}

/** Names that tools of Bosun have. */
const TAKEN: readonly string[] =
  "fetch_url calculator read_file search_docs delegate_work ask_coworker send_back".split(" ");

/** `Tide table` and `TideTable` → tide_table, as CrewAI makes a tool's name for the model. */
function toToolName(text: string): string {
  const name = text
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "")
    .slice(0, 60);
  return TAKEN.includes(name) ? `own_${name}` : name || "own_tool";
}
