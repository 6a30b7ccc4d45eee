// The composition root: binds crews to the run engine, the pool and the store. The one place in the library that reads the
// environment and the working folder's .env, once; that of a CrewAI project is one of its files.

import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { answerQuestion, bringQuestions } from "./answer.ts";
import { BOSUN_OPTIONS } from "./bosun-option.ts";
import { createResolver, defaultModelOf, settingsOf } from "./alias.ts";
import { type Clock, systemClock } from "./clock.ts";
import { BosunError, isBosunError, messageOf } from "./error.ts";
import type { Endpoint, ModelRef } from "./inference/model/endpoint.ts";
import type { Env } from "./inference/model/http.ts";
import type { Model } from "./inference/model/model.ts";
import { createTokenCounter, type TokenCountFunction } from "./inference/model/token-count.ts";
import type { FleetWatch } from "./inference/pool/fleet-watch.ts";
import type { ForeignNotice } from "./inference/pool/foreign-load.ts";
import { createPool, type Pool } from "./inference/pool/pool.ts";
import { type ResponseCacheLimits, withResponseCache } from "./inference/pool/response-cache.ts";
import type { RetryPolicy } from "./inference/pool/retry.ts";
import type { Crew } from "./orchestration/crew/crew.ts";
import { checkOptions } from "./orchestration/crew/option.ts";
import type { RunLimits } from "./orchestration/crew/run-limit.ts";
import type { Flow } from "./orchestration/durable/durable.ts";
import type { InlineEngine } from "./orchestration/durable/inline.ts";
import { createInlineEngine } from "./orchestration/durable/inline.ts";
import { createCrewFlow, type CrewInput } from "./orchestration/run/crew.ts";
import { createDelegationFlow } from "./orchestration/run/delegate.ts";
import type { RunLog } from "./orchestration/run/log.ts";
import type { Outcome } from "./orchestration/run/progress.ts";
import type { PromptPlan } from "./orchestration/run/prompt-plan.ts";
import type { RunState } from "./orchestration/run/state.ts";
import { createTaskFlow } from "./orchestration/run/task.ts";
import type { RunContext, World } from "./orchestration/run/world.ts";
import type { Decision, Nobody } from "./orchestration/tool/approval.ts";
import { createFleetCheck, type FleetOptions, openFleet } from "./own-fleet.ts";
import type { PreviewOptions } from "./preview.ts";
import { type Home, prepareRun } from "./run-context.ts";
import { createAbort, type RunOptions } from "./run-option.ts";
import type { Store } from "./service/store/store.ts";
import { createSessions } from "./session.ts";

/** Options of a Bosun. */
export type BosunOptions = FleetOptions & {
  /** The folder of everything that Bosun writes; false keeps nothing. Default: BOSUN_DATA, else `.bosun`. */
  readonly data?: string | false | undefined;
  /** Models by alias, before every other meaning of a name. */
  readonly models?: Readonly<Record<string, Endpoint | Model>> | undefined;
  /** The model of agents that name none. Default: the fleet's, the one of the environment, else the embedded `extractive`. */
  readonly model?: ModelRef | Model | undefined;
  /** Where tasks' output files go; nothing is written outside of it. Default: the working folder. */
  readonly outputFolder?: string | undefined;
  /** Replaces the environment and .env. */
  readonly env?: Env | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** Told, once a minute at most, of an endpoint that runs more than this process sent there and than others may. Must not throw. */
  readonly onForeignLoad?: ((notice: ForeignNotice) => void) | undefined;
  /** Counts a prompt with a tokenizer of your own; undefined for a model that it does not know. Default: the server is asked where it can count. */
  readonly countTokens?: TokenCountFunction | undefined;
  /**
   * Equal calls are answered once: true, or its bounds. Kept in this process. Default false.
   * An agent or a run with `responseCache: false` passes it by, and so does a task's further attempt.
   */
  readonly responseCache?: boolean | ResponseCacheLimits | undefined;
  /** What each run may use at most, unless its crew or its kickoff says otherwise. */
  readonly limits?: RunLimits | undefined;
};

/** A run that has been started. */
export type StartedRun = {
  readonly runId: string;
  readonly log: RunLog;
  /** The folded events at the end, whatever it is. @throws BosunError `store/failed` when they could not be kept. */
  readonly ended: Promise<RunState>;
  cancel(reason: string): void;
  /**
   * Gives a question of this run (event `ask-start`) its answer, by its name.
   * @returns false when it changes nothing: there is no such question, it has been answered, its time is over, or the run has ended.
   * @throws BosunError `usage` for a decision that is none.
   */
  answer(name: string, decision: Decision | Nobody): boolean;
  /** The first error of a task that failed, with its own cause; undefined while there is none. */
  cause(): unknown;
};

