// Runs in queues: one process puts a run of a crew there, another one that serves the crew takes it.

import { BosunError } from "./error.ts";
import { letGoFlow, prepareFlow } from "./flow-world.ts";
import { toKeptFlow, toKeptRun } from "./kept-run.ts";
import type { Crew } from "./orchestration/crew/crew.ts";
import type { Flow } from "./orchestration/flow/flow.ts";
import type { ServeOptions } from "./orchestration/durable/engine.ts";
import { letGo, prepareRun } from "./run-context.ts";
import { requireJournal } from "./run-engine.ts";
import type { EnqueueOptions } from "./run-option.ts";
import { createServedEventFlow, createServedFlow } from "./served-flow.ts";
import type { StartingFlow } from "./start-flow.ts";
import type { Starting } from "./start-run.ts";

/** A crew or a flow. */
type Program = Crew | Flow;

type Serving = Starting & StartingFlow;

/** The queue of runs that name none. */
const DEFAULT_QUEUE = "crews";

/** Puts a run into a queue, once everything that can be wrong with it was looked at. @returns its id. */
export async function enqueueRun(
  program: Program,
  { queue = DEFAULT_QUEUE, delayMs, ...run }: EnqueueOptions,
  home: Serving,
): Promise<string> {
  const engine = await requireJournal(home.engine);
  const { priority, tenant } = run;
  const { timeoutMs } = program;
  const options = { queue, delayMs, priority, tenant, timeoutMs };
  const own = { ...home, noteFailure: () => undefined };
  if (program.type === "flow") {
    const bound = await prepareFlow(program, run, own);
    letGoFlow(home, bound);
    const id = bound.log.runId;
    const kept = toKeptFlow(run, program, bound.inputs);
    await engine.start(createServedEventFlow(program, home), kept, { ...options, id });
    return id;
  }
  const context = await prepareRun(program, run, own);
  const id = context.log.runId;
  const kept = toKeptRun(run, context);
  letGo(home, context);
  await engine.start(createServedFlow(program, home), kept, { ...options, id });
  return id;
}

/** Executes runs of these crews and flows until the signal aborts. */
export async function servePrograms(
  programs: readonly Program[],
  options: Partial<ServeOptions>,
  signal: AbortSignal,
  home: Serving,
): Promise<void> {
  const engine = await requireJournal(home.engine);
  if (new Set(programs.map(({ type, name }) => `${type} ${name}`)).size < programs.length)
    throw new BosunError("crew/duplicate-name", "two of the crews or flows to serve have one name");
  for (const program of programs) {
    if (program.type === "flow") engine.register(createServedEventFlow(program, home));
    else engine.register(createServedFlow(program, home));
  }
  const { concurrency = DEFAULT_CONCURRENCY, queues } = options;
  const onSuspend = (runId: string, reason: BosunError): void =>
    (home.contexts.get(runId) ?? home.flowRuns.get(runId))?.log.close(reason);
  await engine.serve({ concurrency, queues, onSuspend }, signal);
}

/** Runs at once in one process. */
const DEFAULT_CONCURRENCY = 16;
