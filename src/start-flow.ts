// Starting a run of a flow, going on with one, and beginning one from another's steps.

import { answeredIn } from "./answer.ts";
import { BosunError } from "./error.ts";
import { type BoundFlow, type FlowHome, letGoFlow, prepareFlow } from "./flow-world.ts";
import { type Causes, createCauses, followRun, type StartedRun } from "./follow-run.ts";
import type { JsonObject } from "./json.ts";
import {
  checkFlowUnchanged,
  type KeptFlow,
  readKeptFlow,
  toKeptFlow,
  toRunOptions,
} from "./kept-run.ts";
import { keepBeforeStep } from "./flow-fork.ts";
import type { Flow as DurableFlow } from "./orchestration/durable/durable.ts";
import type { RunHandle, StartOptions } from "./orchestration/durable/engine.ts";
import type { InlineEngine } from "./orchestration/durable/inline.ts";
import type { Flow } from "./orchestration/flow/flow.ts";
import type { FlowInput, FlowOutcome } from "./orchestration/run/flow.ts";
import { requireJournal, type RunEngine } from "./run-engine.ts";
import { checkRunId, newRunId } from "./run-id.ts";
import type { ForkOptions, ResumeOptions, RunOptions } from "./run-option.ts";
import { createServedEventFlow } from "./served-flow.ts";

/** What starting a flow's run needs besides its context. */
export type StartingFlow = FlowHome & {
  readonly engine: RunEngine;
  readonly flowBody: DurableFlow<FlowInput, FlowOutcome>;
};

/** @throws BosunError before anything is paid for. */
export async function startFlow(
  flow: Flow,
  run: RunOptions,
  home: StartingFlow,
): Promise<StartedRun> {
  const engine = await home.engine.open();
  const causes = createCauses();
  const bound = await prepareFlow(flow, run, { ...home, ...causes });
  const { runId } = bound.log;
  try {
    if (run.runId !== undefined) checkRunId(runId, (await engine.find?.(runId)) !== undefined);
  } catch (error) {
    letGoFlow(home, bound);
    throw error;
  }
  const kept = toKeptFlow(run, flow, bound.inputs);
  const begin = async (options: StartOptions): Promise<Begun> => {
    try {
      return { handle: await engine.start(home.flowBody, kept, options), bound };
    } catch (error) {
      letGoFlow(home, bound);
      throw error;
    }
  };
  return followFlow(run, { ...causes, home, engine, flow, runId, begin });
}

/** Goes on with a run. @throws BosunError as Bosun.resume. */
export async function resumeFlow(
  flow: Flow,
  runId: string,
  options: ResumeOptions,
  home: StartingFlow,
): Promise<StartedRun> {
  const engine = await requireJournal(home.engine);
  engine.register(home.flowBody);
  engine.register(createServedEventFlow(flow, home)); // of a run that was put into a queue
  const kept = readKeptFlow(await engine.input(runId), runId);
  checkName(flow, kept, runId);
  if (options.acceptChanges !== true) checkFlowUnchanged(flow, kept, runId);
  const run = toRunOptions(kept, options, runId);
  const causes = createCauses();
  const prepared = Promise.withResolvers<BoundFlow>();
  prepared.promise.catch(() => undefined); // awaited below, unless the run cannot be taken at all
  const store = await home.store();
  const prepare = async (): Promise<void> => {
    try {
      const resumed = { runId, stored: store?.resume(runId) ?? [] };
      prepared.resolve(await prepareFlow(flow, run, { ...home, ...causes }, resumed));
    } catch (error) {
      prepared.reject(error);
      throw error;
    }
  };
  const begin = async (limits: StartOptions): Promise<Begun> => {
    const resuming = engine.resume<FlowOutcome>(runId, { ...limits, prepare });
    // What it was bound to before it failed.
    resuming.catch(() =>
      prepared.promise.then(
        (bound) => letGoFlow(home, bound),
        () => undefined,
      ),
    );
    const handle = await resuming;
    handle.result().catch(() => undefined); // whoever follows it gets it
    return { handle, bound: await prepared.promise };
  };
  const answered = options.onAsk ? answeredIn(await engine.steps(runId)) : undefined;
  return followFlow(run, { ...causes, home, engine, flow, runId, begin, answered });
}

function checkName({ name }: Flow, kept: KeptFlow, runId: string): void {
  if (kept.flow === name) return;
  throw new BosunError(
    "run/changed",
    `run ${runId} is one of flow "${kept.flow}", not of "${name}"`,
  );
}

/** Begins a run from another one's steps. @throws BosunError as Bosun.fork. */
export async function forkFlow(
  flow: Flow,
  runId: string,
  options: ForkOptions,
  home: StartingFlow,
): Promise<StartedRun> {
  const engine = await requireJournal(home.engine);
  const { from, inputs, model, runId: id = newRunId(home.clock), ...rest } = options;
  checkRunId(id, (await engine.find(id)) !== undefined);
  const kept = readKeptFlow(await engine.input(runId), runId);
  checkName(flow, kept, runId);
  const steps = await engine.steps(runId);
  const input: KeptFlow = {
    ...kept,
    inputs: { ...kept.inputs, ...(inputs as JsonObject | undefined) }, // `as`: prepareFlow looks at them
    ...(typeof model === "string" ? { model } : {}),
    forkedFrom: runId,
  };
  const isOther = inputs !== undefined;
  await engine.fork(runId, { id, input, keep: keepBeforeStep(flow, steps, { from, isOther }) });
  return resumeFlow(flow, id, { ...rest, model, acceptChanges: true }, home);
}

/** A flow's run that is executed here. */
type Begun = { readonly handle: RunHandle<FlowOutcome>; readonly bound: BoundFlow };

async function followFlow(
  run: RunOptions,
  following: Causes & {
    readonly home: StartingFlow;
    readonly engine: InlineEngine;
    readonly flow: Flow;
    readonly runId: string;
    readonly begin: (options: StartOptions) => Promise<Begun>;
    readonly answered?: ReadonlySet<string> | undefined;
  },
): Promise<StartedRun> {
  const { home, flow, runId, begin } = following;
  const { name, timeoutMs } = flow;
  return followRun(run, {
    ...following,
    kind: "flow",
    name,
    timeoutMs,
    clock: home.clock,
    isKept: (await home.engine.journal()) !== undefined,
    logOf: () => home.flowRuns.get(runId)?.log,
    async begin(options) {
      const { handle, bound } = await begin(options);
      const { log, asked } = bound;
      return { handle, log, asked, letGo: () => letGoFlow(home, bound) };
    },
  });
}
