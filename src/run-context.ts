// Before a run: everything that can be wrong with it is found here, and everything that it needs is put together.

import { openQuestions } from "./answer.ts";
import { createAbort, type RunOptions } from "./run-option.ts";
import { RUN_OPTIONS } from "./bosun-option.ts";
import { type Resolver, settingsOf } from "./alias.ts";
import type { Clock } from "./clock.ts";
import { BosunError } from "./error.ts";
import type { ModelRef } from "./inference/model/endpoint.ts";
import type { FleetWatch } from "./inference/pool/fleet-watch.ts";
import type { Pool } from "./inference/pool/pool.ts";
import { isObject } from "./json.ts";
import { allTasks } from "./orchestration/crew/cast.ts";
import { checkInputs, type Crew } from "./orchestration/crew/crew.ts";
import type { Inputs } from "./orchestration/crew/input.ts";
import { checkOptions } from "./orchestration/crew/option.ts";
import { mergeLimits, type RunLimits } from "./orchestration/crew/run-limit.ts";
import { planCrew } from "./orchestration/plan/plan.ts";
import { type Budget, createBudget } from "./orchestration/run/budget.ts";
import { bothBudgets, budgetWithin } from "./orchestration/run/budget-within.ts";
import { describeCrew } from "./orchestration/run/description.ts";
import { createForecast } from "./orchestration/run/forecast.ts";
import type { RunEvent, RunFact } from "./orchestration/run/event.ts";
import { createInputDocuments } from "./orchestration/run/input-document.ts";
import { callHook, changeOf, factOf } from "./orchestration/run/hook.ts";
import { createRunLog } from "./orchestration/run/log.ts";
import { outputFileOf, outputPath } from "./orchestration/run/output-file.ts";
import type { RunContext } from "./orchestration/run/world.ts";
import { createToolRunner, type ToolRunner } from "./orchestration/tool/run.ts";
import type { FleetCheck } from "./own-fleet.ts";
import { checkModels, createRunModels } from "./run-model.ts";
import type { KeptRun } from "./kept-run.ts";
import { checkRunId, newRunId } from "./run-id.ts";
import type { Store } from "./service/store/store.ts";
import type { Sessions } from "./session.ts";

/** What the runs of one Bosun share. */
export type Home = {
  readonly clock: Clock;
  readonly defaultModel: () => ModelRef;
  readonly resolve: Resolver;
  readonly fleet: FleetWatch | undefined;
  readonly checkFleet: FleetCheck;
  readonly contexts: Map<string, RunContext>;
  readonly store: () => Promise<Store | undefined>;
  readonly sessions: Sessions;
  readonly pool: Pool;
  readonly outputFolder: string;
  readonly limits: RunLimits | undefined;
};

/** A run that goes on: what it was started with, and what it has told. */
export type Resumed = Pick<KeptRun, "session" | "hookFacts"> & {
  readonly runId: string;
  readonly stored: readonly RunEvent[];
  /** A crew's run that is a part of a flow's. */
  readonly inside?: Inside | undefined;
};

/** What a crew's run shares with the flow's that it is a part of. */
export type Inside = Pick<RunContext, "log" | "asked" | "budget"> & {
  /** What its context is found by. */
  readonly key: string;
};

/**
 * What a run is bound to, and noted under its id.
 * @param run Of a run that goes on, its inputs are as the crew's hook made them.
 * @throws BosunError before anything is paid for.
 */
export async function prepareRun(
  crew: Crew,
  run: RunOptions,
  home: Home & Pick<RunContext, "noteFailure">,
  resumed?: Resumed,
): Promise<RunContext> {
  checkOptions(`a run of crew "${crew.name}"`, run, RUN_OPTIONS);
  const { clock, contexts, store, outputFolder, noteFailure } = home;
  const plan = planCrew(crew);
  const runId = resumed?.runId ?? run.runId ?? newRunId(clock);
  const { inputs, hookFacts } = await inputsOf(crew, run, { clock, runId, resumed });
  checkInputs(crew, inputs);
  checkOutputFiles(crew, inputs, outputFolder);
  const models = createRunModels(crew, { model: run.model, ...home });
  const limits = resumed?.inside ? crew.limits : limitsOf(crew, run, home);
  const reached = checkModels(crew, models, { pool: home.pool, limits });
  if (home.fleet && !resumed?.inside) await checkEndpoints(reached, run, home);
  const description = await describeCrew(crew);
  const documents = await createInputDocuments(crew, inputs);
  const session = resumed ? resumed.session : await home.sessions.open(run.session, inputs);
  const opened = await store();
  if (!resumed) checkNew(run.runId, contexts, opened);
  const { key, ...own } = ownOf(runId, resumed, { clock, limits, opened });
  let tools: ToolRunner | undefined;
  const context: RunContext = {
    crew,
    plan,
    inputs,
    documents,
    description,
    ...own,
    get tools() {
      return (tools ??= createToolRunner({ clock, cache: crew.cache })); // few agents have tools
    },
    ...models,
    hints: toHints(run, clock.now() + crew.timeoutMs),
    remainingTokens: createForecast({
      crew,
      plan,
      inputs,
      documents,
      description,
      ...models,
      settingsOf: (ref) => settingsOf(ref, home.resolve),
      expectedOf: (agent, task) => home.pool.expectedTokens(agent, task),
    }),
    outputFolder,
    session,
    hookFacts,
    noteFailure,
    showPrompts: run.showPrompts === true,
  };
  contexts.set(key, context); // in the same turn as the check of the id, or two runs could get one
  return context;
}

