// Which models a run asks for what, and whether all of them can be asked and paid: found before anything is paid for.

import { priceOf, type Resolver, settleAlias, withFallbacks } from "./alias.ts";
import { BosunError, toBosunError } from "./error.ts";
import { type ModelRef, nameOf } from "./inference/model/endpoint.ts";
import type { FleetWatch } from "./inference/pool/fleet-watch.ts";
import type { Pool } from "./inference/pool/pool.ts";
import { allTasks, askedAgents } from "./orchestration/crew/cast.ts";
import type { Crew } from "./orchestration/crew/crew.ts";
import { chooseModels, MODEL_USES } from "./orchestration/crew/purpose-model.ts";
import type { RunLimits } from "./orchestration/crew/run-limit.ts";
import type { RunContext } from "./orchestration/run/world.ts";

/** How a run finds its models. */
export type RunModels = Pick<RunContext, "modelsOf" | "modelsFor" | "priceOf">;

type Given = {
  /** The run's own model: it is used for everything. */
  readonly model: ModelRef | undefined;
  readonly defaultModel: () => ModelRef;
  readonly resolve: Resolver;
  readonly fleet: FleetWatch | undefined;
};

export function createRunModels(
  crew: Crew,
  { model, defaultModel, resolve, fleet }: Given,
): RunModels {
  const settle = (refs: readonly ModelRef[]): readonly [ModelRef, ...ModelRef[]] => {
    const [given, ...others] = model === undefined ? refs : [model];
    const [first, ...fallbacks] = withFallbacks([given ?? defaultModel(), ...others], fleet);
    return [settleAlias(first, resolve), ...fallbacks.map((ref) => settleAlias(ref, resolve))];
  };
  return {
    modelsOf: ({ models }) => settle(models),
    modelsFor: (use, agent) => settle(chooseModels(crew.models, use, agent?.models ?? [])),
    priceOf: (ref) => priceOf(ref, resolve, fleet),
  };
}

/** Models that a run may ask, and what for. */
type Reachable = { readonly whose: string; readonly models: readonly [ModelRef, ...ModelRef[]] };

/**
 * Looks at every model that a run may ask: later, the tasks before it would have been paid for.
 * @throws BosunError `model/unknown` for one that nobody can call, `config/invalid` for one without a price in a run with `usdPerRun`.
 * @returns all that may be called.
 */
export function checkModels(
  crew: Crew,
  models: RunModels,
  { pool, limits }: { readonly pool: Pool; readonly limits: RunLimits },
): readonly ModelRef[] {
  const all = reachable(crew, models);
  for (const { whose, models: refs } of all) {
    try {
      pool.check(refs);
    } catch (error) {
      const { code, message } = toBosunError(error, "model/unknown", whose);
      throw new BosunError(code, `${whose}: ${message}`, { cause: error });
    }
    const unpriced = refs.find((ref) => models.priceOf(ref) === undefined);
    if (limits.usdPerRun === undefined || unpriced === undefined) continue;
    throw new BosunError(
      "config/invalid",
      `${whose}: usdPerRun bounds what the run costs, but the model ${nameOf(unpriced)} has no price. ` +
        "Give it usdPerMillionTokens: { input, output }, or bound tokensPerRun instead",
    );
  }
  return [...new Set(all.flatMap(({ models: refs }) => refs))];
}

function reachable(crew: Crew, { modelsOf, modelsFor }: RunModels): readonly Reachable[] {
  const { planning, planningModel, manager, models } = crew;
  const agents = askedAgents(crew.tasks, crew).map((agent) => ({
    whose: `agent "${agent.name}"`,
    models: modelsFor(agent === manager ? "manager" : "worker", agent),
  }));
  const plan =
    planningModel === undefined ? modelsFor("plan") : modelsOf({ models: [planningModel] });
  const planner = planning ? [{ whose: `the planner of crew "${crew.name}"`, models: plan }] : [];
  const judges = allTasks(crew.tasks).flatMap(({ name, guardrails }) =>
    guardrails.flatMap((guardrail) =>
      typeof guardrail === "object" && guardrail.model !== undefined
        ? [
            {
              whose: `a guardrail of task "${name}"`,
              models: modelsOf({ models: [guardrail.model] }),
            },
          ]
        : [],
    ),
  );
  const chosen = MODEL_USES.filter((use) => models[use] !== undefined).map((use) => ({
    whose: `models.${use} of crew "${crew.name}"`,
    models: modelsFor(use),
  }));
  return [...agents, ...planner, ...judges, ...chosen];
}
