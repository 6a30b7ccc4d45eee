// Says which models are needed now and next while a task works, so that who sleeps is awake when its turn comes.
//
// No step of the durable body: a task that is resumed says it again, one that is finished does not come here, and nothing hangs on it.

import { type ModelRef, nameOf } from "../../inference/model/endpoint.ts";
import type { Model } from "../../inference/model/model.ts";
import { executorOf } from "../crew/cast.ts";
import type { Task } from "../crew/task.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunContext } from "./world.ts";

/**
 * Tells `model` what this task begins with and what the tasks that come right after it begin with; nothing where it is not interested.
 * @param signal aborts when the task ends.
 */
export function prewarm(
  model: Model,
  { crew, plan, modelsFor }: Pick<RunContext, "crew" | "plan" | "modelsFor">,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal },
): void {
  if (model.prewarm === undefined) return;
  const next = nextOf(plan).get(name) ?? [];
  const firstOf = (task: Task): ModelRef => {
    const agent = executorOf(task, crew);
    return modelsFor(agent === crew.manager ? "manager" : "worker", agent)[0];
  };
  const due = new Map<string, ModelRef>();
  for (const task of crew.tasks.filter((one) => next.includes(one.name)))
    due.set(nameOf(firstOf(task)), firstOf(task));
  const own = crew.tasks.filter((one) => one.name === name).map(firstOf);
  for (const ref of own) due.delete(nameOf(ref));
  // Its own model too: a worker may leave between two of its calls, while a tool works.
  if (own.length > 0) model.prewarm({ models: own, signal });
  if (due.size > 0)
    model.prewarm({ models: [...due.values()], after: `${crew.name}/${name}`, signal });
}

/** By task, those that wait for it and for nothing that comes later: all runs of a crew share one plan. */
const known = new WeakMap<Plan, ReadonlyMap<string, readonly string[]>>();

function nextOf(plan: Plan): ReadonlyMap<string, readonly string[]> {
  const found = known.get(plan);
  if (found) return found;
  const depths = depthsOf(plan);
  const next = new Map<string, string[]>();
  for (const { name, needs, after } of plan.tasks)
    for (const other of new Set([...needs, ...after])) {
      // A report that needs the first of five tasks is not due when that one starts.
      if (depths.get(other) !== (depths.get(name) ?? 0) - 1) continue;
      next.set(other, [...(next.get(other) ?? []), name]);
    }
  known.set(plan, next);
  return next;
}

/** Tasks on the longest chain before each. One pass for tasks in order, at most as many as there are tasks (P1). */
function depthsOf({ tasks }: Plan): ReadonlyMap<string, number> {
  const depths = new Map(tasks.map(({ name }) => [name, 0]));
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    for (const { name, needs, after } of tasks) {
      const before = [...needs, ...after].map((other) => (depths.get(other) ?? 0) + 1);
      const depth = Math.max(0, ...before);
      if (depth === depths.get(name)) continue;
      depths.set(name, depth);
      isChanged = true;
    }
  }
  return depths;
}
