// The crew's body: starts each task the moment it may start, follows what they come to, ends the run.
//
// A task is *due* when everything it waits for has ended (needs and after: plan.ts, P2). A due task whose needs all have an
// output starts; one that lacks an output is cancelled then, not earlier, so that a sequential crew stays in its order.
//
// Invariants: R2 ready tasks start in plan order; R3 children are joined before run-end; M5 a model error is never retried here.

import { BosunError, type ErrorData, isBosunError, toBosunError } from "../../error.ts";
import { type JsonObject, ownValue } from "../../json.ts";
import { executorOf } from "../crew/cast.ts";
import type { Task } from "../crew/task.ts";
import type { Flow } from "../durable/durable.ts";
import {
  allTold,
  type HookBody,
  hookOutcome,
  NOTHING_TOLD,
  TELLING,
  tellEnded,
} from "./crew-hook.ts";
import type { RunFact, RunStatus } from "./event.ts";
import { isFatal, isOverBudget, textOf, withoutText } from "./failure.ts";
import { makePlans, type Plans } from "./planning.ts";
import {
  agentNameOf,
  end,
  type Ended,
  endsOf,
  finalText,
  isStopped,
  nextDue,
  type Outcome,
  outcomeOf,
  type Running,
  sectionsFor,
  sessionSection,
  startProgress,
  taskNamed,
} from "./progress.ts";
import { PLAN_SECTION, type Section } from "./prompt.ts";
import type { TaskInput, TaskOutput } from "./task.ts";
import { nameOfAgent, type RunContext, type World } from "./world.ts";

/** A run's input. */
export type CrewInput = { readonly crew: string; readonly inputs: JsonObject };

/** What the functions of this body share. */
type Body = HookBody & {
  readonly taskFlow: Flow<TaskInput, TaskOutput>;
  plans: Plans;
};

/** The flow of a crew. Resolves for `done`, `partial` and `failed`; rejects with the reason of an abort. */
export function createCrewFlow(
  world: World,
  taskFlow: Flow<TaskInput, TaskOutput>,
): Flow<CrewInput, Outcome> {
  return {
    name: "bosun/crew",
    version: "1",
    async run(d, { inputs }) {
      const run = world.runOf(d.runId);
      const progress = startProgress(run.plan);
      const body: Body = { d, world, run, progress, taskFlow, plans: {}, telling: NOTHING_TOLD };
      try {
        sayStart(run, inputs);
        body.plans = await makePlans(d, world, run);
        await doTasks(body);
        await stopAll(body, "cancelled");
        await allTold(body);
        const outcome = await hookOutcome(body, outcomeOf(run, progress));
        run.log.emit([], { type: "run-end", ...outcome });
        return outcome;
      } catch (error) {
        // The reason of an abort wins over what it made fail: a planner's call ends as cut, the run as cancelled.
        const reason: unknown = d.signal.aborted ? d.signal.reason : error;
        const failure = toBosunError(reason, "run/failed", `crew "${run.crew.name}"`);
        const status = statusOfAbort(reason);
        run.noteFailure(failure);
        await stopAll(body, status);
        run.log.emit([], {
          type: "run-end",
          status,
          raw: finalText(run, progress),
          error: withoutText(failure),
        });
        throw failure;
      }
    },
  };
}

async function doTasks(body: Body): Promise<void> {
  const { run, progress } = body;
  while (progress.ended.size < run.plan.tasks.length && !isStopped(run, progress)) {
    startDue(body);
    tellEnded(body);
    if (progress.running.size > 0) await followOne(body);
    // One task after the other, and the hook between them. In a parallel crew it runs beside the tasks, and holds none of them up.
    if (run.crew.process !== "parallel") await allTold(body);
  }
}

function sayStart(run: RunContext, inputs: JsonObject): void {
  const { crew, plan, log, session, hookFacts } = run;
  const tasks = plan.tasks.map(({ name, needs, after }) => ({
    name,
    agent: agentNameOf(run, taskNamed(run, name)),
    needs: [...new Set([...needs, ...after])],
  }));
  log.emit([], {
    type: "run-start",
    crew: crew.name,
    process: crew.process,
    inputs,
    tasks,
    width: plan.width,
    ...(session ? { session: session.name } : {}),
  });
  for (const fact of hookFacts) log.emit([], fact);
}

/** Starts what may start and cancels what never can. */
function startDue(body: Body): void {
  const { run, progress } = body;
  for (let due = nextDue(progress); due !== undefined; due = nextDue(progress)) {
    const { planned, missing } = due;
    const task = taskNamed(run, planned.name);
    if (missing.length === 0)
      launch(body, {
        task,
        attempt: 1,
        sections: [...sessionSection(run), ...sectionsFor(run, progress, planned)],
        standIn: false,
      });
    else
      end(
        body,
        { task, actual: task },
        {
          status: "cancelled",
          raw: "",
          error: dependencyError(task.name, missing),
        },
      );
  }
}

type Launch = {
  readonly task: Task;
  readonly attempt: number;
  readonly sections: readonly Section[];
  readonly standIn: boolean;
};