export interface Bosun {
  /** @throws BosunError before anything is paid for: a missing input, a cycle, a schema without a JSON form, a taken run id. */
  start(crew: Crew, options: RunOptions): Promise<StartedRun>;
  /** What a run of a crew will send, before it is started. Calls no model. @throws BosunError as `start` would. */
  preview(crew: Crew, options: PreviewOptions): Promise<PromptPlan>;
  /** The store; undefined when `data` is false. */
  store(): Promise<Store | undefined>;
  /** What models answer through: for facts and checks. */
  readonly pool: Pool;
  /** The model of agents that name none, as the fleet says it now. */
  readonly defaultModel: ModelRef;
  /** Undefined when there is none. */
  readonly fleet: FleetWatch | undefined;
  /** Closes connections and the store. Runs that still go are not waited for. */
  close(): Promise<void>;
}

/** A Bosun of its own: its models, its store, its runs. */
export function createBosun(options: BosunOptions = {}): Bosun {
  checkOptions("createBosun", options, BOSUN_OPTIONS);
  const { clock = systemClock } = options;
  const env = options.env ?? readEnv();
  const data = options.data ?? (env["BOSUN_DATA"] || ".bosun");
  const fleet = openFleet(options, { env, clock });
  const resolve = createResolver(options, env, fleet);
  const pool = createPool({
    clock,
    env,
    retry: options.retry,
    resolve,
    onForeignLoad: options.onForeignLoad,
  });
  const contexts = new Map<string, RunContext>();
  const tokens = createTokenCounter({ model: pool, clock, own: options.countTokens });
  const world: World = {
    clock,
    model: cachedModel(pool, options.responseCache, clock),
    tokens,
    settingsOf: (ref) => settingsOf(ref, resolve),
    runOf: (rootId) => contextOf(contexts, rootId),
  };
  const crewFlow = createCrewFlow(world, createTaskFlow(world, createDelegationFlow(world)));
  const engine = createInlineEngine({ clock });
  const { store, closeStore } = createStoreOpener(data);
  let isClosed = false;
  const sessions = createSessions(store);
  const { outputFolder = ".", limits } = options;
  const defaultModel = (): ModelRef => defaultModelOf(options, env, fleet);
  const models = {
    defaultModel,
    resolve,
    fleet,
    checkFleet: createFleetCheck(fleet, { env, clock }),
  };
  const home = { clock, ...models, contexts, store, sessions, pool, outputFolder, limits };

  return {
    pool,
    fleet,
    get defaultModel() {
      return defaultModel();
    },
    store,
    async start(crew, run) {
      if (isClosed)
        throw new BosunError("usage", `crew "${crew.name}" cannot run: this Bosun is closed`);
      return startRun(crew, run, { ...home, engine, crewFlow });
    },
    async preview(crew, previewed) {
      const { previewCrew } = await import("./preview.ts");
      return previewCrew(crew, previewed, home);
    },
    async close() {
      isClosed = true;
      pool.close();
      await closeStore();
    },
  };
}

function cachedModel(pool: Pool, cache: BosunOptions["responseCache"], clock: Clock): Model {
  if (cache === undefined || cache === false) return pool;
  return withResponseCache(pool, { ...(cache === true ? {} : cache), clock });
}

type StoreOpener = {
  readonly store: () => Promise<Store | undefined>;
  readonly closeStore: () => Promise<void>;
};

/** Opens the store when it is first needed. */
function createStoreOpener(data: string | false): StoreOpener {
  let opened: Promise<Store> | undefined;
  return {
    async store() {
      if (data === false) return undefined;
      opened ??= import("./service/store/store.ts").then(({ openStore }) => openStore(data));
      try {
        return await opened;
      } catch (error) {
        opened = undefined; // the next run tries again: a lock may be gone, a folder mended
        throw error;
      }
    },
    async closeStore() {
      const kept = await opened?.catch(() => undefined); // a store that could not be opened has nothing to close
      kept?.close();
    },
  };
}

/** What starting a run needs besides its context. */
type Starting = Home & {
  readonly engine: InlineEngine;
  readonly crewFlow: Flow<CrewInput, Outcome>;
};

async function startRun(crew: Crew, run: RunOptions, home: Starting): Promise<StartedRun> {
  const { engine, crewFlow, contexts } = home;
  let cause: unknown;
  const context = await prepareRun(crew, run, {
    ...home,
    noteFailure: (error) => void (cause ??= error),
  });
  const { log, inputs } = context;
  const { runId } = log;
  const abort = createAbort(run.signal);
  const limits = {
    signal: abort.signal,
    timeoutMs: crew.timeoutMs,
    timeoutError: () => timedOut(crew),
  };
  const handle = await engine.start(
    crewFlow,
    { crew: crew.name, inputs },
    { id: runId, ...limits },
  );
  const answer: StartedRun["answer"] = (name, decision) =>
    answerQuestion(engine, context, { name, decision });
  const { cancel } = abort;
  if (run.onAsk)
    bringQuestions(log, run.onAsk, { answer, cancel, clock: home.clock, signal: abort.signal });
  const ended = follow(handle.result(), log, () => {
    abort[Symbol.dispose]();
    contexts.delete(runId);
    context.documents[Symbol.dispose]();
  });
  const noted =
    run.session === undefined ? ended : ended.then((state) => noteTurn(home, context, state));
  noted.catch(() => undefined); // whoever awaits `ended` gets the error; a detached run must not end the process
  return { runId, log, ended: noted, cancel: abort.cancel, cause: () => cause, answer };
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
