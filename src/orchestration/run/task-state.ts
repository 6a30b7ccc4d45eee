// What is known about the tasks of a run after its events so far.

import type { ErrorData } from "../../error.ts";
import { ownValue } from "../../json.ts";
import type { Finish } from "../../inference/model/model.ts";
import { type CostSum, NO_COST } from "../../inference/model/price.ts";
import { NO_USAGE, type Usage } from "../../inference/model/usage.ts";
import { withEntry } from "./entry.ts";
import type { RunEvent, RunStart, TaskStatus } from "./event.ts";
import type { InputStates } from "./input-read.ts";
import { taskIn } from "./task-path.ts";

/** What one task came to. Times are on the run's clock in ms. */
export type TaskState = {
  readonly name: string;
  readonly agent: string;
  readonly status: TaskStatus | "waiting" | "running";
  readonly attempts: number;
  readonly calls: number;
  readonly usage: Usage;
  readonly cost: CostSum;
  readonly raw: string;
  /** Pieces of its work that were given away, and those of them that failed. */
  readonly delegations: number;
  readonly delegationFailures: number;
  /** Why the answer ended; "length" = it was cut at maxTokens. */
  readonly finish: Finish["unified"] | undefined;
  /** The task that was done in its place. */
  readonly standIn: string | undefined;
  readonly error: ErrorData | undefined;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  /** What its last attempt has read of inputs that were too long to be pasted. */
  readonly inputs: InputStates;
};

/** Tasks by name. */
export type TaskStates = Readonly<Record<string, TaskState>>;

/** Before any of them has begun. */
export function startTasks({ path, tasks }: RunEvent & RunStart): TaskStates {
  const named = tasks.map(({ name, agent }): [string, TaskState] => {
    const whole = taskIn(path, name);
    return [whole, { ...EMPTY_TASK, name: whole, agent }];
  });
  return Object.fromEntries(named);
}

const EMPTY_TASK: Omit<TaskState, "name" | "agent"> = {
  status: "waiting",
  attempts: 0,
  calls: 0,
  usage: NO_USAGE,
  cost: NO_COST,
  raw: "",
  delegations: 0,
  delegationFailures: 0,
  finish: undefined,
  standIn: undefined,
  error: undefined,
  startedAt: undefined,
  endedAt: undefined,
  inputs: {},
};

/** The tasks after a change of one. */
export function changeTask(
  tasks: TaskStates,
  name: string,
  change: (task: TaskState) => TaskState,
): TaskStates {
  const task = ownValue(tasks, name) ?? { ...EMPTY_TASK, name, agent: "" };
  return withEntry(tasks, name, change(task));
}
