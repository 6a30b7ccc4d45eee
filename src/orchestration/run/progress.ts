// How far a crew's run has come, and what follows from it. Pure but for `end`, which also says it in the log.

import { strict as assert } from "node:assert";
import type { ErrorData } from "../../error.ts";
import { executorOf } from "../crew/cast.ts";
import type { Finish } from "../../inference/model/model.ts";
import type { Task } from "../crew/task.ts";
import type { Child } from "../durable/durable.ts";
import type { Plan, PlanTask } from "../plan/plan.ts";
import { createDueTasks, type DueTasks } from "./due.ts";
import type { RunStatus, TaskStatus } from "./event.ts";
import { type Section, SESSION_SECTION } from "./prompt.ts";
import type { Ends, TaskOutput } from "./task.ts";
import { nameOfAgent, type RunContext } from "./world.ts";

/** How one task ended. `raw` is its output, or the text that there was. */
export type Ended = {
  readonly status: TaskStatus;
  readonly raw: string;
  readonly finish?: Finish["unified"] | undefined;
  readonly error?: ErrorData | undefined;
  /** The task that was done in its place. */
  readonly standIn?: string | undefined;
};

/** A task that runs: which of its executions, what it sees, and its child run. */
export type Running = {
  readonly task: Task;
  /** The task itself, or the one that stands in for it. */
  readonly actual: Task;
  readonly attempt: number;
  readonly sections: readonly Section[];
  readonly child: Child<TaskOutput>;
};

/** Everything that a body knows about its run; local to one execution of it. */
export type Progress = {
  readonly running: Map<string, Running>;
  readonly ended: Map<string, Ended>;
  /** What each of `running` comes to, and the telling of the crew's hook (crew-hook.ts): what the body races. */
  readonly results: Map<string, Promise<unknown>>;
  readonly due: DueTasks;
  /** Races so far: each has its own key. */
  round: number;
  hasFailure: boolean;
  /** Tasks that have ended and that the crew's hook has not been told of. */
  readonly untold: { readonly task: string; readonly agent: string; readonly ended: Ended }[];
};

/** The progress of a run that begins. */
export function startProgress({ tasks }: Plan): Progress {
  return {
    running: new Map(),
    ended: new Map(),
    results: new Map(),
    due: createDueTasks(tasks),
    round: 0,
    hasFailure: false,
    untold: [],
  };
}

/** What a run comes to. */
export type Outcome = {
  readonly status: RunStatus;
  readonly raw: string;
  readonly error?: ErrorData | undefined;
};

/** Notes and says how a task ended. `actual` = what was done: the task itself, or its stand-in. */
export function end(
  { run, progress }: { readonly run: RunContext; readonly progress: Progress },
  { task, actual }: { readonly task: Task; readonly actual: Task },
  ended: Ended,
): void {
  progress.due.ended(task.name);
  progress.hasFailure ||= isFailure(ended.status);
  const standIn = actual === task ? {} : { standIn: actual.name };
  progress.ended.set(task.name, { ...ended, ...standIn });
  const agent = agentNameOf(run, actual);
  progress.untold.push({ task: task.name, agent, ended });
  run.log.emit([`task:${task.name}`], {
    type: "task-end",
    task: task.name,
    agent,
    ...standIn,
    ...ended,
  });
}

/** A task whose turn has come: everything that it waits for has ended. `missing` = needs that gave no output. */
export type Due = { readonly planned: PlanTask; readonly missing: readonly string[] };

/** The first due task that has not been started, in plan order (R2). */
export function nextDue({ due, ended }: Progress): Due | undefined {
  const planned = due.next();
  return (
    planned && { planned, missing: planned.needs.filter((need) => !isSettled(ended.get(need))) }
  );
}

/** The outputs that a task sees, in plan order. */
export function sectionsFor(
  run: RunContext,
  { ended }: Progress,
  { context, name }: PlanTask,
): readonly Section[] {
  if (context !== "all" && context.length === 0) return [];
  const isSeen = (other: string): boolean =>
    other !== name && (context === "all" || context.includes(other));
  return run.plan.tasks.flatMap((other) => {
    const done = isSeen(other.name) ? ended.get(other.name) : undefined;
    return done && hasOutput(done) && done.raw !== "" ? [{ name: other.name, text: done.raw }] : [];
  });
}

/** How the tasks so far have ended, as JSON. */
export function endsOf({ ended }: Progress): Ends {
  const all = [...ended].map(([name, { status, raw, standIn }]) => [
    name,
    { status, raw, standIn },
  ]);
  return Object.fromEntries(all);
}

/** What was said in the run's conversation before it, as a section. */
export function sessionSection({ session }: RunContext): readonly Section[] {
  return session && session.history !== ""
    ? [{ name: SESSION_SECTION, text: session.history }]
    : [];
}

/** True when the crew's policy lets nothing go on. */
export function isStopped(run: RunContext, { hasFailure }: Progress): boolean {
  return run.crew.policy === "fail-fast" && hasFailure;
}

/** What the run came to when every task has ended. */
export function outcomeOf(run: RunContext, progress: Progress): Outcome {
  const inOrder = run.plan.tasks.flatMap(({ name }) => progress.ended.get(name) ?? []);
  const raw = finalText(run, progress);
  if (inOrder.every(({ status }) => status === "done" || status === "skipped"))
    return { status: "done", raw };
  const failed = inOrder.find(({ status }) => isFailure(status));
  const isLost =
    (run.crew.policy === "fail-fast" && failed !== undefined) || !inOrder.some(hasOutput);
  return isLost ? { status: "failed", raw, error: failed?.error } : { status: "partial", raw };
}

/** The final output is that of the last task that was not skipped. */
export function finalText(run: RunContext, { ended }: Progress): string {
  const last = run.plan.tasks.findLast(({ name }) => ended.get(name)?.status !== "skipped");
  return ended.get(last?.name ?? "")?.raw ?? "";
}

export function taskNamed(run: RunContext, name: string): Task {
  const task = run.crew.tasks.find((one) => one.name === name);
  assert(task, `the plan has a task "${name}" that the crew does not have`);
  return task;
}

export function agentNameOf(run: RunContext, task: Task): string {
  return nameOfAgent(executorOf(task, run.crew), run.inputs);
}

function hasOutput(ended: Ended | undefined): boolean {
  return ended?.status === "done" || ended?.status === "partial";
}

/** What was skipped is not missed. */
function isSettled(ended: Ended | undefined): boolean {
  return hasOutput(ended) || ended?.status === "skipped";
}

function isFailure(status: TaskStatus): boolean {
  return status === "failed" || status === "timed-out";
}
