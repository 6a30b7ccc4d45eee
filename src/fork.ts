// Which steps of a run another one takes over, when it begins anew from a task or a step.

import { BosunError } from "./error.ts";
import type { Crew } from "./orchestration/crew/crew.ts";
import { similarTo } from "./orchestration/crew/similar.ts";
import type { StepRecord } from "./orchestration/durable/engine.ts";
import { planCrew } from "./orchestration/plan/plan.ts";
import { taskOf } from "./orchestration/run/task-path.ts";

/**
 * Whether a kept step is taken over.
 * @param from A task's name, or a step's key; that and what depends on it is done anew. Undefined: nothing is.
 * @throws BosunError `usage` when the run has neither.
 */
export function keepBefore(
  crew: Crew,
  steps: readonly StepRecord[],
  from: string | undefined,
): (step: StepRecord) => boolean {
  if (from === undefined) return () => true;
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
    `the run has no task and no step "${from}"${meant === undefined ? "" : `: did you mean ${meant}?`} Its tasks: ${names.join(", ")}. \`bosun runs show ID --steps\` lists its steps`,
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
