// A CrewAI project from its folder to a crew's options: files → located values → definition → agents and tasks.

import { BosunError } from "../../../error.ts";
import type { Inputs } from "../input.ts";
import { buildCrew, type ProjectCrewOptions } from "./build.ts";
import { type CrewDefinition, defineProject } from "./definition.ts";
import { readJsonProject } from "./json-project.ts";
import { findLayout } from "./layout.ts";
import { createNoteBook, type ProjectNote } from "./place.ts";
import { readYamlProject } from "./yaml-project.ts";

/** A project that was read. */
export type LoadedProject = {
  readonly definition: CrewDefinition;
  /** What the project gives its inputs by default. */
  readonly inputs: Inputs;
  /** What is different from CrewAI, in the order of the files. */
  readonly notes: readonly ProjectNote[];
};

/**
 * Reads the CrewAI project in a folder. Nothing of it is run.
 * @throws BosunError `usage` for a folder that holds none or several; `crew/…` with file, line and column in the message and in
 *   `details` for what cannot be read or cannot be a crew.
 */
export async function readProject(folder: string): Promise<LoadedProject> {
  const layout = findLayout(folder);
  if (!layout)
    throw new BosunError(
      "usage",
      `the folder "${folder}" holds no CrewAI project: no crew.json(c), and no agents.yaml there, in config/ or in src/<package>/config/`,
    );
  const book = createNoteBook();
  const raw =
    layout.type === "json" ? readJsonProject(layout) : await readYamlProject(layout, book.note);
  const definition = defineProject(raw, folder, book);
  return { definition, inputs: definition.inputs, notes: book.all };
}

/** The same with the agents and tasks made. @throws as readProject, and what agent() and task() refuse. */
export async function loadProject(
  folder: string,
): Promise<LoadedProject & { readonly options: ProjectCrewOptions }> {
  const loaded = await readProject(folder);
  return { ...loaded, options: buildCrew(loaded.definition) };
}
