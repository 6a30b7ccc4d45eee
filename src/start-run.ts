// Starting a run, going on with one, and beginning one from another's steps: what is common to them is its following to its end.

import { answeredIn } from "./answer.ts";
import { BosunError } from "./error.ts";
import { type Causes, createCauses, followRun, type StartedRun } from "./follow-run.ts";
import type { JsonObject } from "./json.ts";
import { checkUnchanged, type KeptRun, readKeptRun, toKeptRun, toRunOptions } from "./kept-run.ts";
import type { Crew } from "./orchestration/crew/crew.ts";
import type { Flow } from "./orchestration/durable/durable.ts";
import type { RunHandle, StartOptions } from "./orchestration/durable/engine.ts";
import type { InlineEngine } from "./orchestration/durable/inline.ts";
import type { CrewInput } from "./orchestration/run/crew.ts";
import type { Outcome } from "./orchestration/run/progress.ts";
import { applyEvents, EMPTY_RUN, type RunState } from "./orchestration/run/state.ts";
import type { RunContext } from "./orchestration/run/world.ts";
import { keepBefore } from "./fork.ts";
import { type Home, letGo, prepareRun } from "./run-context.ts";
import { createServedFlow } from "./served-flow.ts";
import { requireJournal, type RunEngine } from "./run-engine.ts";
import { checkRunId, newRunId } from "./run-id.ts";
import { type ForkOptions, type ResumeOptions, type RunOptions } from "./run-option.ts";

/** What starting a run needs besides its context. */
export type Starting = Home & {
  readonly engine: RunEngine;
  readonly crewFlow: Flow<CrewInput, Outcome>;
};

/** @throws BosunError before anything is paid for. */
export async function startRun(crew: Crew, run: RunOptions, home: Starting): Promise<StartedRun> {
  const engine = await home.engine.open();
  const causes = createCauses();
  const context = await prepareRun(crew, run, { ...home, ...causes });
  const { runId } = context.log;
  try {
    if (run.runId !== undefined) checkRunId(runId, (await engine.find?.(runId)) !== undefined);
  } catch (error) {
    letGo(home, context);
    throw error;
  }
  const kept = toKeptRun(run, context);
  const begin = async (options: StartOptions): Promise<BegunCrew> => {
    try {
      return { handle: await engine.start(home.crewFlow, kept, options), context };
    } catch (error) {
      letGo(home, context);
      throw error;
    }
  };
  return followCrew(run, { home, engine, crew, runId, begin, ...causes });
}

/** Goes on with a run. @throws BosunError as Bosun.resume. */
export async function resumeRun(
  crew: Crew,
  runId: string,
  options: ResumeOptions,
  home: Starting,
): Promise<StartedRun> {
  const engine = await requireJournal(home.engine);
  engine.register(home.crewFlow);
  engine.register(createServedFlow(crew, home)); // of a run that was put into a queue
  const kept = readKeptRun(await engine.input(runId), runId);
  if (kept.crew !== crew.name)
    throw new BosunError(
      "run/changed",
      `run ${runId} is one of crew "${kept.crew}", not of "${crew.name}"`,
    );
  if (options.acceptChanges !== true) checkUnchanged(crew, kept, runId);
  const run = toRunOptions(kept, options, runId);
  const causes = createCauses();
  const prepared = Promise.withResolvers<RunContext>();
  prepared.promise.catch(() => undefined); // awaited below, unless the run cannot be taken at all
  const store = await home.store();
  const answered = options.onAsk ? answeredIn(await engine.steps(runId)) : undefined;
  const prepare = async (): Promise<void> => {
    try {
      const resumed = { ...kept, runId, stored: store?.resume(runId) ?? [] };
      prepared.resolve(await prepareRun(crew, run, { ...home, ...causes }, resumed));
    } catch (error) {
      prepared.reject(error);
      throw error;
    }
  };
  const begin = async (limits: StartOptions): Promise<BegunCrew> => {
    const resuming = engine.resume<Outcome>(runId, { ...limits, prepare });
    // What it was bound to before it failed.
    resuming.catch(() =>
      prepared.promise.then(
        (context) => letGo(home, context),
        () => undefined,
      ),
    );
    const handle = await resuming;
    handle.result().catch(() => undefined); // whoever follows it gets it
    return { handle, context: await prepared.promise };
  };
  return followCrew(run, { home, engine, crew, runId, begin, answered, ...causes });
}

/** Begins a run from another one's steps. @throws BosunError as Bosun.fork. */
export async function forkRun(
  crew: Crew,
  runId: string,
  options: ForkOptions,
  home: Starting,
): Promise<StartedRun> {
  const engine = await requireJournal(home.engine);
  const { from, inputs, model, runId: id = newRunId(home.clock), ...rest } = options;
  checkRunId(id, (await engine.find(id)) !== undefined);
  const kept = readKeptRun(await engine.input(runId), runId);
  const steps = await engine.steps(runId);
  const input: KeptRun = {
    ...kept,
    inputs: { ...kept.inputs, ...(inputs as JsonObject | undefined) }, // `as`: prepareRun looks at them
    ...(typeof model === "string" ? { model } : {}),
    forkedFrom: runId,
  };
  await engine.fork(runId, {
    id,
    input,
    keep: keepBefore({ crew, steps, from, finished: await finishedIn(home, runId) }),
  });
  return resumeRun(crew, id, { ...rest, model, acceptChanges: true }, home);
}

/** Tasks of a run that need not be done again. */
async function finishedIn({ store }: Home, runId: string): Promise<ReadonlySet<string>> {
  const events = (await store())?.events(runId) ?? [];
  const { tasks } = applyEvents(EMPTY_RUN, events);
  const isFinished = new Set<string>(["done", "partial", "skipped"]);
  const finished = Object.values(tasks).filter(({ status }) => isFinished.has(status));
  return new Set(finished.map(({ name }) => name));
}

/** The run of a crew, followed. */
async function followCrew(
  run: RunOptions,
  following: Causes & {
    readonly home: Starting;
    readonly engine: InlineEngine;
    readonly crew: Crew;
    readonly runId: string;
    readonly begin: (options: StartOptions) => Promise<BegunCrew>;
    readonly answered?: ReadonlySet<string> | undefined;
  },
): Promise<StartedRun> {
  const { home, crew, runId, begin } = following;
  const { name, timeoutMs } = crew;
  return followRun(run, {
    ...following,
    kind: "crew",
    name,
    timeoutMs,
    clock: home.clock,
    isKept: (await home.engine.journal()) !== undefined,
    logOf: () => home.contexts.get(runId)?.log,
    async begin(options) {
      const { handle, context } = await begin(options);
      const { log, asked } = context;
      const letGoOf = (): void => letGo(home, context);
      return {
        handle,
        log,
        asked,
        letGo: letGoOf,
        note: (state) => noteTurn(home, context, state),
      };
    },
  });
}

/** A crew's run that is executed here. */
type BegunCrew = { readonly handle: RunHandle<Outcome>; readonly context: RunContext };

/** A run that ended well is a turn of its conversation; a store has it already. */
async function noteTurn(
  { store, sessions }: Home,
  { session, inputs }: RunContext,
  state: RunState,
): Promise<void> {
  const isWell = state.status === "done" || state.status === "partial";
  if (session && isWell && (await store()) === undefined)
    sessions.add(session.name, { inputs, raw: state.raw });
}
