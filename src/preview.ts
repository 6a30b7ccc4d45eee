// What a run will send, before it is started: asks endpoints what they are, and no model anything.

import { RUN_OPTIONS } from "./bosun-option.ts";
import type { ModelRef } from "./inference/model/endpoint.ts";
import type { Pool } from "./inference/pool/pool.ts";
import { askedAgents } from "./orchestration/crew/cast.ts";
import { checkInputs, type Crew } from "./orchestration/crew/crew.ts";
import { checkOptions } from "./orchestration/crew/option.ts";
import { planCrew } from "./orchestration/plan/plan.ts";
import { describeCrew } from "./orchestration/run/description.ts";
import { createInputDocuments } from "./orchestration/run/input-document.ts";
import { planPrompts, type PromptPlan } from "./orchestration/run/prompt-plan.ts";
import { servedName, settingsOf } from "./alias.ts";
import { type Home, limitsOf } from "./run-context.ts";
import { checkModels, createRunModels, type RunModels } from "./run-model.ts";
import { createAbort, type RunOptions } from "./run-option.ts";

/** What a preview looks at: as a run's own options. */
export type PreviewOptions = Pick<RunOptions, "inputs" | "model" | "limits" | "signal">;

/**
 * What a run of a crew with these inputs will send. Calls no model and no hook, keeps nothing.
 * @throws BosunError as the start of the run would: a missing input, an unknown model, a limit in dollars without a price, an endpoint
 * that is not what the fleet says.
 */
export async function previewCrew(
  crew: Crew,
  options: PreviewOptions,
  home: Pick<Home, "pool" | "defaultModel" | "resolve" | "limits" | "fleet" | "checkFleet">,
): Promise<PromptPlan> {
  checkOptions(`a preview of crew "${crew.name}"`, options, RUN_OPTIONS);
  const { inputs, model, signal } = options;
  const plan = planCrew(crew);
  checkInputs(crew, inputs);
  const models = createRunModels(crew, { model, ...home });
  const limits = limitsOf(crew, options, home);
  const reached = checkModels(crew, models, { pool: home.pool, limits });
  using abort = createAbort(signal);
  await home.checkFleet(reached, abort.signal);
  const description = await describeCrew(crew);
  const contexts = await askContexts(refsOf(crew, models), home.pool, abort.signal);
  using documents = await createInputDocuments(crew, inputs);
  const run = { crew, plan, inputs, documents, description, limits, ...models };
  const { resolve } = home;
  return planPrompts(run, {
    contextOf: (ref) => contexts.get(keyOf(ref)),
    settingsOf: (ref) => settingsOf(ref, resolve),
    servedName: (ref) => servedName(ref, resolve),
    expectedOf: (agent, task) => home.pool.expectedTokens(agent, task),
  });
}

function refsOf(crew: Crew, { modelsFor }: RunModels): readonly ModelRef[] {
  return askedAgents(crew.tasks, crew).flatMap((agent) =>
    modelsFor(agent === crew.manager ? "manager" : "worker", agent),
  );
}

/** Contexts by model, each asked once. An endpoint that is down says nothing. */
async function askContexts(
  refs: readonly ModelRef[],
  pool: Pool,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number | undefined>> {
  const byKey = new Map(refs.map((ref) => [keyOf(ref), ref]));
  const asked = [...byKey].map(async ([key, ref]) => {
    const tokens = await pool.contextTokens([ref], signal);
    return [key, tokens] as const;
  });
  return new Map(await Promise.all(asked));
}

/** An alias is resolved to a new object each time: equal ones are one model. */
function keyOf(ref: ModelRef): string {
  return JSON.stringify(ref);
}
