// The composition root: binds crews to the run engine, the pool and the store. The one place in the library that reads the
// environment and the working folder's .env, once; that of a CrewAI project is one of its files.

import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { BOSUN_OPTIONS } from "./bosun-option.ts";
import { createResolver, defaultModelOf, settingsOf } from "./alias.ts";
import { type Clock, systemClock } from "./clock.ts";
import { BosunError, messageOf } from "./error.ts";
import type { Endpoint, ModelRef } from "./inference/model/endpoint.ts";
import type { Env } from "./inference/model/http.ts";
import type { Model } from "./inference/model/model.ts";
import { createTokenCounter, type TokenCountFunction } from "./inference/model/token-count.ts";
import type { FleetWatch } from "./inference/pool/fleet-watch.ts";
import type { ForeignNotice } from "./inference/pool/foreign-load.ts";
import { createPool, type Pool } from "./inference/pool/pool.ts";
import {
  type CachedModel,
  type ResponseCacheLimits,
  withResponseCache,
} from "./inference/pool/response-cache.ts";
import type { RetryPolicy } from "./inference/pool/retry.ts";
import type { Crew } from "./orchestration/crew/crew.ts";
import { checkOptions } from "./orchestration/crew/option.ts";
import type { RunLimits } from "./orchestration/crew/run-limit.ts";
import type { DurableEngine, ServeOptions } from "./orchestration/durable/engine.ts";
import type { Flow } from "./orchestration/flow/flow.ts";
import { createCrewFlow } from "./orchestration/run/crew.ts";
import { createDelegationFlow } from "./orchestration/run/delegate.ts";
import { createFlowBody } from "./orchestration/run/flow.ts";
import type { PromptPlan } from "./orchestration/run/prompt-plan.ts";
import { createTaskFlow } from "./orchestration/run/task.ts";
import type { RunContext, World } from "./orchestration/run/world.ts";
import { createFleetCheck, type FleetOptions, openFleet } from "./own-fleet.ts";
import type { PreviewOptions } from "./preview.ts";
import { notBound } from "./run-context.ts";
import { createRunEngine } from "./run-engine.ts";
import type { EnqueueOptions, ForkOptions, ResumeOptions, RunOptions } from "./run-option.ts";
import { enqueueRun, servePrograms } from "./serve-crew.ts";
import type { Store } from "./service/store/store.ts";
import { createSessions } from "./session.ts";
import type { StartedRun } from "./follow-run.ts";
import { createFlowWorld, type FlowHome } from "./flow-world.ts";
import { forkFlow, resumeFlow, startFlow, type StartingFlow } from "./start-flow.ts";
import { forkRun, resumeRun, type Starting, startRun } from "./start-run.ts";

export type { StartedRun } from "./follow-run.ts";

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
  /** What executes runs. "sqlite" keeps each step in the data folder, so that a run survives its process; "inline" keeps none. An engine of your own, such as createRestateEngine's, stays yours to close. Default: "sqlite" with a data folder. */
  readonly engine?: "inline" | "sqlite" | DurableEngine | undefined;
  /** What a kept step survives: the end of the process, or also the loss of power, for a sync of the disk at each commit. Default "process". */
  readonly durability?: "process" | "power" | undefined;
};

/** What can be run: a crew or a flow. */
export type Program = Crew | Flow;

export interface Bosun {
  /** @throws BosunError before anything is paid for: a missing input, a cycle, a schema without a JSON form, a taken run id. */
  start(program: Program, options: RunOptions): Promise<StartedRun>;
  /**
   * Goes on with a run that has not ended and that no process executes: what it has done is not done again.
   * @param program The crew or the flow that it began with, as its file or its program makes it.
   * @throws BosunError `run/unknown`, `run/ended`, `run/owned` while another process executes it, `run/changed` for another crew.
   */
  resume(program: Program, runId: string, options?: ResumeOptions): Promise<StartedRun>;
  /**
   * A new run that takes over what another one has done, up to a task or a step, with other inputs or another model from there. A flow's
   * has the state of that point.
   * What was taken over is not paid for again, and is counted in both.
   * @throws BosunError `run/unknown`, `usage` for a task or step that the run does not have.
   */
  fork(program: Program, runId: string, options?: ForkOptions): Promise<StartedRun>;
  /**
   * Puts a run into a queue: a process that serves its crew or flow (`serve`) executes it, this one or another. Its events are in that
   * process's store.
   * @returns the run's id. @throws BosunError as `start`, and `run/queue-full`.
   */
  enqueue(program: Program, options: EnqueueOptions): Promise<string>;
  /** Executes runs of these crews and flows from queues, also those that lost their process, until the signal aborts; then `suspend` gives back what still goes. */
  serve(
    programs: readonly Program[],
    options: Partial<ServeOptions>,
    signal: AbortSignal,
  ): Promise<void>;
  /** The runs' journal: lists, steps, signals, cancels. Undefined where nothing is kept. */
  journal(): Promise<DurableEngine | undefined>;
  /**
   * Gives all runs of this process back: no further step begins, those under way have `graceMs` to end, and what they came to is kept.
   * For SIGTERM and a spot machine's notice. The Bosun starts no run any more.
   */
  suspend(graceMs?: number): Promise<void>;
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
  /** Closes connections, the journal and the store. Runs that still go are given back, and can be resumed. */
  close(): Promise<void>;
}

