// A CrewAI project from its folder to a crew's options: files → located values → definition → agents and tasks.

import { BosunError } from "../../../error.ts";
import type { Env } from "../../../inference/model/http.ts";
import type { Inputs } from "../input.ts";
import { buildCrew, type ProjectCrewOptions } from "./build.ts";
import { withDefaultModel } from "./default-model.ts";
import { type CrewDefinition, defineProject } from "./definition.ts";
import { noteAddress, readEnvironment } from "./environment.ts";
import { type Scene, settleInputs } from "./input-source.ts";
import { readJsonProject } from "./json-project.ts";
import { findLayout, type Layout } from "./layout.ts";
import { createNoteBook, type Place, type ProjectNote } from "./place.ts";
import { readYamlProject } from "./yaml-project.ts";

/** A project that was read. */
export type LoadedProject = {
  readonly definition: CrewDefinition;
  /** What the project gives its inputs by default. */
  readonly inputs: Inputs;
  /** What is different from CrewAI, in the order of the files. */
  readonly notes: readonly ProjectNote[];
  /** The environment that was given, over the project's .env. Holds keys: not for printing. */
  readonly env: Env;
  /** Whether the project has a .env that sets anything. */
  readonly hasOwnEnv: boolean;
};

/** When and where a project is read. */
export type LoadScene = Scene & {
  /** false leaves agents without a model of their own to the run's model, whatever the environment names. Default true. */
  readonly useEnvModel?: boolean | undefined;
};

/**
 * Reads the CrewAI project in a folder. Nothing of it is run.
 * @throws BosunError `usage` for a folder that holds none or several; `crew/…` with file, line and column in the message and in
 *   `details` for what cannot be read or cannot be a crew.
 */
export async function readProject(folder: string, scene: LoadScene): Promise<LoadedProject> {
  const layout = findLayout(folder);
  if (!layout)
    throw new BosunError(
      "usage",
      `the folder "${folder}" holds no CrewAI project: no crew.json(c), and no agents.yaml there, in config/ or in src/<package>/config/`,
    );
  const book = createNoteBook();
  const { nowMs, env: given, useEnvModel = true } = scene;
  const environment = readEnvironment(folder, given);
  const { env, own } = environment;
  const raw =
    layout.type === "json" ? readJsonProject(layout) : await readYamlProject(layout, book.note);
  const defined = defineProject(raw, { root: folder, book, nowMs, environment });
  const from = placeOf(layout, raw.agents[0]?.place);
  const definition = useEnvModel ? withDefaultModel(defined, environment, { book, from }) : defined;
  if (useEnvModel) noteAddress(environment, book.note);
  const inputs = settleInputs(definition.inputs, { nowMs, env });
  const hasOwnEnv = Object.keys(own).length > 0;
  return { definition, inputs, notes: book.all, env, hasOwnEnv };
}

/** Where what the environment says of agents is told. */
function placeOf({ root }: Layout, first: Place | undefined): Place {
  return first ?? { file: root, line: 1, column: 1 };
}

/** The same with the agents and tasks made. @throws as readProject, and what agent() and task() refuse. */
export async function loadProject(
  folder: string,
  scene: LoadScene,
): Promise<LoadedProject & { readonly options: ProjectCrewOptions }> {
  const loaded = await readProject(folder, scene);
  return { ...loaded, options: buildCrew(loaded.definition) };
}
