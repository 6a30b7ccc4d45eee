// Which tasks of a plan are due: everything that they wait for has ended. Each end is looked at once for each task that waits for
// it, so a run is linear in its tasks and their edges; asking all tasks again after each end took a crew of 1,000 longer than its calls.

import type { PlanTask } from "../plan/plan.ts";

/** The tasks that are due and were not taken yet. */
export interface DueTasks {
  /** Takes the first of them in plan order (R2). */
  next(): PlanTask | undefined;
  /** A task has ended, however: what waits for it is one nearer. */
  ended(name: string): void;
}

export function createDueTasks(tasks: readonly PlanTask[]): DueTasks {
  const waiting = tasks.map(({ needs, after }) => new Set([...needs, ...after]).size);
  const followers = followersOf(tasks);
  /** Places in the plan, the first last. */
  const due = tasks.flatMap((_, place) => (waiting[place] === 0 ? [place] : [])).toReversed();
  return {
    next() {
      const place = due.pop();
      return place === undefined ? undefined : tasks[place];
    },
    ended(name) {
      const ready = (followers.get(name) ?? []).filter((place) => {
        const left = (waiting[place] ?? 0) - 1;
        waiting[place] = left;
        return left === 0;
      });
      if (ready.length === 0) return;
      due.push(...ready);
      due.sort((a, b) => b - a);
    },
  };
}

/** For each task, the places of those that wait for it. */
function followersOf(tasks: readonly PlanTask[]): Map<string, number[]> {
  const followers = new Map<string, number[]>();
  for (const [place, { needs, after }] of tasks.entries())
    for (const name of new Set([...needs, ...after])) {
      const known = followers.get(name);
      if (known) known.push(place);
      else followers.set(name, [place]);
    }
  return followers;
}
