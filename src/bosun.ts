// The composition root: binds crews to the run engine, the pool and the store. The one place in the library that reads the
// environment and .env, once.

import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { BOSUN_OPTIONS, RUN_OPTIONS } from "./bosun-option.ts";
import { createResolver, defaultModelOf, type Resolver, settleAlias } from "./alias.ts";
import { type Clock, systemClock } from "./clock.ts";
import { BosunError, isBosunError, messageOf } from "./error.ts";
import type { Endpoint, ModelRef } from "./inference/model/endpoint.ts";
import type { Env } from "./inference/model/http.ts";
import type { Model } from "./inference/model/model.ts";
import { createPool, type Pool } from "./inference/pool/pool.ts";
import type { RetryPolicy } from "./inference/pool/retry.ts";
import { checkInputs, type Crew } from "./orchestration/crew/crew.ts";
import type { Inputs } from "./orchestration/crew/input.ts";
import { checkOptions } from "./orchestration/crew/option.ts";
import type { DurableEngine, Flow } from "./orchestration/durable/durable.ts";
import { createInlineEngine } from "./orchestration/durable/inline.ts";
import { planCrew } from "./orchestration/plan/plan.ts";
import { createCrewFlow, type CrewInput } from "./orchestration/run/crew.ts";
import { describeCrew } from "./orchestration/run/description.ts";
import { createRunLog, type RunLog } from "./orchestration/run/log.ts";
import type { Outcome } from "./orchestration/run/progress.ts";
import type { RunState } from "./orchestration/run/state.ts";
import { createTaskFlow } from "./orchestration/run/task.ts";
import type { RunContext, World } from "./orchestration/run/world.ts";
import { createToolRunner, type ToolRunner } from "./orchestration/tool/run.ts";
import { checkRunId, newRunId } from "./run-id.ts";
import type { Store } from "./service/store/store.ts";

/** Options of a Bosun. */
export type BosunOptions = {
  /** The folder of everything that Bosun writes; false keeps nothing. Default: BOSUN_DATA, else `.bosun`. */
  readonly data?: string | false | undefined;
  /** Models by alias, before every other meaning of a name. */
  readonly models?: Readonly<Record<string, Endpoint | Model>> | undefined;
  /** The model of agents that name none. Default: the one of the environment, else the embedded `extractive`. */
  readonly model?: ModelRef | Model | undefined;
  /** Replaces the environment and .env. */
  readonly env?: Env | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
};

/** Options of one run. */
export type RunOptions = {
  readonly inputs: Inputs;
  /** Ends the run as cancelled. */
  readonly signal?: AbortSignal | undefined;
  /** Every agent uses this model, whatever its own is. */
  readonly model?: ModelRef | undefined;
  /** 1 to 64 letters, digits, `_` or `-`. Default: one made from the time. */
  readonly runId?: string | undefined;
  /** Emits each call's prompt as an event. Default false. */
  readonly showPrompts?: boolean | undefined;
};

/** A run that has been started. */
export type StartedRun = {
  readonly runId: string;
  readonly log: RunLog;
  /** The folded events at the end, whatever it is. @throws BosunError `store/failed` when they could not be kept. */
  readonly ended: Promise<RunState>;
  cancel(reason: string): void;
  /** The first error of a task that failed, with its own cause; undefined while there is none. */
  cause(): unknown;
};

export interface Bosun {
  /** @throws BosunError before anything is paid for: a missing input, a cycle, a schema without a JSON form, a taken run id. */
  start(crew: Crew, options: RunOptions): Promise<StartedRun>;
  /** The store; undefined when `data` is false. */
  store(): Promise<Store | undefined>;
  /** What models answer through: for facts and checks. */
  readonly pool: Pool;
  /** The model of agents that name none. */
  readonly defaultModel: ModelRef;
  /** Closes connections and the store. Runs that still go are not waited for. */
  close(): Promise<void>;
}

/** A Bosun of its own: its models, its store, its runs. */
export function createBosun(options: BosunOptions = {}): Bosun {
  checkOptions("createBosun", options, BOSUN_OPTIONS);
  const { clock = systemClock } = options;
  const env = options.env ?? readEnv();
  const data = options.data ?? (env["BOSUN_DATA"] || ".bosun");
  const defaultModel = defaultModelOf(options, env);
  const resolve = createResolver(options, env);
  const pool = createPool({ clock, env, retry: options.retry, resolve });
  const contexts = new Map<string, RunContext>();
  const world: World = { clock, model: pool, runOf: (rootId) => contextOf(contexts, rootId) };
  const crewFlow = createCrewFlow(world, createTaskFlow(world));
  const engine = createInlineEngine({ clock });
  let opened: Promise<Store> | undefined;
  let isClosed = false;
  const store = async (): Promise<Store | undefined> => {
    if (data === false) return undefined;
    opened ??= import("./service/store/store.ts").then(({ openStore }) => openStore(data));
    try {
      return await opened;
    } catch (error) {
      opened = undefined; // the next run tries again: a lock may be gone, a folder mended
      throw error;
    }
  };

  return {
    pool,
    defaultModel,
    store,
    async start(crew, run) {
      if (isClosed)
        throw new BosunError("usage", `crew "${crew.name}" cannot run: this Bosun is closed`);
      return startRun(crew, run, {
        clock,
        defaultModel,
        resolve,
        contexts,
        store,
        engine,
        crewFlow,
      });
    },
    async close() {
      isClosed = true;
      pool.close();
      const kept = await opened?.catch(() => undefined); // a store that could not be opened has nothing to close
      kept?.close();
    },
  };
}

