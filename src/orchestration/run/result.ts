// A run's result: made from the fold of its events, plus the typed outputs.

import { BosunError, type ErrorData, isBosunError } from "../../error.ts";
import { ownValue } from "../../json.ts";
import { type CostSum, NO_COST } from "../../inference/model/price.ts";
import { NO_USAGE, type Usage } from "../../inference/model/usage.ts";
import type { Finish } from "../../inference/model/model.ts";
import type { Crew, Policy } from "../crew/crew.ts";
import type { Task } from "../crew/task.ts";
import type { RunStatus, TaskStatus } from "./event.ts";
import { readOutput } from "./output.ts";
import { type UnreadInput, unreadOf } from "./input-read.ts";
import type { AgentState, RunState } from "./state.ts";

/** Times on the run's clock, in ms; undefined for a task that never started. */
export type Timings = {
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly durationMs: number | undefined;
};

/** What one task came to. */
export type TaskResult<Output = unknown> = {
  readonly status: TaskStatus;
  /** The answer, typed and validated by the task's schema; the text itself without one. Absent for a task without an output. */
  readonly output: Output;
  /** The text: the answer, or what there was of it. */
  readonly raw: string;
  /** Why the answer ended; "length" = it was cut at maxTokens. Undefined without an answer. */
  readonly finish: Finish["unified"] | undefined;
  readonly agent: string;
  readonly error?: ErrorData | undefined;
  readonly attempts: number;
  readonly usage: Usage;
  readonly cost: CostSum;
  readonly timings: Timings;
  /** Inputs that were too long to be pasted, of which no model has read all in this task. */
  readonly unread: readonly UnreadInput[];
};

/** The type of a task's output in a crew's result: under "continue" any task may have none. */
type OutputIn<T, P extends Policy> =
  T extends Task<string, string, infer Output>
    ? "continue" extends P
      ? Output | undefined
      : Output
    : never;

/** Results by task name, in the crew's order. */
export type TaskResults<Tasks extends readonly Task[], P extends Policy> = {
  readonly [T in Tasks[number] as T["name"]]: TaskResult<OutputIn<T, P>>;
};

/** What a run came to. */
export type RunResult<Results = Readonly<Record<string, TaskResult>>> = {
  readonly runId: string;
  readonly status: RunStatus;
  /** The last task's text. */
  readonly raw: string;
  readonly tasks: Results;
  readonly agents: Readonly<Record<string, AgentState>>;
  /** Calls and tokens by purpose: "manage" is what a hierarchy costs. */
  readonly purposes: RunState["purposes"];
  readonly usage: Usage;
  /** What it cost; with `unpriced` calls the amount is not all. */
  readonly cost: CostSum;
  /** Hooks that threw, or returned what they may not. The run went on without them. */
  readonly hookFaults: RunState["hookFaults"];
  readonly timings: Timings;
  readonly error?: ErrorData | undefined;
};

/** The result of a crew's run from its folded events. */
export async function toResult<Tasks extends readonly Task[], P extends Policy>(
  crew: Crew<Tasks, P>,
  state: RunState,
): Promise<RunResult<TaskResults<Tasks, P>>> {
  const ended = crew.tasks.map(
    async (task) => [task.name, await toTaskResult(task, state)] as const,
  );
  const tasks = Object.fromEntries(await Promise.all(ended));
  const { runId, status, raw, agents, purposes, usage, cost, hookFaults, error } = state;
  return {
    runId,
    status: status === "running" ? "cancelled" : status,
    raw,
    tasks: tasks as TaskResults<Tasks, P>, // `as`: one entry for each task, made in the line above
    agents,
    purposes,
    usage,
    cost,
    hookFaults,
    timings: timingsOf(state),
    ...(error ? { error } : {}),
  };
}

/** The result that the error of a failed run carries; undefined for any other error. */
export function partialResult(error: unknown): RunResult | undefined {
  if (!isBosunError(error) || typeof error.partial !== "object" || error.partial === null)
    return undefined;
  return error.partial as RunResult; // `as`: only failRun and the end of a run set it
}

/**
 * The error that a run throws when it did not end well, with the result as `partial`.
 * @param cause the error of the task that failed, where this process has it: its details, cause and stack go on.
 */
export function failRun(result: RunResult, cause: unknown): BosunError {
  const { runId, status, error } = result;
  const done = Object.values(result.tasks).filter((task) => task.status === "done").length;
  const summary = `run ${runId} ${status} (${done} of ${Object.keys(result.tasks).length} tasks done)`;
  const message = error ? `${summary}: ${error.message}` : summary;
  const details = { ...error?.details, runId, status };
  const failure = new BosunError(error?.code ?? "run/failed", message, {
    retryable: error?.retryable ?? false,
    cause,
    details,
  });
  failure.partial = result;
  return failure;
}

async function toTaskResult(task: Task, state: RunState): Promise<TaskResult> {
  const folded = ownValue(state.tasks, task.name);
  if (!folded)
    return {
      status: "cancelled",
      output: undefined,
      raw: "",
      finish: undefined,
      agent: "",
      attempts: 0,
      usage: NO_USAGE,
      cost: NO_COST,
      timings: timingsOf({ startedAt: undefined, endedAt: undefined }),
      unread: [],
    };
  const { status, raw, finish, agent, error, attempts, usage, cost } = folded;
  const isEnded = status !== "waiting" && status !== "running";
  const hasOutput = status === "done" || status === "partial";
  return {
    status: isEnded ? status : "cancelled",
    output: hasOutput ? await outputOf(task, raw, folded.standIn) : undefined,
    raw,
    finish,
    agent,
    attempts,
    usage,
    cost,
    timings: timingsOf(folded),
    unread: unreadOf(folded.inputs),
    ...(error ? { error } : {}),
  };
}

async function outputOf(task: Task, raw: string, standIn: string | undefined): Promise<unknown> {
  const done =
    typeof task.onError === "object" && task.onError.name === standIn ? task.onError : task;
  return done.output === undefined ? raw : readOutput(raw, done.output);
}

function timingsOf({
  startedAt,
  endedAt,
}: {
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
}): Timings {
  const durationMs =
    startedAt === undefined || endedAt === undefined ? undefined : endedAt - startedAt;
  return { startedAt, endedAt, durationMs };
}
