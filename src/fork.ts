// Which steps of a run another one takes over, when it begins anew from a task or a step.

import { BosunError } from "./error.ts";
import type { Crew } from "./orchestration/crew/crew.ts";
import { similarTo } from "./orchestration/crew/similar.ts";
import type { StepRecord } from "./orchestration/durable/engine.ts";
import { planCrew } from "./orchestration/plan/plan.ts";
import { taskOf } from "./orchestration/run/task-path.ts";

/** Where a run begins anew. */
export type Forking = {
  readonly crew: Crew;
  readonly steps: readonly StepRecord[];
  /** A task's name, or a step's key; that and what depends on it is done anew. Undefined: what the run has not done, or what failed. */
  readonly from: string | undefined;
  /** Tasks that came to an output, or were not needed. */
  readonly finished: ReadonlySet<string>;
};

/** Whether a kept step is taken over. @throws BosunError `usage` when the run has no such task or step. */
export function keepBefore({
  crew,
  steps,
  from,
  finished,
}: Forking): (step: StepRecord) => boolean {
  if (from === undefined) return keepDone(steps, finished);
  const { task, key } = find(crew, steps, from);
  const anew = dependentsOf(crew, task);
  const places = new Map(steps.map((step, place) => [step.key, place]));
  const isFrom = (step: StepRecord): boolean =>
    key === undefined ? taskIn(step.key) === task : isBelow(keyIn(step.key), key);
  const first = steps.findIndex((step) => isFrom(step) || anew.has(taskIn(step.key) ?? ""));
  const before = (step: StepRecord): boolean => first < 0 || (places.get(step.key) ?? 0) < first;
  return (step) => {
    const own = taskIn(step.key);
    if (own === undefined) return before(step); // of the crew itself: hooks, plans
    if (anew.has(own)) return false;
    return own !== task || (key !== undefined && before(step));
  };
}

/** All that is done; of a task that did not end well what it did before the first thing that failed. */
function keepDone(
  steps: readonly StepRecord[],
  finished: ReadonlySet<string>,
): (step: StepRecord) => boolean {
  const kept = new Set<string>();
  const failed = new Set<string>();
  let isAllDone = true;
  for (const { key, status } of steps) {
    const task = taskIn(key);
    const isWell = status === "done" && !key.startsWith("limit:");
    const isKept =
      task === undefined ? isAllDone : finished.has(task) || (isWell && !failed.has(task));
    if (isKept) kept.add(key);
    else isAllDone = false;
    if (!isKept && task !== undefined) failed.add(task);
  }
  return ({ key }) => kept.has(key);
}

function find(
  crew: Crew,
  steps: readonly StepRecord[],
  from: string,
): { readonly task: string; readonly key?: string } {
  if (crew.tasks.some(({ name }) => name === from)) return { task: from };
  const step = steps.find(({ key }) => isBelow(keyIn(key), from));
  const task = step && taskIn(step.key);
  if (task !== undefined) return { task, key: from };
  const names = crew.tasks.map(({ name }) => name);
  const meant = similarTo(from, names);
  throw new BosunError(
    "usage",
    `the run has no task and no step "${from}"${meant === undefined ? "." : `: did you mean ${meant}?`} Its tasks: ${names.join(", ")}. \`bosun runs show ID --steps\` lists its steps`,
  );
}

/** Tasks that come after one, whether they need its output or only wait for it. */
function dependentsOf(crew: Crew, task: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    for (const { name, needs, after } of planCrew(crew).tasks) {
      const isAfter = [...needs, ...after].some((one) => one === task || found.has(one));
      if (!isAfter || found.has(name)) continue;
      found.add(name);
      isChanged = true;
    }
  }
  return found;
}

/** Without what the journal says of its kind. */
function keyIn(key: string): string {
  return key.replace(/^(sleep|wait|limit):/, "");
}

function taskIn(key: string): string | undefined {
  return taskOf(keyIn(key).split("/"));
}

function isBelow(key: string, prefix: string): boolean {
  return key === prefix || key.startsWith(`${prefix}/`);
}
