// The rules of flows once more, slow and obvious: it keeps every event there ever was and what made it, and works out each answer from
// all of it. Shares no code with src/orchestration/flow/firing.ts.
//
// Where one event lets several branches of an `or` happen, the first one in the definition that may fire it does. Where a name is in
// several branches of an `and`, its value is that of the branch later in the definition.

import type { Json } from "../../../src/json.ts";
import type { Trigger } from "../../../src/orchestration/flow/trigger.ts";

/** A step that was to run, and the events that let it run, by their places in the history. */
type Ran = { readonly step: string; readonly because: readonly number[] };

/** `by`: the activation whose end made it; undefined for what comes from outside. */
type Past = { readonly name: string; readonly value: Json; readonly by: Ran | undefined };

/** A moment at which a tree, or a part of it, has happened: at the event of this place, because of these events. */
type Moment = { readonly at: number; readonly because: readonly number[] };

type Answer = {
  readonly ran: Ran;
  readonly input: Json;
  readonly inputs: Readonly<Record<string, Json>>;
};

/** Steps with what they listen to, in the order of their definition. */
export function createSlowModel(steps: readonly (readonly [string, Trigger | undefined])[]): {
  happen(event: Past): readonly Answer[];
} {
  const history: Past[] = [];
  return {
    happen(event) {
      history.push(event);
      const now = history.length - 1;
      return steps.flatMap(([step, on]) => {
        if (on === undefined) return [];
        const moment = momentsOf(on, step, history).find(({ at }) => at === now);
        if (moment === undefined) return [];
        const { because } = moment;
        const inputs = Object.fromEntries(because.map((at) => valueAt(history, at)));
        return [{ ran: { step, because }, input: event.value, inputs }];
      });
    },
  };
}

function valueAt(history: readonly Past[], at: number): readonly [string, Json] {
  const past = history[at];
  if (past === undefined) throw new Error(`no event ${at}`);
  return [past.name, past.value];
}

/** Every moment at which the tree has happened, the earliest first. */
function momentsOf(trigger: Trigger, step: string, history: readonly Past[]): readonly Moment[] {
  if (typeof trigger === "string")
    return history.flatMap(({ name }, at) => (name === trigger ? [{ at, because: [at] }] : []));
  const branches = trigger.of.map((one) => momentsOf(one, step, history));
  const places = history.map((_, at) => at);
  return trigger.type === "and"
    ? allMoments(branches, places)
    : anyMoments(branches, places, (because) => lastRun(step, because, history));
}

/** An `and` happens where, since it last has, each branch has happened, and one does now. */
function allMoments(
  branches: readonly (readonly Moment[])[],
  places: readonly number[],
): readonly Moment[] {
  const moments: Moment[] = [];
  for (const now of places) {
    const before = moments.at(-1)?.at ?? -1;
    const last = branches.flatMap(
      (branch) => branch.findLast(({ at }) => at > before && at <= now) ?? [],
    );
    if (last.length === branches.length && last.some(({ at }) => at === now))
      moments.push({ at: now, because: last.flatMap(({ because }) => because) });
  }
  return moments;
}

/**
 * An `or` happens at the first branch; then where one happens that has done so since, that moment included, or that a run of its step has
 * led to which has not led to a moment before. `runOf`: the last such run; undefined where there is none.
 */
function anyMoments(
  branches: readonly (readonly Moment[])[],
  places: readonly number[],
  runOf: (because: readonly number[]) => number | undefined,
): readonly Moment[] {
  const moments: Moment[] = [];
  const used = new Set<number | undefined>();
  for (const now of places) {
    const before = moments.at(-1)?.at;
    const firing = branches.flatMap((branch) => {
      const here = branch.find(({ at }) => at === now);
      if (here === undefined) return [];
      const isCounted = branch.some(({ at }) => before !== undefined && at >= before && at < now);
      const run = runOf(here.because);
      const isLoop = run !== undefined && !used.has(run);
      return before === undefined || isCounted || isLoop ? [here] : [];
    });
    if (firing[0] === undefined) continue;
    moments.push(firing[0]);
    used.add(runOf(firing[0].because));
  }
  return moments;
}

/** The last run of the step from which one of these events comes, by however many steps between: the place of the event that began it. */
function lastRun(
  step: string,
  because: readonly number[],
  history: readonly Past[],
): number | undefined {
  const seen = new Set(because);
  const runs: number[] = [];
  for (const at of seen) {
    const by = history[at]?.by;
    if (by?.step === step) runs.push(Math.max(...by.because));
    for (const earlier of by?.because ?? []) seen.add(earlier); // a set that grows is walked to its end
  }
  return runs.length === 0 ? undefined : Math.max(...runs);
}
