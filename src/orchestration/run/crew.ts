// The crew's body: starts each task the moment it may start, follows what they come to, ends the run.
//
// A task is *due* when everything it waits for has ended (needs and after: plan.ts, P2). A due task whose needs all have an
// output starts; one that lacks an output is cancelled then, not earlier, so that a sequential crew stays in its order.
//
// Invariants: R2 ready tasks start in plan order; R3 children are joined before run-end; M5 a model error is never retried here.

import { strict as assert } from "node:assert";
import { BosunError, detailOf, type ErrorData, isBosunError, toBosunError } from "../../error.ts";
import type { JsonObject } from "../../json.ts";
import { agentOf } from "../crew/crew.ts";
import type { Task } from "../crew/task.ts";
import type { Child, Durable, Flow } from "../durable/durable.ts";
import type { PlanTask } from "../plan/plan.ts";
import type { RunFact, RunStatus, TaskStatus } from "./event.ts";
import type { Section } from "./prompt.ts";
import type { TaskInput, TaskOutput } from "./task.ts";
import { nameOfAgent, type RunContext, type World } from "./world.ts";

/** A run's input. */
export type CrewInput = { readonly crew: string; readonly inputs: JsonObject };

/** What a run comes to. */
export type CrewOutput = {
  readonly status: RunStatus;
  readonly raw: string;
  readonly error?: ErrorData | undefined;
};

/** How one task ended. `raw` is its output, or the text that there was. */
type Ended = {
  readonly status: TaskStatus;
  readonly raw: string;
  readonly error?: ErrorData | undefined;
};

/** A task that runs: which of its executions, and its child run. */
type Running = {
  readonly task: Task;
  readonly attempt: number;
  readonly sections: readonly Section[];
  readonly child: Child<TaskOutput>;
};

/** Everything that the body knows about its run; local to one execution of it. */
type Progress = {
  readonly running: Map<string, Running>;
  readonly ended: Map<string, Ended>;
  round: number;
};

/** The flow of a crew. Resolves for `done` and `partial`, and for `failed`; rejects with the reason of an abort. */
export function createCrewFlow(
  world: World,
  taskFlow: Flow<TaskInput, TaskOutput>,
): Flow<CrewInput, CrewOutput> {
  return {
    name: "bosun/crew",
    version: "1",
    async run(d, { inputs }) {
      const run = world.runOf(d.rootId);
      const progress: Progress = { running: new Map(), ended: new Map(), round: 0 };
      const { name, process } = run.crew;
      const tasks = run.plan.tasks.map((task) => ({
        name: task.name,
        agent: agentNameOf(run, task.name),
        needs: [...task.needs, ...task.after],
      }));
      run.log.emit([], {
        type: "run-start",
        crew: name,
        process,
        inputs,
        tasks,
        width: run.plan.width,
      });
      try {
        while (progress.ended.size < run.plan.tasks.length && !isStopped(run, progress)) {
          startDue(d, run, progress, taskFlow);
          if (progress.running.size > 0) await followOne(d, run, progress, taskFlow);
        }
      } catch (error) {
        await stopAll(run, progress, statusOfAbort(error));
        const failure = toBosunError(error, "run/failed", `crew "${name}"`);
        run.log.emit([], {
          type: "run-end",
          status: statusOfAbort(error),
          raw: finalText(run, progress),
          error: failure.toJSON(),
        });
        throw failure;
      }
      await stopAll(run, progress, "cancelled");
      const output = outcome(run, progress);
      run.log.emit([], { type: "run-end", ...output });
      return output;
    },
  };
}

function isStopped(run: RunContext, { ended }: Progress): boolean {
  return (
    run.crew.policy === "fail-fast" && [...ended.values()].some(({ status }) => isFailure(status))
  );
}