/** A Bosun of its own: its models, its store, its runs. */
export function createBosun(options: BosunOptions = {}): Bosun {
  checkOptions("createBosun", options, BOSUN_OPTIONS);
  const { starting, defaultModel, closeStore } = createHome(options);
  const { pool, fleet, store, engine } = starting;
  let isClosed = false;
  const checkOpen = ({ type, name }: Program): void => {
    if (isClosed)
      throw new BosunError("usage", `${type} "${name}" cannot run: this Bosun is closed`);
  };
  return {
    pool,
    fleet,
    get defaultModel() {
      return defaultModel();
    },
    store,
    async start(program, run) {
      checkOpen(program);
      if (program.type === "flow") return startFlow(program, run, starting);
      return startRun(program, run, starting);
    },
    async resume(program, runId, resumed = {}) {
      checkOpen(program);
      if (program.type === "flow") return resumeFlow(program, runId, resumed, starting);
      return resumeRun(program, runId, resumed, starting);
    },
    async fork(program, runId, forked = {}) {
      checkOpen(program);
      if (program.type === "flow") return forkFlow(program, runId, forked, starting);
      return forkRun(program, runId, forked, starting);
    },
    async enqueue(program, enqueued) {
      checkOpen(program);
      return enqueueRun(program, enqueued, starting);
    },
    serve: (programs, served, signal) => servePrograms(programs, served, signal, starting),
    journal: () => engine.journal(),
    async suspend(graceMs = 0) {
      isClosed = true;
      await engine.suspend(graceMs);
    },
    async preview(crew, previewed) {
      const { previewCrew } = await import("./preview.ts");
      return previewCrew(crew, previewed, starting);
    },
    async close() {
      isClosed = true;
      await engine.close();
      pool.close();
      await closeStore();
    },
  };
}

/** What a Bosun's runs share, put together. */
function createHome(options: BosunOptions): {
  readonly starting: Starting & StartingFlow;
  readonly defaultModel: () => ModelRef;
  readonly closeStore: () => Promise<void>;
} {
  const { clock = systemClock, outputFolder = ".", limits, durability } = options;
  const env = options.env ?? readEnv();
  const data = options.data ?? (env["BOSUN_DATA"] || ".bosun");
  const fleet = openFleet(options, { env, clock });
  const resolve = createResolver(options, env, fleet);
  const { retry, onForeignLoad } = options;
  const pool = createPool({ clock, env, retry, resolve, onForeignLoad });
  const contexts = new Map<string, RunContext>();
  const cached = cachedModel(pool, options.responseCache, clock);
  const world: World = {
    clock,
    model: cached ?? pool,
    answers: cached,
    tokens: createTokenCounter({ model: pool, clock, own: options.countTokens }),
    settingsOf: (ref) => settingsOf(ref, resolve),
    runOf: (runId) => contextOf(contexts, runId),
  };
  const crewFlow = createCrewFlow(world, createTaskFlow(world, createDelegationFlow(world)));
  const checkReplay = env["BOSUN_CHECK_REPLAY"] === "1"; // for the development of Bosun itself
  const engine = createRunEngine({ data, engine: options.engine, durability, clock, checkReplay });
  const { store, closeStore } = createStoreOpener(data);
  const defaultModel = (): ModelRef => defaultModelOf(options, env, fleet);
  const checkFleet = createFleetCheck(fleet, { env, clock });
  const models = { defaultModel, resolve, fleet, checkFleet, pool };
  const shared = { clock, contexts, store, sessions: createSessions(store), outputFolder, limits };
  const home: FlowHome = { ...models, ...shared, flowRuns: new Map() };
  const flowBody = createFlowBody(createFlowWorld(home, crewFlow, clock));
  return { starting: { ...home, engine, crewFlow, flowBody }, defaultModel, closeStore };
}

function cachedModel(
  pool: Pool,
  cache: BosunOptions["responseCache"],
  clock: Clock,
): CachedModel | undefined {
  if (cache === undefined || cache === false) return undefined;
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

/** Of the run, or of the nearest one that it is a child of. */
function contextOf(contexts: ReadonlyMap<string, RunContext>, runId: string): RunContext {
  for (let id = runId; ; id = id.slice(0, id.lastIndexOf("/"))) {
    const context = contexts.get(id);
    if (context) return context;
    if (!id.includes("/")) throw notBound(id);
  }
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
