// How much a run still has to do behind each of its tasks, so that whoever orders calls can let the shortest go first.

import { workBehind } from "../plan/moment.ts";
import type { Plan } from "../plan/plan.ts";
import type { Surroundings } from "./job.ts";
import type { SettingsOf } from "./reservation.ts";
import { type KnownModels, sizeTasks } from "./task-size.ts";

type Forecast = Surroundings &
  Pick<KnownModels, "expectedOf"> & { readonly plan: Plan; readonly settingsOf: SettingsOf };

/**
 * Tokens of the heaviest chain of tasks behind a task: prompts and answers, each once, as expected. Undefined for what is no task of
 * the plan. Counted when it is first asked for, and only in a run that has something behind a task.
 */
export function createForecast(run: Forecast): (task: string) => number | undefined {
  const remaining = new Map(run.plan.tasks.map((task) => [task.name, task.remaining]));
  let left: ReadonlyMap<string, number> | undefined;
  return (task) => {
    const behind = remaining.get(task);
    if (behind === undefined || behind === 0) return behind;
    left ??= countLeft(run);
    return left.get(task) ?? 0;
  };
}

function countLeft(run: Forecast): ReadonlyMap<string, number> {
  const sizes = sizeTasks(run, { ...run, contextOf: () => undefined });
  const tokens = new Map(
    sizes.map(({ name, promptTokens, outputTokens }) => [name, promptTokens + outputTokens]),
  );
  return workBehind(run.plan, (name) => tokens.get(name) ?? 0);
}
