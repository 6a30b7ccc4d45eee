// `bosun/flow`: what a user imports to define and run a flow: the plain data of orchestration/flow with kickoff, stream and kickoffForEach
// bound to a Bosun.

import type { Bosun } from "./bosun.ts";
import { homeOf } from "./crew.ts";
import { BosunError, isBosunError } from "./error.ts";
import type { StartedRun } from "./follow-run.ts";
import type { Json, JsonObject } from "./json.ts";
import {
  type Connected,
  defineFlow,
  type Flow,
  type FlowOptions,
  type FlowSteps,
} from "./orchestration/flow/flow.ts";
import { type ItemResult, runEach } from "./orchestration/run/each.ts";
import type { RunEvent, RunStatus } from "./orchestration/run/event.ts";
import type { RunState } from "./orchestration/run/state.ts";
import type { RunOptions } from "./run-option.ts";

export type { Conflict, Flow, FlowOptions } from "./orchestration/flow/flow.ts";
export {
  type CrewResult,
  type Emission,
  type FlowContext,
  type FlowStep,
  listen,
  router,
  start,
  type StepOptions,
} from "./orchestration/flow/step.ts";
export { and, or, type Trigger } from "./orchestration/flow/trigger.ts";
export type { FlowStepState } from "./orchestration/run/step-state.ts";

/** What a run of a flow came to. */
export type FlowResult<State = JsonObject> = Pick<
  RunState,
  "runId" | "raw" | "steps" | "tasks" | "agents" | "usage" | "cost" | "hookFaults" | "error"
> & {
  readonly status: RunStatus;
  /** What its `output` made of it, or what the last step came to. */
  readonly output: Json;
  readonly state: State;
};

/** Options of a kickoff: its inputs are laid over the flow's initial state. */
export type FlowKickoffOptions = Omit<RunOptions, "inputs" | "session"> & {
  readonly inputs?: RunOptions["inputs"] | undefined;
};

/** A flow with what runs it. */
export type RunnableFlow<State = JsonObject, Steps extends FlowSteps = FlowSteps> = Flow<Steps> & {
  /** Runs the flow once. @throws BosunError for every end but done; its `partial` is the FlowResult of what was finished. */
  kickoff(options?: FlowKickoffOptions): Promise<FlowResult<State>>;
  /** Runs the flow and yields what happens. Leaving the loop cancels the run. Throws after run-end where kickoff would. */
  stream(options?: FlowKickoffOptions): AsyncGenerator<RunEvent, FlowResult<State>>;
  /** Runs the flow for each inputs, `concurrency` at once (default 4). Never rejects for one item: results and errors are in order. */
  kickoffForEach<Item extends RunOptions["inputs"]>(
    items: Iterable<Item> | AsyncIterable<Item>,
    options?: Omit<FlowKickoffOptions, "inputs" | "runId"> & {
      readonly concurrency?: number | undefined;
    },
  ): Promise<readonly ItemResult<Item, FlowResult<State>>[]>;
};

const DEFAULT_CONCURRENCY = 4;

/**
 * Makes a flow: steps that run when what they listen to has happened.
 * @param options.bosun What it runs on, as createBosun makes it. Default: one for the process, made from the environment.
 * @throws BosunError `flow/invalid` for a flow that cannot work, with the step's name.
 */
export function flow<
  State = JsonObject,
  const Steps extends FlowSteps<NoInfer<State>> = FlowSteps<NoInfer<State>>,
>(
  name: string,
  options: FlowOptions<State> & { readonly bosun?: Bosun | undefined },
  steps: Steps & Connected<Steps>,
): RunnableFlow<State, Steps> {
  const { bosun, ...rest } = options;
  const data = defineFlow<State, Steps>(name, rest, steps);
  const home = (): Bosun => homeOf(bosun);
  return {
    ...data,
    kickoff: async (run) => finish<State>(await home().start(data, optionsOf(run))),
    stream: (run) => stream<State>(home(), data, run),
    async kickoffForEach(
      items,
      { concurrency = DEFAULT_CONCURRENCY, signal = new AbortController().signal, ...each } = {},
    ) {
      if (!Number.isInteger(concurrency) || concurrency < 1)
        throw new BosunError(
          "usage",
          `kickoffForEach: concurrency must be a whole number of at least 1, got ${concurrency}`,
        );
      const work = async (
        inputs: RunOptions["inputs"],
        itemSignal: AbortSignal,
      ): Promise<FlowResult<State>> =>
        finish<State>(await home().start(data, optionsOf({ ...each, inputs, signal: itemSignal })));
      const results = [];
      for await (const ended of runEach(items, work, { concurrency, signal }))
        results[ended.index] = ended;
      return results;
    },
  };
}

async function* stream<State>(
  bosun: Bosun,
  data: Flow,
  options: FlowKickoffOptions | undefined,
): AsyncGenerator<RunEvent, FlowResult<State>> {
  const run = await bosun.start(data, optionsOf(options));
  let isLeft = true;
  // A run that ends without run-end (a defect, or a store that failed) must not leave its reader waiting.
  const reading = new AbortController();
  run.ended.catch((error: unknown) => reading.abort(error));
  try {
    for await (const event of run.log.read(0, reading.signal)) {
      if (event.type === "run-end") isLeft = false;
      yield event;
    }
  } catch (error) {
    isLeft = false; // the events cannot be read any more; the run goes on to its end, for what it has paid for
    await finish<State>(run);
    throw error;
  } finally {
    if (isLeft) {
      run.cancel("the reader of its stream left");
      await run.ended.catch(() => undefined); // the reader is gone: there is nobody to tell
    }
  }
  return finish<State>(run);
}

/** Whoever kicks off has no other way to answer than onAsk: without one, nobody is waited for. */
function optionsOf(options: FlowKickoffOptions = {}): RunOptions {
  const { inputs = {}, onAsk = () => ({ nobody: "the kickoff has no onAsk" }), ...rest } = options;
  return { ...rest, inputs, onAsk };
}

async function finish<State>(run: StartedRun): Promise<FlowResult<State>> {
  const state = await run.ended.catch((error: unknown) => {
    throw Object.assign(error instanceof Error ? error : new Error(String(error)), {
      partial: toFlowResult<State>(run.log.state),
    });
  });
  const result = toFlowResult<State>(state);
  if (result.status === "done") return result;
  throw failFlow(result, run.cause());
}

/** The result of a flow's run from its folded events. */
function toFlowResult<State>(folded: RunState): FlowResult<State> {
  const { runId, status, raw, output = null, flowState = {}, steps, tasks, agents } = folded;
  const { usage, cost, hookFaults, error } = folded;
  const told = { raw, output, steps, tasks, agents, usage, cost, hookFaults, error };
  return {
    ...told,
    runId,
    status: status === "running" ? "cancelled" : status,
    state: flowState as State, // `as`: its schema has let it through
  };
}

function failFlow(result: FlowResult<unknown>, cause: unknown): BosunError {
  const { runId, status, error } = result;
  const own = isBosunError(cause) ? cause : undefined;
  const failure = new BosunError(
    error?.code ?? "run/failed",
    `run ${runId} ${status}: ${error?.message ?? status}`,
    {
      retryable: error?.retryable ?? false,
      cause: own,
      details: { ...error?.details, runId, status },
    },
  );
  failure.partial = result;
  return failure;
}
