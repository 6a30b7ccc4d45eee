// One job of a batch as a run with an id of its own, so that the same batch finds it again: it is resumed when it was interrupted, and
// its result is taken when it had ended and was not written any more.

import { createHash } from "node:crypto";
import { resolve } from "node:path";
import type { Bosun, Program, StartedRun } from "../bosun.ts";
import { BosunError, isBosunError } from "../error.ts";
import { canonicalJson, type Json } from "../json.ts";
import type { Inputs } from "../orchestration/crew/input.ts";
import { applyEvents, EMPTY_RUN, type RunState } from "../orchestration/run/state.ts";
import type { AskHandler, RunOptions } from "../run-option.ts";
import { programLabel } from "./job.ts";

/** A job that can be run. */
export type BatchJob = {
  readonly program: Program;
  readonly index: number;
  readonly inputs: Inputs;
  readonly model: string | undefined;
  /** The file of the results: two batches have runs of their own. */
  readonly out: string;
};

/** Most runs that one job may have had: each failed one that may pass is followed by another. */
const MAX_RUNS = 1_000;

const askNobody: AskHandler = () => ({ nobody: "a batch asks nobody" });

/** Runs a job, or finishes its run. @param signal Cancels where nothing is kept. @throws BosunError `run/suspended` when the process gives it back. */
export async function runOrResume(
  bosun: Bosun,
  job: BatchJob,
  signal: AbortSignal,
): Promise<RunState> {
  const journal = await bosun.journal();
  if (journal === undefined) return (await begin(bosun, job, { signal })).ended;
  for (let number = 1; number <= MAX_RUNS; number++) {
    const id = idOf(job, number);
    const record = await journal.find(id);
    if (record === undefined) return (await begin(bosun, job, { runId: id })).ended;
    if (record.phase === "done") {
      const kept = await endOf(bosun, id);
      if (kept) return kept;
    }
    if (record.endedAt !== undefined) continue; // it failed, and is tried again
    const resumed = await goOn(bosun, job, id);
    if (resumed) return resumed.ended;
  }
  throw new BosunError("usage", `job ${job.index} has had ${MAX_RUNS} runs`);
}

function begin(
  bosun: Bosun,
  { program, inputs, model }: BatchJob,
  options: Pick<RunOptions, "runId" | "signal">,
): Promise<StartedRun> {
  return bosun.start(program, { inputs, model, onAsk: askNobody, ...options });
}

/** Undefined for one of a crew that has changed since: the job gets a new run. */
async function goOn(
  bosun: Bosun,
  { program, model }: BatchJob,
  id: string,
): Promise<StartedRun | undefined> {
  try {
    return await bosun.resume(program, id, { model, onAsk: askNobody });
  } catch (error) {
    if (isBosunError(error) && error.code === "run/changed") return undefined;
    throw error;
  }
}

/** What a run came to; undefined when its events were not kept to the end. */
async function endOf(bosun: Bosun, id: string): Promise<RunState | undefined> {
  const state = applyEvents(EMPTY_RUN, (await bosun.store())?.events(id) ?? []);
  return state.endedAt === undefined ? undefined : state;
}

function idOf({ program, index, inputs, model = "", out }: BatchJob, number: number): string {
  const name = program.type === "crew" ? program.name : programLabel(program); // a crew may have a flow's name
  const what: Json = [name, resolve(out), inputs, model];
  const hash = createHash("sha256").update(canonicalJson(what)).digest("hex").slice(0, 12);
  return `job-${index}-${hash}${number === 1 ? "" : `-${number}`}`;
}