async function startRun(crew: Crew, run: RunOptions, home: Home): Promise<StartedRun> {
  const { engine, crewFlow, contexts } = home;
  let cause: unknown;
  const context = await prepare(crew, run, {
    ...home,
    noteFailure: (error) => void (cause ??= error),
  });
  const { log } = context;
  const abort = createAbort(run.signal);
  const limits = {
    signal: abort.signal,
    timeoutMs: crew.timeoutMs,
    timeoutError: () => timedOut(crew),
  };
  const input = { crew: crew.name, inputs: run.inputs };
  const work = engine.start(crewFlow, input, { id: log.runId, ...limits });
  const ended = follow(work, log, () => {
    abort[Symbol.dispose]();
    contexts.delete(log.runId);
  });
  ended.catch(() => undefined); // whoever awaits `ended` gets the error; a detached run must not end the process
  return { runId: log.runId, log, ended, cancel: abort.cancel, cause: () => cause };
}

/** What the runs of one Bosun share. */
type Home = {
  readonly clock: Clock;
  readonly defaultModel: ModelRef;
  readonly resolve: Resolver;
  readonly contexts: Map<string, RunContext>;
  readonly engine: DurableEngine;
  readonly crewFlow: Flow<CrewInput, Outcome>;
  readonly store: () => Promise<Store | undefined>;
};

/** Everything that can be wrong is found here, before the first call is paid for. */
async function prepare(
  crew: Crew,
  run: RunOptions,
  {
    clock,
    defaultModel,
    resolve,
    contexts,
    store,
    noteFailure,
  }: Home & Pick<RunContext, "noteFailure">,
): Promise<RunContext> {
  checkOptions(`a run of crew "${crew.name}"`, run, RUN_OPTIONS);
  const { inputs, model, showPrompts = false } = run;
  checkInputs(crew, inputs);
  const plan = planCrew(crew);
  const description = await describeCrew(crew);
  const opened = await store();
  const runId = run.runId ?? newRunId(clock);
  if (run.runId !== undefined)
    checkRunId(runId, contexts.has(runId) || opened?.find(runId)?.runId === runId);
  const modelsOf: RunContext["modelsOf"] = (agent) => {
    const [first = defaultModel, ...fallbacks] = model === undefined ? agent.models : [model];
    return [settleAlias(first, resolve), ...fallbacks.map((ref) => settleAlias(ref, resolve))];
  };
  const log = createRunLog({ runId, clock, record: opened?.record });
  let tools: ToolRunner | undefined;
  const context: RunContext = {
    crew,
    plan,
    inputs,
    description,
    log,
    get tools() {
      return (tools ??= createToolRunner({ clock, cache: crew.cache })); // few agents have tools
    },
    modelsOf,
    noteFailure,
    showPrompts,
  };
  contexts.set(runId, context); // in the same turn as the check of the id, or two runs could get one
  return context;
}

type Abort = Disposable & {
  readonly signal: AbortSignal;
  readonly cancel: (reason: string) => void;
};

/** A signal that aborts with a typed reason: by `cancel`, or when the caller's own signal aborts. */
function createAbort(signal: AbortSignal | undefined): Abort {
  const controller = new AbortController();
  const cancel = (reason: string): void =>
    controller.abort(new BosunError("run/cancelled", reason, { cause: signal?.reason }));
  const onAbort = (): void => cancel("the run was cancelled by its caller");
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return {
    signal: controller.signal,
    cancel,
    [Symbol.dispose]: () => signal?.removeEventListener("abort", onAbort),
  };
}

function timedOut({ name, timeoutMs }: Crew): BosunError {
  const advice = "Raise its timeoutMs, or look at which task was slow";
  return new BosunError(
    "run/timed-out",
    `the crew "${name}" did not end within ${timeoutMs} ms. ${advice}`,
  );
}

/** Waits for a run's end and for its events to be kept. How it ended is in its events, so an error of the run is no error here. */
async function follow(work: Promise<unknown>, log: RunLog, letGo: () => void): Promise<RunState> {
  try {
    try {
      await work;
    } catch (error) {
      // The body has emitted run-end with this error; one that it has not emitted is a defect of Bosun and must be seen.
      if (log.state.endedAt === undefined || !isBosunError(error)) throw error;
    }
    await log.flushed();
    return log.state;
  } finally {
    letGo();
  }
}

function contextOf(contexts: ReadonlyMap<string, RunContext>, rootId: string): RunContext {
  const context = contexts.get(rootId);
  if (!context) throw new Error(`no run ${rootId} in this process`);
  return context;
}

/** The environment over the lines of .env in the working folder. @throws BosunError `config/invalid` when it cannot be read. */
export function readEnv(): Env {
  let file = "";
  try {
    file = readFileSync(".env", "utf8");
  } catch (error) {
    const isAbsent = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!isAbsent)
      throw new BosunError("config/invalid", `.env cannot be read: ${messageOf(error)}`, {
        cause: error,
      });
  }
  return { ...parseEnv(file), ...process.env };
}
