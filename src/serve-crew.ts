// Runs in queues: one process puts a run of a crew there, another one that serves the crew takes it.

import { BosunError } from "./error.ts";
import { toKeptRun } from "./kept-run.ts";
import type { Crew } from "./orchestration/crew/crew.ts";
import type { ServeOptions } from "./orchestration/durable/engine.ts";
import { letGo, prepareRun } from "./run-context.ts";
import { requireJournal } from "./run-engine.ts";
import type { EnqueueOptions } from "./run-option.ts";
import { createServedFlow } from "./served-flow.ts";
import type { Starting } from "./start-run.ts";

/** The queue of runs that name none. */
const DEFAULT_QUEUE = "crews";

/** Puts a run into a queue, once everything that can be wrong with it was looked at. @returns its id. */
export async function enqueueRun(
  crew: Crew,
  { queue = DEFAULT_QUEUE, delayMs, ...run }: EnqueueOptions,
  home: Starting,
): Promise<string> {
  const engine = await requireJournal(home.engine);
  const context = await prepareRun(crew, run, { ...home, noteFailure: () => undefined });
  const { runId } = context.log;
  const kept = toKeptRun(run, context);
  letGo(home, context);
  const { priority, tenant } = run;
  const options = { id: runId, queue, delayMs, priority, tenant, timeoutMs: crew.timeoutMs };
  await engine.start(createServedFlow(crew, home), kept, options);
  return runId;
}

/** Executes runs of these crews until the signal aborts. */
export async function serveCrews(
  crews: readonly Crew[],
  options: Partial<ServeOptions>,
  signal: AbortSignal,
  home: Starting,
): Promise<void> {
  const engine = await requireJournal(home.engine);
  if (new Set(crews.map(({ name }) => name)).size < crews.length)
    throw new BosunError("crew/duplicate-name", "two of the crews to serve have one name");
  for (const crew of crews) engine.register(createServedFlow(crew, home));
  const { concurrency = DEFAULT_CONCURRENCY, queues } = options;
  const onSuspend = (runId: string, reason: BosunError): void =>
    home.contexts.get(runId)?.log.close(reason);
  await engine.serve({ concurrency, queues, onSuspend }, signal);
}

/** Runs at once in one process. */
const DEFAULT_CONCURRENCY = 16;
