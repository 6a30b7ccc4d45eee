// `bosun run --inputs jobs.jsonl --out results.jsonl`: a crew for each line, some at once, results appended as they end.
//
// Repeating the same command goes on where the last one stopped: what has a result is not run again, and a run that was interrupted
// goes on with what it has done. Memory is bounded by what runs
// at once and by a few bytes for each finished line.
//
// Invariants
//   B1  A result is in the file, whole, before the next one is begun to be written; a run that was interrupted leaves none.
//   B2  A line that is no job, or a job that fails, is a result like any other and never the end.

import { open } from "node:fs/promises";
import { resolve } from "node:path";
import type { Bosun, Program } from "../bosun.ts";
import { BosunError, isBosunError } from "../error.ts";
import { NO_USAGE } from "../inference/model/usage.ts";
import type { Inputs } from "../orchestration/crew/input.ts";
import { planCrew } from "../orchestration/plan/plan.ts";
import { isSuspension } from "../orchestration/durable/engine.ts";
import { runEach } from "../orchestration/run/each.ts";
import type { RunState } from "../orchestration/run/state.ts";
import { runOrResume } from "./batch-run.ts";
import { checkAllInputs } from "./input.ts";
import { graceOf, stoppingText } from "./interrupt.ts";
import {
  type BatchRecord,
  type Finished,
  type Job,
  programLabel,
  readFinished,
  readJobs,
  resultOf,
  toLine,
} from "./job.ts";
import type { UserConsole } from "./user-console.ts";
import { createTally, type Tally } from "./tally.ts";
import type { Terminal } from "./terminal.ts";

/** A batch as the command line asks for it. */
export type Batch = {
  readonly program: Program;
  /** Inputs for every line; the line's own win. */
  readonly given: Inputs;
  readonly jobs: string;
  readonly out: string;
  readonly model: string | undefined;
  readonly concurrency: number;
  /** Writes each result to stdout too. */
  readonly json: boolean;
};

/** Runs a batch. @returns the exit code: 1 when a job of this batch failed, now or before. */
export async function runBatch(
  batch: Batch,
  bosun: Bosun,
  terminal: Terminal,
  userConsole?: UserConsole,
): Promise<number> {
  const { program, jobs, out } = batch;
  if (resolve(jobs) === resolve(out))
    throw new BosunError("usage", "--inputs and --out are the same file");
  if (program.type === "crew") planCrew(program); // a crew that cannot run at all is one error, not one for each line
  const finished = await readFinished(out, programLabel(program));
  const tally = createTally(terminal);
  userConsole?.to((lines) => tally.print(lines));
  const file = await openOut(out);
  const suspend = (): void => {
    tally.print([stoppingText(terminal.signal)]);
    bosun.suspend(graceOf(terminal.signal)).catch(() => undefined); // what fails shows in the runs' own ends
  };
  terminal.signal.addEventListener("abort", suspend, { once: true });
  try {
    for await (const ended of runEach(
      openJobs(jobs, finished, tally),
      (job, signal) => runJob(job, { batch, bosun, signal }),
      { concurrency: batch.concurrency, signal: terminal.signal },
    )) {
      if (ended.type === "failed") {
        if (terminal.signal.aborted && isSuspension(ended.error)) continue; // B1
        throw ended.error;
      }
      if (terminal.signal.aborted && ended.result.status === "cancelled") continue; // B1
      await file.appendFile(toLine(ended.result));
      tally.ended(ended.result);
      if (!batch.json) continue;
      terminal.out.write(toLine(ended.result));
      await terminal.out.drained();
    }
  } finally {
    terminal.signal.removeEventListener("abort", suspend);
    await file.close();
    tally[Symbol.dispose]();
  }
  return tally.sum(out);
}

async function openOut(path: string): Promise<Awaited<ReturnType<typeof open>>> {
  try {
    return await open(path, "a");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BosunError("usage", `--out ${path} cannot be written: ${why}`, { cause });
  }
}

async function* openJobs(path: string, finished: Finished, tally: Tally): AsyncGenerator<Job> {
  for await (const job of readJobs(path)) {
    const result = resultOf(job, finished);
    if (result === "none") yield job;
    else tally.skipped(result === "failed");
  }
}

type JobRun = { readonly batch: Batch; readonly bosun: Bosun; readonly signal: AbortSignal };

async function runJob(job: Job, { batch, bosun, signal }: JobRun): Promise<BatchRecord> {
  const { index } = job;
  const program = programLabel(batch.program);
  const lost = { index, program, status: "failed", raw: "", usage: NO_USAGE } as const;
  if (job.type === "broken") return { ...lost, error: job.error };
  const inputs = { ...batch.given, ...job.inputs };
  try {
    if (batch.program.type === "crew") checkAllInputs(batch.program, inputs);
  } catch (error) {
    if (!isBosunError(error)) throw error;
    return { ...lost, inputs: job.inputs, error: error.toJSON() };
  }
  const state = await runOrResume(bosun, { ...batch, index, inputs }, signal);
  return toRecord({ index, program, inputs: job.inputs }, state);
}

function toRecord(
  { index, program, inputs }: Pick<BatchRecord, "index" | "program" | "inputs">,
  state: RunState,
): BatchRecord {
  const { runId, status, raw, tasks, usage, error } = state;
  const texts = Object.entries(tasks).map(([name, task]) => [
    name,
    { status: task.status, raw: task.raw },
  ]);
  return {
    index,
    program,
    inputs,
    runId,
    status: status === "running" ? "cancelled" : status,
    raw,
    ...(texts.length > 1 ? { tasks: Object.fromEntries(texts) } : {}),
    usage,
    ...(error ? { error } : {}),
  };
}
