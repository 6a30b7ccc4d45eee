// A CrewAI project as a crew that can be kicked off. What reads it is loaded at the first call.

import { type Bosun, createBosun, readEnv } from "./bosun.ts";
import { systemClock } from "./clock.ts";
import { crew, type RunnableCrew } from "./crew.ts";
import type { Inputs } from "./orchestration/crew/input.ts";
import type { ProjectNote } from "./orchestration/crew/project/place.ts";

/** A CrewAI project that was read. */
export type CrewProject = {
  /** Its inputs are known only when it is read: the compiler checks none. */
  readonly crew: RunnableCrew;
  /** What the project itself gives as inputs, from crew.json or main.py. */
  readonly inputs: Inputs;
  /** What is different from CrewAI, each with file, line and key. */
  readonly notes: readonly ProjectNote[];
};

/**
 * Reads the CrewAI project in a folder: agents.yaml with tasks.yaml, or crew.json(c) with agents/. Nothing of it is run: a crew.py
 * beside the YAML is read as text. docs/crewai-projects.md lists what becomes of each key.
 * @param options.bosun as in crew(). Without it the project's own .env counts below the environment, and MODEL, MODEL_NAME or
 *   OPENAI_MODEL_NAME is the model of agents that name none.
 * @throws BosunError `usage` for a folder without a project; `crew/…` with file, line and column in message and `details`.
 */
export async function loadCrewProject(
  folder: string,
  { bosun }: { readonly bosun?: Bosun | undefined } = {},
): Promise<CrewProject> {
  const { loadProject } = await import("./orchestration/crew/project/load.ts");
  const useEnvModel = bosun === undefined;
  const scene = { nowMs: systemClock.now(), env: readEnv(), useEnvModel };
  const { options, inputs, notes, env, hasOwnEnv } = await loadProject(folder, scene);
  const home = bosun ?? (hasOwnEnv ? createBosun({ env }) : undefined);
  return { crew: crew({ ...options, bosun: home }), inputs, notes };
}
