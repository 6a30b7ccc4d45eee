// The composition root: binds crews to the run engine, the pool and the store. The one place in the library that reads the
// environment and .env, once.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { type Clock, systemClock } from "./clock.ts";
import { BosunError, isBosunError, messageOf } from "./error.ts";
import type { Endpoint, ModelRef } from "./inference/model/endpoint.ts";
import type { Env } from "./inference/model/http.ts";
import type { Model } from "./inference/model/model.ts";
import { defaultEndpoint, toEndpoint } from "./inference/model/preset.ts";
import { createPool, type Pool } from "./inference/pool/pool.ts";
import type { RetryPolicy } from "./inference/pool/retry.ts";
import { checkInputs, type Crew } from "./orchestration/crew/crew.ts";
import type { Inputs } from "./orchestration/crew/input.ts";
import { createInlineEngine } from "./orchestration/durable/inline.ts";
import { planCrew } from "./orchestration/plan/plan.ts";
import { createCrewFlow } from "./orchestration/run/crew.ts";
import { describeCrew } from "./orchestration/run/description.ts";
import { createRunLog, type RunLog } from "./orchestration/run/log.ts";
import type { RunState } from "./orchestration/run/state.ts";
import { createTaskFlow } from "./orchestration/run/task.ts";
import type { RunContext, World } from "./orchestration/run/world.ts";
import { createToolRunner } from "./orchestration/tool/run.ts";
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

/** The alias of a model object given as `model`. */
const GIVEN = "given";
/** The alias of the embedded model. */
const EMBEDDED = "extractive";

export function createBosun(options: BosunOptions = {}): Bosun {
  const { clock = systemClock, models = {} } = options;
  const env = options.env ?? readEnv();
  const data = options.data ?? (env["BOSUN_DATA"] || ".bosun");
  const given = options.model;
  const defaultModel: ModelRef = isModel(given)
    ? GIVEN
    : (given ?? defaultEndpoint(env) ?? EMBEDDED);
  const embedded = lazyModel(async () =>
    (await import("./inference/local/extractive/extractive.ts")).createExtractive(),
  );
  const pool = createPool({
    clock,
    env,
    retry: options.retry,
    resolve(alias) {
      if (alias === GIVEN && isModel(given)) return given;
      return models[alias] ?? (alias === EMBEDDED ? embedded : toEndpoint(alias, env));
    },
  });
  const contexts = new Map<string, RunContext>();
  const world: World = { clock, model: pool, runOf: (rootId) => contextOf(contexts, rootId) };
  const engine = createInlineEngine({ clock });
  const crewFlow = createCrewFlow(world, createTaskFlow(world));
  let opened: Promise<Store> | undefined;
  const store = async (): Promise<Store | undefined> => {
    if (data === false) return undefined;
    opened ??= import("./service/store/store.ts").then(({ openStore }) => openStore(data));
    return opened;
  };

  return {
    pool,
    defaultModel,
    store,
    async start(crew, run) {
      const { inputs, signal, model, showPrompts = false } = run;
      checkInputs(crew, inputs);
      const plan = planCrew(crew);
      const description = await describeCrew(crew);
      const record = (await store())?.record;
      const runId = await claimRunId(run.runId, clock, {
        isTaken: (id) => contexts.has(id),
        store,
      });
      const log = createRunLog({ runId, clock, record });
      const modelsOf: RunContext["modelsOf"] = (agent) => {
        const [first = defaultModel, ...fallbacks] = model === undefined ? agent.models : [model];
        return [first, ...fallbacks];
      };
      contexts.set(runId, {
        crew,
        plan,
        inputs,
        description,
        log,
        tools: createToolRunner({ clock, cache: crew.cache }),
        modelsOf,
        showPrompts,
      });
      const controller = new AbortController();
      const cancel = (reason: string): void =>
        controller.abort(new BosunError("run/cancelled", reason));
      const onAbort = (): void => cancel("the run was cancelled by its caller");
      if (signal?.aborted) onAbort();
      else signal?.addEventListener("abort", onAbort, { once: true });
      const { timeoutMs } = crew;
      const timeoutError = (): BosunError =>
        new BosunError(
          "run/timed-out",
          `the crew "${crew.name}" did not end within ${timeoutMs} ms. Raise its timeoutMs, or look at which task was slow`,
        );
      const work = engine.start(
        crewFlow,
        { crew: crew.name, inputs },
        { id: runId, signal: controller.signal, timeoutMs, timeoutError },
      );
      const ended = follow(work, log).finally(() => {
        signal?.removeEventListener("abort", onAbort);
        contexts.delete(runId);
      });
      ended.catch(() => undefined); // whoever awaits `ended` gets the error; a detached run must not end the process
      return { runId, log, ended, cancel };
    },
    async close() {
      pool.close();
      (await opened)?.close();
    },
  };
}

/** Waits for a run's end and for its events to be kept. How it ended is in its events, so an error of the run is no error here. */
async function follow(work: Promise<unknown>, log: RunLog): Promise<RunState> {
  try {
    await work;
  } catch (error) {
    // The body has emitted run-end with this error; one that it has not emitted is a defect of Bosun and must be seen.
    if (log.state.endedAt === undefined || !isBosunError(error)) throw error;
  }
  await log.flushed();
  return log.state;
}

function contextOf(contexts: ReadonlyMap<string, RunContext>, rootId: string): RunContext {
  const context = contexts.get(rootId);
  if (!context) throw new Error(`no run ${rootId} in this process`);
  return context;
}

async function claimRunId(
  asked: string | undefined,
  clock: Clock,
  known: {
    readonly isTaken: (id: string) => boolean;
    readonly store: () => Promise<Store | undefined>;
  },
): Promise<string> {
  if (asked === undefined) return newRunId(clock);
  if (!/^[\w-]{1,64}$/.test(asked))
    throw new BosunError("usage", `a run id is 1 to 64 letters, digits, _ or -, got "${asked}"`);
  const stored = (await known.store())?.find(asked);
  if (known.isTaken(asked) || stored?.runId === asked)
    throw new BosunError("usage", `there is a run "${asked}" already. Give another --run-id`);
  return asked;
}

/** Sorts by time and can be typed: 20261120-115640-k3f9a0x2. */
function newRunId(clock: Clock): string {
  const [date = "", time = ""] = new Date(clock.now()).toISOString().split("T");
  const random = randomBytes(8).readBigUInt64BE().toString(36).padStart(13, "0").slice(-10);
  return `${date.replaceAll("-", "")}-${time.slice(0, 8).replaceAll(":", "")}-${random}`;
}

/** The environment over the lines of .env. */
function readEnv(): Env {
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

function isModel(model: ModelRef | Model | undefined): model is Model {
  return typeof model === "object" && "call" in model;
}

/** A model whose code is loaded at its first call. */
function lazyModel(load: () => Promise<Model>): Model {
  let loaded: Promise<Model> | undefined;
  const model = (): Promise<Model> => (loaded ??= load());
  return {
    async *call(request, signal) {
      yield* (await model()).call(request, signal);
    },
    contextTokens: async (models, signal) => (await model()).contextTokens(models, signal),
  };
}
