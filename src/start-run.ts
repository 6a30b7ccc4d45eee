// Starting a run, going on with one, and beginning one from another's steps: what is common to them is its following to its end.

import { answerQuestion, bringQuestions } from "./answer.ts";
import { BosunError, isBosunError } from "./error.ts";
import type { JsonObject } from "./json.ts";
import { checkUnchanged, type KeptRun, readKeptRun, toKeptRun, toRunOptions } from "./kept-run.ts";
import type { Crew } from "./orchestration/crew/crew.ts";
import type { Flow } from "./orchestration/durable/durable.ts";
import type { RunHandle, StartOptions, StepRecord } from "./orchestration/durable/engine.ts";
import type { InlineEngine } from "./orchestration/durable/inline.ts";
import type { CrewInput } from "./orchestration/run/crew.ts";
import type { RunLog } from "./orchestration/run/log.ts";
import type { Outcome } from "./orchestration/run/progress.ts";
import { applyEvents, EMPTY_RUN, type RunState } from "./orchestration/run/state.ts";
import type { RunContext } from "./orchestration/run/world.ts";
import type { Decision, Nobody } from "./orchestration/tool/approval.ts";
import { keepBefore } from "./fork.ts";
import { type Home, letGo, prepareRun } from "./run-context.ts";
import { createServedFlow } from "./served-flow.ts";
import { requireJournal, type RunEngine } from "./run-engine.ts";
import { checkRunId, newRunId } from "./run-id.ts";
import {
  createAbort,
  type ForkOptions,
  type ResumeOptions,
  type RunOptions,
} from "./run-option.ts";

/** A run that has been started. */
export type StartedRun = {
  readonly runId: string;
  readonly log: RunLog;
  /**
   * The folded events at the end, whatever it is.
   * @throws BosunError `store/failed` when they could not be kept, `run/suspended` when the run was given back and can be resumed,
   *   `run/lease-lost` when another process has taken it.
   */
  readonly ended: Promise<RunState>;
  cancel(reason: string): void;
  /** Stops it without an end: it can be resumed. Where nothing is kept it ends as cancelled. */
  giveBack(reason: string): void;
  /**
   * Gives a question of this run (event `ask-start`) its answer, by its name.
   * @returns false when it changes nothing: there is no such question, it has been answered, its time is over, or the run has ended.
   * @throws BosunError `usage` for a decision that is none.
   */
  answer(name: string, decision: Decision | Nobody): boolean;
  /** The first error of a task that failed, with its own cause; undefined while there is none. */
  cause(): unknown;
};

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
  const begin = async (options: StartOptions): Promise<Begun> => {
    const handle = await engine.start(home.crewFlow, kept, options);
    return { handle, context };
  };
  return followRun(run, { home, engine, crew, runId, begin, ...causes });
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
  const begin = async (limits: StartOptions): Promise<Begun> => {
    const handle = await engine.resume<Outcome>(runId, { ...limits, prepare });
    handle.result().catch(() => undefined); // whoever follows it gets it
    return { handle, context: await prepared.promise };
  };
  return followRun(run, { home, engine, crew, runId, begin, answered, ...causes });
}

/** Names of the questions whose answer is kept, though the end of the process may have kept their events from saying so. */
function answeredIn(steps: readonly StepRecord[]): ReadonlySet<string> {
  const waits = steps.filter(({ key, status }) => key.startsWith(WAIT) && status !== "begun");
  return new Set(waits.map(({ key }) => key.slice(WAIT.length)));
}

/** What the keys of waits begin with. */
const WAIT = "wait:";

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

type Causes = { readonly noteFailure: (error: unknown) => void; readonly cause: () => unknown };

function createCauses(): Causes {
  let cause: unknown;
  return { noteFailure: (error) => void (cause ??= error), cause: () => cause };
}

type Following = Causes & {
  readonly home: Starting;
  readonly engine: Pick<InlineEngine, "signal">;
  readonly crew: Crew;
  readonly runId: string;
  readonly begin: (options: StartOptions) => Promise<Begun>;
  /** Questions that nobody needs to be asked again. */
  readonly answered?: ReadonlySet<string> | undefined;
};

/** A run that is executed here. */
type Begun = { readonly handle: RunHandle<Outcome>; readonly context: RunContext };

async function followRun(run: RunOptions, following: Following): Promise<StartedRun> {
  const { home, engine, crew, runId, begin, cause, answered } = following;
  const abort = createAbort(run.signal);
  const isKept = (await home.engine.journal()) !== undefined;
  const { handle, context } = await begin({
    id: runId,
    signal: abort.signal,
    timeoutMs: crew.timeoutMs,
    timeoutError: () => timedOut(crew),
    onSuspend: (reason) => home.contexts.get(runId)?.log.close(reason),
    settle: async () => home.contexts.get(runId)?.log.flushed(),
  });
  const { log } = context;
  const answer: StartedRun["answer"] = (name, decision) =>
    answerQuestion(engine, context, { name, decision });
  const { cancel } = abort;
  const giveBack = (reason: string): void => {
    if (!isKept) return cancel(reason);
    const suspension = new BosunError("run/suspended", reason, { retryable: true });
    log.close(suspension);
    abort.abort(suspension);
  };
  const answering = { answer, giveBack, answered, clock: home.clock, signal: abort.signal };
  if (run.onAsk) bringQuestions(log, run.onAsk, answering);
  const ended = follow(handle.result(), log, () => {
    abort[Symbol.dispose]();
    letGo(home, context);
  });
  const noted =
    context.session === undefined ? ended : ended.then((state) => noteTurn(home, context, state));
  noted.catch(() => undefined); // whoever awaits `ended` gets the error; a detached run must not end the process
  return { runId, log, ended: noted, cancel, giveBack, cause, answer };
}

/** A run that ended well is a turn of its conversation; a store has it already. */
async function noteTurn(
  { store, sessions }: Home,
  { session, inputs }: RunContext,
  state: RunState,
): Promise<RunState> {
  const isWell = state.status === "done" || state.status === "partial";
  if (session && isWell && (await store()) === undefined)
    sessions.add(session.name, { inputs, raw: state.raw });
  return state;
}

function timedOut({ name, timeoutMs }: Crew): BosunError {
  const advice = "Raise its timeoutMs, or look at which task was slow";
  return new BosunError(
    "run/timed-out",
    `the crew "${name}" did not end within ${timeoutMs} ms. ${advice}`,
  );
}

/** Waits for a run's end and for its events to be kept. How it ended is in its events, so an error of the run is no error here. */
async function follow(work: Promise<unknown>, log: RunLog, done: () => void): Promise<RunState> {
  try {
    try {
      await work;
    } catch (error) {
      // The body has emitted run-end with this error; one that it has not emitted is a defect of Bosun, or no end, and must be seen.
      const isTold = log.state.endedAt !== undefined && isBosunError(error);
      if (!isTold || error.code === "run/nondeterministic") throw error;
    }
    await log.flushed();
    return log.state;
  } finally {
    done();
  }
}
