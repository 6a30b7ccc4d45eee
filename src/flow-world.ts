// Before a run of a flow, and for the crews inside it: what they are bound to in this process.

import { FLOW_RUN_OPTIONS } from "./bosun-option.ts";
import type { Clock } from "./clock.ts";
import { BosunError } from "./error.ts";
import { isJson, isObject, type JsonObject, notJsonIn } from "./json.ts";
import type { Inputs } from "./orchestration/crew/input.ts";
import { checkOptions } from "./orchestration/crew/option.ts";
import type { Flow } from "./orchestration/flow/flow.ts";
import { beginningOf } from "./orchestration/flow/beginning.ts";
import type { Budget } from "./orchestration/run/budget.ts";
import type { CrewCall, FlowRun, FlowWorld } from "./orchestration/run/flow-world.ts";
import { createRunLog } from "./orchestration/run/log.ts";
import {
  askedIn,
  budgetOf,
  checkCrewEndpoints,
  checkNew,
  type Home,
  inputsOf,
  letGo,
  limitsOf,
  notBound,
  prepareRun,
  type Resumed,
} from "./run-context.ts";
import { newRunId } from "./run-id.ts";
import type { RunOptions } from "./run-option.ts";

/** A flow's run in this process. */
export type BoundFlow = FlowRun & {
  /** What its caller said: it holds for its crews. */
  readonly options: RunOptions;
  readonly budget: Budget | undefined;
};

/** What the runs of flows of one Bosun share. */
export type FlowHome = Home & { readonly flowRuns: Map<string, BoundFlow> };

/**
 * What a flow's run is bound to, noted under its id.
 * @throws BosunError before anything is paid for: a state that is not what its schema asks for, a run id that is taken.
 */
export async function prepareFlow(
  flow: Flow,
  run: RunOptions,
  home: FlowHome & Pick<FlowRun, "noteFailure">,
  resumed?: Pick<Resumed, "runId" | "stored">,
): Promise<BoundFlow> {
  const where = `a run of flow "${flow.name}"`;
  checkOptions(where, run, FLOW_RUN_OPTIONS);
  if (run.session !== undefined)
    throw new BosunError("usage", `${where}: a flow has no session. Give one to the crews in it`);
  const { clock, store, flowRuns, noteFailure } = home;
  const runId = resumed?.runId ?? run.runId ?? newRunId(clock);
  const { inputs } = run;
  if (!isObject(inputs) || !isJson(inputs))
    throw new BosunError(
      "flow/input",
      `${where}: its inputs must be an object of JSON values, but ${notJsonIn(inputs)}`,
    );
  if (!resumed) await beginningOf(flow, inputs);
  const opened = await store();
  if (!resumed) checkNew(run.runId, flowRuns, opened);
  const stored = resumed?.stored;
  const bound: BoundFlow = {
    flow,
    inputs,
    log: createRunLog({ runId, clock, record: opened?.record, stored }),
    asked: askedIn(resumed),
    noteFailure,
    options: run,
    budget: budgetOf(limitsOf(flow, run, home)),
  };
  flowRuns.set(runId, bound); // in the same turn as the check of the id, or two runs could get one
  return bound;
}

/** The run has ended here, or goes on elsewhere. */
export function letGoFlow({ flowRuns }: FlowHome, bound: BoundFlow): void {
  const { runId } = bound.log;
  if (flowRuns.get(runId) === bound) flowRuns.delete(runId); // not what another execution has bound
}

/** What the bodies of flows reach. */
export function createFlowWorld(
  home: FlowHome,
  crewFlow: FlowWorld["crewFlow"],
  clock: Clock,
): FlowWorld {
  const flowRunOf = (rootId: string): BoundFlow => {
    const bound = home.flowRuns.get(rootId);
    if (!bound) throw notBound(rootId);
    return bound;
  };
  const optionsOf = ({ rootId }: CrewCall, inputs: JsonObject): RunOptions => {
    const {
      runId: _id,
      onAsk: _ask,
      signal: _signal,
      limits: _limits,
      ...rest
    } = flowRunOf(rootId).options;
    return { ...rest, inputs: inputs as Inputs }; // `as`: prepareRun looks at them
  };
  return {
    clock,
    crewFlow,
    flowRunOf,
    async begin(call, signal) {
      const run = { ...optionsOf(call, call.inputs), signal };
      await checkCrewEndpoints(call.crew, run, home);
      const { inputs, hookFacts } = await inputsOf(call.crew, run, {
        clock,
        runId: call.rootId,
        resumed: undefined,
      });
      return { inputs, hookFacts };
    },
    async enter(call, { inputs, hookFacts }) {
      const { crew, rootId, runId: key, place } = call;
      const { log, asked, budget, noteFailure } = flowRunOf(rootId);
      const inside = { key, log: log.within(place), asked, budget };
      const resumed: Resumed = { runId: rootId, stored: [], session: undefined, hookFacts, inside };
      return prepareRun(crew, optionsOf(call, inputs), { ...home, noteFailure }, resumed);
    },
    leave({ runId }, context) {
      letGo(home, context, runId);
    },
  };
}
