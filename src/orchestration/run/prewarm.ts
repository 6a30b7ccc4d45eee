// Says which models are needed next while a task works, so that who sleeps is awake when its turn comes.
//
// No step of the durable body: a task that is resumed says it again, one that is finished does not come here, and nothing hangs on it.

import { type ModelRef, nameOf } from "../../inference/model/endpoint.ts";
import type { Model } from "../../inference/model/model.ts";
import { executorOf } from "../crew/cast.ts";
import type { Task } from "../crew/task.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunContext } from "./world.ts";

/**
 * Tells `model` what the tasks that come right after this one begin with; nothing where it is not interested. What this task calls
 * itself is awake by then.
 */
export function prewarmNext(
  model: Model,
  { crew, plan, modelsFor }: Pick<RunContext, "crew" | "plan" | "modelsFor">,
  name: string,
): void {
  const next = model.prewarm && nextOf(plan).get(name);
  if (next === undefined) return;
  const firstOf = (task: Task): ModelRef => {
    const agent = executorOf(task, crew);
    return modelsFor(agent === crew.manager ? "manager" : "worker", agent)[0];
  };
  const tasks = crew.tasks.filter((task) => next.includes(task.name));
  const own = crew.tasks.filter((task) => task.name === name).map((task) => nameOf(firstOf(task)));
  const due = new Map(tasks.map((task) => [nameOf(firstOf(task)), firstOf(task)]));
  for (const called of own) due.delete(called);
  if (due.size > 0) model.prewarm?.([...due.values()]);
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