/** What is the run's own, or the flow's that it is a part of. */
function ownOf(
  runId: string,
  resumed: Resumed | undefined,
  beginning: {
    readonly clock: Clock;
    readonly limits: RunLimits;
    readonly opened: Store | undefined;
  },
): Inside {
  const { clock, limits, opened } = beginning;
  const { inside, stored } = resumed ?? {};
  if (inside) return { ...inside, budget: budgetOf(limits, inside) };
  const log = createRunLog({ runId, clock, record: opened?.record, stored });
  return { key: runId, log, asked: askedIn(resumed), budget: budgetOf(limits) };
}

/** A server may give this process a run that another one began: only who has its crew or its flow can go on with it. */
export function notBound(runId: string): BosunError {
  return new BosunError(
    "run/suspended",
    `run ${runId} is not one of this process: resume it with its crew or its flow, or serve that here`,
    { retryable: true },
  );
}

/** The run has ended here, or goes on elsewhere. */
export function letGo(
  { contexts }: Home,
  { log, documents }: RunContext,
  key: string = log.runId,
): void {
  if (contexts.get(key)?.documents === documents) contexts.delete(key); // not what another execution has bound
  documents[Symbol.dispose]();
}

/** @throws BosunError `usage` for a name that cannot be one, or that is taken. */
export function checkNew(
  given: string | undefined,
  contexts: ReadonlyMap<string, unknown>,
  opened: Store | undefined,
): void {
  if (given === undefined) return;
  checkRunId(given, contexts.has(given) || opened?.find(given)?.runId === given);
}

/** A question of an earlier execution may be answered before the body asks it again. */
export function askedIn(resumed: Pick<Resumed, "stored"> | undefined): Set<string> {
  return new Set(openQuestions(resumed?.stored ?? []).map(({ name }) => name));
}

/** What all calls of a run tell the pool. */
function toHints(
  { tenant, priority, responseCache: cache }: RunOptions,
  deadlineAt: number,
): RunContext["hints"] {
  return { tenant, priority, deadlineAt, cache };
}

/** What a run may use at most: its own limits, the crew's, the Bosun's, the fleet's; the nearer wins. */
export function limitsOf(
  crew: Pick<Crew, "limits">,
  run: Pick<RunOptions, "limits">,
  { limits, fleet }: Pick<Home, "limits" | "fleet">,
): RunLimits {
  return mergeLimits(run.limits, crew.limits, limits, fleet?.fleet().limits);
}

/** What bounds the run, and where it is a part of a flow's, what bounds that. */
export function budgetOf(limits: RunLimits, inside?: Inside): Budget | undefined {
  const own = isBounded(limits) ? createBudget(limits) : undefined;
  const outer = inside?.budget && budgetWithin(inside.budget, inside.key);
  return own && outer ? bothBudgets(own, outer) : (own ?? outer);
}

function isBounded({ usdPerRun, tokensPerRun }: RunLimits): boolean {
  return usdPerRun !== undefined || tokensPerRun !== undefined;
}

/** The same for a crew that a flow runs, once in the flow's run. */
export async function checkCrewEndpoints(crew: Crew, run: RunOptions, home: Home): Promise<void> {
  if (!home.fleet) return;
  const models = createRunModels(crew, { model: run.model, ...home });
  const reached = checkModels(crew, models, { pool: home.pool, limits: crew.limits });
  await checkEndpoints(reached, run, home);
}

/** An endpoint that is not what the fleet says is found now too. */
async function checkEndpoints(
  models: readonly ModelRef[],
  { signal }: RunOptions,
  { checkFleet }: Home,
): Promise<void> {
  using abort = createAbort(signal);
  await checkFleet(models, abort.signal);
}

type Beginning = {
  readonly clock: Clock;
  readonly runId: string;
  readonly resumed: Resumed | undefined;
};

type Begun = { readonly inputs: Inputs; readonly hookFacts: readonly RunFact[] };

/** The crew's hook is asked once in a run's life. */
export async function inputsOf(
  crew: Crew,
  run: RunOptions,
  { resumed, ...beginning }: Beginning,
): Promise<Begun> {
  if (resumed) return { inputs: run.inputs, hookFacts: resumed.hookFacts ?? [] };
  return hookInputs(crew, run, beginning);
}

/** The inputs as the crew's hook wants them. @throws BosunError `hook/blocked`. */
async function hookInputs(
  crew: Crew,
  { inputs, signal }: RunOptions,
  { clock, runId }: Omit<Beginning, "resumed">,
): Promise<Begun> {
  const hook = crew.hooks.beforeKickoff;
  if (hook === undefined) return { inputs, hookFacts: [] };
  using abort = createAbort(signal);
  const called = { subject: { inputs }, clock, runId, signal: abort.signal };
  const outcome = await callHook("beforeKickoff", hook, called);
  const changed = changeOf("beforeKickoff", outcome);
  const fact = factOf("beforeKickoff", outcome);
  return {
    inputs: isObject(changed) ? (changed as Inputs) : inputs, // `as`: JSON, and checkInputs looks at its values
    hookFacts: fact ? [fact] : [],
  };
}

function checkOutputFiles({ tasks }: Crew, inputs: Inputs, folder: string): void {
  const files = new Map<string, string>();
  for (const task of allTasks(tasks)) {
    const { name, outputFile, when } = task;
    if (outputFile === undefined) continue;
    const where = `task "${name}"`;
    const path = outputPath(folder, outputFileOf(outputFile, inputs, where), where);
    const isStandIn = !tasks.includes(task);
    if (isStandIn || when !== undefined) continue; // of those only one may come to write it
    const other = files.get(path);
    if (other !== undefined)
      throw new BosunError(
        "crew/invalid",
        `tasks "${other}" and "${name}" have one outputFile, ${path}: the second would take the first's place. Give them two`,
      );
    files.set(path, name);
  }
}
