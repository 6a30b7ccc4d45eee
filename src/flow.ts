// `bosun/flow`: what a user imports to define and run a flow: the plain data of orchestration/flow with kickoff, stream and kickoffForEach
// bound to a Bosun.

import type { Bosun } from "./bosun.ts";
import { homeOf } from "./crew.ts";
import { BosunError, isBosunError } from "./error.ts";
import type { StartedRun } from "./follow-run.ts";
import type { Json, JsonObject } from "./json.ts";
import {
  checkKickoff,
  type Ending,
  finishRun,
  kickoffEach,
  kickoffOptions,
  streamRun,
} from "./kickoff.ts";
import {
  type Connected,
  defineFlow,
  type Flow,
  type FlowInputs,
  type FlowOptions,
  type FlowSteps,
} from "./orchestration/flow/flow.ts";
import type { ItemResult } from "./orchestration/run/each.ts";
import type { RunEvent, RunStatus } from "./orchestration/run/event.ts";
import type { RunState } from "./orchestration/run/state.ts";
import type { RunOptions } from "./run-option.ts";

export type { Conflict, Flow, FlowInputs, FlowOptions } from "./orchestration/flow/flow.ts";
export {
  type CrewArguments,
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
export type FlowKickoffOptions<State = JsonObject> = Omit<RunOptions, "inputs" | "session"> & {
  readonly inputs?: FlowInputs<State> | undefined;
};

/** A flow with what runs it. */
export type RunnableFlow<State = JsonObject, Steps extends FlowSteps = FlowSteps> = Flow<Steps> & {
  /** Runs the flow once. @throws BosunError for every end but done; its `partial` is the FlowResult of what was finished. */
  kickoff(options?: FlowKickoffOptions<State>): Promise<FlowResult<State>>;
  /** Runs the flow and yields what happens. Leaving the loop cancels the run. Throws after run-end where kickoff would. */
  stream(options?: FlowKickoffOptions<State>): AsyncGenerator<RunEvent, FlowResult<State>>;
  /** Runs the flow for each inputs, `concurrency` at once (default 4). Never rejects for one item: results and errors are in order. */
  kickoffForEach(
    items: Iterable<FlowInputs<State>> | AsyncIterable<FlowInputs<State>>,
    options?: Omit<FlowKickoffOptions, "inputs" | "runId"> & {
      readonly concurrency?: number | undefined;
    },
  ): Promise<readonly ItemResult<FlowInputs<State>, FlowResult<State>>[]>;
};

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
  const started = (run: FlowKickoffOptions<State> = {}): Promise<StartedRun> => {
    const given = run as Partial<RunOptions>; // `as`: prepareFlow looks at the inputs
    return home().start(data, kickoffOptions(`flow "${data.name}"`, given, "flow/input"));
  };
  const ending: Ending<FlowResult<State>> = {
    toResult: toFlowResult,
    toFailure: (result, cause) => (result.status === "done" ? undefined : failFlow(result, cause)),
  };
  return {
    ...data,
    kickoff: async (run) => finishRun(await started(run), ending),
    async *stream(run) {
      return yield* streamRun(await started(run), ending);
    },
    async kickoffForEach(items, run = {}) {
      checkKickoff(`kickoffForEach of flow "${data.name}"`, run);
      const { concurrency, signal, ...each } = run;
      const work = async (inputs: FlowInputs<State>, itemSignal: AbortSignal) =>
        finishRun(await started({ ...each, inputs, signal: itemSignal }), ending);
      return kickoffEach(items, work, { concurrency, signal });
    },
  };
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