/** Starts what may start and cancels what never can, until nothing changes. Plan order (R2). */
function startDue(
  d: Durable,
  run: RunContext,
  progress: Progress,
  flow: Flow<TaskInput, TaskOutput>,
): void {
  for (let changed = true; changed;) {
    changed = false;
    for (const planned of run.plan.tasks) {
      if (progress.running.has(planned.name) || progress.ended.has(planned.name)) continue;
      if (![...planned.needs, ...planned.after].every((name) => progress.ended.has(name))) continue;
      const missing = planned.needs.filter((name) => !hasOutput(progress.ended.get(name)));
      changed = true;
      if (missing.length === 0) start(d, run, progress, { flow, planned });
      else
        end(run, progress, planned.name, {
          status: "cancelled",
          raw: "",
          error: dependencyError(planned.name, missing),
        });
    }
  }
}

function start(
  d: Durable,
  run: RunContext,
  progress: Progress,
  { flow, planned }: { readonly flow: Flow<TaskInput, TaskOutput>; readonly planned: PlanTask },
): void {
  const task = taskNamed(run, planned.name);
  launch(d, run, progress, {
    flow,
    task,
    attempt: 1,
    sections: sectionsFor(run, progress, planned),
  });
}

function taskNamed(run: RunContext, name: string): Task {
  const task = run.crew.tasks.find((one) => one.name === name);
  assert(task, `the plan has a task "${name}" that the crew does not have`);
  return task;
}

function agentNameOf(run: RunContext, task: string): string {
  return nameOfAgent(agentOf(taskNamed(run, task), run.crew.agents), run.inputs);
}

type Launch = {
  readonly flow: Flow<TaskInput, TaskOutput>;
  readonly task: Task;
  readonly attempt: number;
  readonly sections: readonly Section[];
  readonly standIn?: boolean;
};

function launch(
  d: Durable,
  run: RunContext,
  progress: Progress,
  { flow, task, attempt, sections, standIn = false }: Launch,
): void {
  const actual = standIn && typeof task.onError === "object" ? task.onError : task;
  const agent = agentOf(actual, run.crew.agents);
  const segment = attempt === 1 ? `task:${task.name}` : `task:${task.name}~${attempt}`;
  const timeoutMs = Math.min(actual.timeoutMs, agent.timeoutMs ?? Infinity);
  const timeoutError = (): BosunError =>
    new BosunError(
      "task/timed-out",
      `task "${actual.name}" of agent "${agent.name}" did not end within ${timeoutMs} ms. Raise its timeoutMs, or look at which layer was slow`,
    );
  run.log.emit([segment], {
    type: "task-start",
    task: task.name,
    agent: nameOfAgent(agent, run.inputs),
    attempt,
  });
  const child = d.child(
    segment,
    flow,
    { task: task.name, standIn, segment, sections },
    { timeoutMs, timeoutError },
  );
  progress.running.set(task.name, { task, attempt, sections, child });
}

/** Waits for the first running task to end and takes note of how; may start it anew. */
async function followOne(
  d: Durable,
  run: RunContext,
  progress: Progress,
  flow: Flow<TaskInput, TaskOutput>,
): Promise<void> {
  const pending = Object.fromEntries(
    [...progress.running].map(([name, { child }]) => [name, child.result]),
  );
  const name = await d.race(`round:${progress.round++}`, pending);
  const running = progress.running.get(name);
  if (!running) return;
  try {
    const { raw } = await running.child.result;
    progress.running.delete(name);
    end(run, progress, name, { status: "done", raw });
  } catch (error) {
    if (d.signal.aborted) throw error;
    progress.running.delete(name);
    onFailure(d, run, progress, {
      ...running,
      flow,
      error: toBosunError(error, "run/failed", `task "${name}"`),
    });
  }
}

type Failure = Running & { readonly flow: Flow<TaskInput, TaskOutput>; readonly error: BosunError };