function launch(
  { d, run, progress, taskFlow, plans }: Body,
  { task, attempt, sections, standIn }: Launch,
): void {
  const actual = standIn && typeof task.onError === "object" ? task.onError : task;
  const agent = executorOf(actual, run.crew);
  const name = nameOfAgent(agent, run.inputs);
  const segment = attempt === 1 ? `task:${task.name}` : `task:${task.name}~${attempt}`;
  const timeoutMs = Math.min(actual.timeoutMs, agent.timeoutMs ?? Infinity);
  const timeoutError = (): BosunError =>
    new BosunError(
      "task/timed-out",
      `task "${actual.name}" of agent "${name}" did not end within ${timeoutMs} ms. Raise its timeoutMs, or look at which layer was slow`,
    );
  run.log.emit([segment], { type: "task-start", task: task.name, agent: name }, attempt);
  const plan = ownValue(plans, task.name);
  const seen = plan === undefined ? sections : [...sections, { name: PLAN_SECTION, text: plan }];
  const ends = actual.when === undefined ? undefined : endsOf(progress);
  const input = { task: task.name, standIn, segment, sections: seen, ends };
  const child = d.child(segment, taskFlow, input, { timeoutMs, timeoutError });
  progress.running.set(task.name, { task, actual, attempt, sections, child });
  progress.results.set(task.name, child.result);
}

/** Waits for the first running task to end and takes note of how; may start it anew. */
async function followOne(body: Body): Promise<void> {
  const { d, progress } = body;
  const name = await d.race(`round:${progress.round++}`, progress.results);
  if (name === TELLING) return allTold(body);
  const running = progress.running.get(name);
  progress.results.delete(name);
  if (!running) return;
  try {
    const output = await running.child.result;
    progress.running.delete(name);
    end(body, running, endedBy(output));
  } catch (error) {
    if (d.signal.aborted) throw error;
    progress.running.delete(name);
    if (isFatal(d, error)) throw endBlocked(body, running, error);
    onFailure(body, running, toBosunError(error, "run/failed", `task "${name}"`));
  }
}

/** A hook that blocks and a budget that is used up end the run under every policy; the task's own end is told first. */
function endBlocked(body: Body, running: Running, error: unknown): BosunError {
  const failure = toError(error, running);
  end(body, running, endedBadly(failure));
  return failure;
}

function endedBadly(error: BosunError): Ended {
  const status = isOverBudget(error) ? "cancelled" : "failed";
  return { status, raw: textOf(error), error: withoutText(error) };
}

/** Doing a task anew mends neither a fault of the user's code nor an absent person. */
const FINAL: ReadonlySet<string> = new Set([
  "task/condition-failed",
  "task/guardrail-failed",
  "task/output-file",
  "task/unanswered",
]);

function onFailure(body: Body, running: Running, error: BosunError): void {
  const { task, attempt, sections } = running;
  const { onError } = task;
  const data = withoutText(error);
  body.run.noteFailure(error);
  const again = (standIn: boolean): void => {
    const retry: RunFact = { type: "task-retry", task: task.name, error: data };
    body.run.log.emit([`task:${task.name}`], retry, attempt + 1);
    launch(body, { task, attempt: attempt + 1, sections, standIn });
  };
  const raw = textOf(error);
  const isRepeatable = !error.code.startsWith("model/") && !FINAL.has(error.code); // M5
  if (onError === "retry" && attempt <= task.retries && isRepeatable) again(false);
  else if (typeof onError === "object" && attempt === 1) again(true);
  else if (onError === "partial" && raw.trim() !== "")
    end(body, running, { status: "partial", raw, error: data });
  else {
    const status = error.code === "task/timed-out" ? "timed-out" : "failed";
    end(body, running, { status, raw, error: data });
  }
}

/**
 * Cancels and joins what still runs (R3), and marks what never started. What runs when the budget is used up is not cancelled: its
 * calls are paid for, and it makes no further ones (budget.ts, G3).
 */
async function stopAll(body: Body, status: RunStatus): Promise<void> {
  const { run, progress } = body;
  const left = [...progress.running.values()];
  const isOver = status === "over-budget";
  if (!isOver)
    for (const { child } of left) child.cancel(`the run of crew "${run.crew.name}" is ending`);
  const settled = await Promise.allSettled(left.map(({ child }) => child.result));
  for (const [index, running] of left.entries()) {
    const result = settled[index];
    const cut = status === "timed-out" ? "timed-out" : "cancelled";
    if (result?.status === "fulfilled") end(body, running, endedBy(result.value));
    else if (isOver) end(body, running, endedBadly(toError(result?.reason, running)));
    else end(body, running, { status: cut, raw: textOf(result?.reason) });
  }
  progress.running.clear();
  for (const task of run.crew.tasks) {
    if (!progress.ended.has(task.name))
      end(body, { task, actual: task }, { status: "cancelled", raw: "" });
  }
}

function toError(reason: unknown, { task }: Running): BosunError {
  return toBosunError(reason, "run/failed", `task "${task.name}"`);
}

function endedBy(output: TaskOutput): Ended {
  if (output.type === "skipped") return { status: "skipped", raw: "" };
  const { raw, finish } = output;
  return { status: "done", raw, finish };
}

function statusOfAbort(error: unknown): RunStatus {
  if (!isBosunError(error)) return "failed";
  if (error.code === "run/timed-out") return "timed-out";
  if (error.code === "run/over-budget") return "over-budget";
  return error.code === "run/cancelled" ? "cancelled" : "failed";
}

function dependencyError(name: string, missing: readonly string[]): ErrorData {
  const message = `task "${name}" was not started: ${missing.join(", ")} gave no output`;
  return { code: "task/cancelled", message, retryable: false };
}