function onFailure(
  d: Durable,
  run: RunContext,
  progress: Progress,
  { flow, task, attempt, sections, error }: Failure,
): void {
  const { onError, name } = task;
  const data = { ...error.toJSON(), details: undefined };
  const raw = textOf(error);
  const isFirst = attempt === 1;
  const again = (standIn: boolean): void => {
    run.log.emit([`task:${name}`], {
      type: "task-retry",
      task: name,
      attempt: attempt + 1,
      error: data,
    });
    launch(d, run, progress, { flow, task, attempt: attempt + 1, sections, standIn });
  };
  if (onError === "retry" && attempt <= task.retries && !error.code.startsWith("model/"))
    again(false);
  else if (typeof onError === "object" && isFirst) again(true);
  else if (onError === "partial") end(run, progress, name, { status: "partial", raw, error: data });
  else
    end(run, progress, name, {
      status: error.code === "task/timed-out" ? "timed-out" : "failed",
      raw,
      error: data,
    });
}

function end(run: RunContext, progress: Progress, name: string, ended: Ended): void {
  progress.ended.set(name, ended);
  const fact: RunFact = { type: "task-end", task: name, agent: agentNameOf(run, name), ...ended };
  run.log.emit([`task:${name}`], fact);
}

/** Cancels and joins what still runs (R3), and marks what never started. */
async function stopAll(run: RunContext, progress: Progress, status: RunStatus): Promise<void> {
  const left = [...progress.running];
  for (const [, { child }] of left) child.cancel(`run of crew "${run.crew.name}" is ending`);
  const settled = await Promise.allSettled(left.map(([, { child }]) => child.result));
  for (const [index, [name]] of left.entries()) {
    const result = settled[index];
    if (result?.status === "fulfilled")
      end(run, progress, name, { status: "done", raw: result.value.raw });
    else
      end(run, progress, name, {
        status: status === "timed-out" ? "timed-out" : "cancelled",
        raw: textOf(result?.reason),
      });
  }
  progress.running.clear();
  for (const { name } of run.plan.tasks)
    if (!progress.ended.has(name)) end(run, progress, name, { status: "cancelled", raw: "" });
}

function outcome(run: RunContext, progress: Progress): CrewOutput {
  const all = [...progress.ended.values()];
  const raw = finalText(run, progress);
  const failed = run.plan.tasks
    .map(({ name }) => progress.ended.get(name))
    .find((ended) => ended && isFailure(ended.status));
  const isWhole = all.every(({ status }) => status === "done");
  if (isWhole) return { status: "done", raw };
  if (run.crew.policy === "fail-fast" && failed)
    return { status: "failed", raw, error: failed.error };
  if (!all.some(hasOutput)) return { status: "failed", raw, error: failed?.error };
  return { status: "partial", raw };
}

/** The outputs that a task sees, in plan order. */
function sectionsFor(
  run: RunContext,
  { ended }: Progress,
  { context, name }: PlanTask,
): readonly Section[] {
  const seen = run.plan.tasks.filter(
    (other) => other.name !== name && (context === "all" || context.includes(other.name)),
  );
  return seen.flatMap((other) => {
    const done = ended.get(other.name);
    return done && hasOutput(done) && done.raw !== "" ? [{ name: other.name, text: done.raw }] : [];
  });
}

/** The final output is the last task's. */
function finalText(run: RunContext, { ended }: Progress): string {
  return ended.get(run.plan.tasks.at(-1)?.name ?? "")?.raw ?? "";
}

function hasOutput(ended: Ended | undefined): boolean {
  return ended?.status === "done" || ended?.status === "partial";
}

function isFailure(status: TaskStatus): boolean {
  return status === "failed" || status === "timed-out";
}

function textOf(error: unknown): string {
  const text = detailOf(error, "text");
  return typeof text === "string" ? text : "";
}

function statusOfAbort(error: unknown): RunStatus {
  if (!isBosunError(error)) return "failed";
  return error.code === "run/timed-out"
    ? "timed-out"
    : error.code === "run/cancelled"
      ? "cancelled"
      : "failed";
}

function dependencyError(name: string, missing: readonly string[]): ErrorData {
  return {
    code: "task/cancelled",
    message: `task "${name}" was not started: ${missing.join(", ")} gave no output`,
    retryable: false,
  };
}
