// Flow → FlowPlan: what surely comes before what, how many model calls can be in flight, the longest chain. Pure.
//
// A step surely comes after another when it cannot begin for the first time before that has ended: through a single event, all branches
// of an `and`, what the branches of an `or` have in common. What a loop begins again is not looked at.

import type { Crew } from "../crew/crew.ts";
import { DEFAULT_CALLS, type Flow } from "../flow/flow.ts";
import { sourcesOf } from "../flow/graph.ts";
import { namesIn, type Trigger } from "../flow/trigger.ts";
import { heaviestMoment } from "./moment.ts";
import { planCrew } from "./plan.ts";

/** One step of a plan. */
export type FlowPlanStep = {
  readonly name: string;
  /** Steps that have surely ended before it begins; none for one that can never begin. */
  readonly after: readonly string[];
  /** Whether some way leads to it from a start. */
  readonly canRun: boolean;
  /** Most calls of it under way at once: more than 1 where several routers emit what it listens to. */
  readonly calls: number;
  /** Most model calls in flight of one call of it: its widest crew's; 1 where it does not say which crews it runs. */
  readonly width: number;
  /** Crews that it says it runs. */
  readonly crews: readonly Crew[];
};

/** A flow, looked at before it runs. */
export type FlowPlan = {
  readonly steps: readonly FlowPlanStep[];
  /** Most model calls in flight that one run can cause, when no loop begins a step again while others still run. */
  readonly width: number;
  /** Steps that can be under way at once and cause it. */
  readonly widest: readonly string[];
  /** Steps on the chain with the most tasks one after the other. */
  readonly criticalPath: readonly string[];
};

export function planFlow(flow: Flow): FlowPlan {
  const before = surelyBefore(flow);
  const calls = callsAtOnce(flow);
  const steps = Object.entries(flow.steps).map(([name, { options }]): FlowPlanStep => {
    const crews = options.crews ?? [];
    const widths = crews.map((crew) => planCrew(crew).width);
    const width = options.crews === undefined ? 1 : Math.max(0, ...widths);
    const after = [...(before.get(name) ?? [])];
    const canRun = !after.includes(name); // whatever runs does not wait for itself
    if (!canRun) return { name, after: [], canRun, calls: 0, width: 0, crews };
    return { name, after, canRun, calls: calls.get(name) ?? 1, width, crews };
  });
  const { tasks, weight } = widestOf(steps);
  return { steps, width: weight, widest: tasks, criticalPath: longestChain(steps) };
}

function widestOf(steps: readonly FlowPlanStep[]): ReturnType<typeof heaviestMoment> {
  const calling = steps.filter(({ width }) => width > 0);
  const names = new Set(calling.map(({ name }) => name));
  const widths = new Map(calling.map(({ name, calls, width }) => [name, calls * width]));
  const tasks = calling.map(({ name, after }) => ({
    name,
    agent: name,
    needs: after.filter((one) => names.has(one)),
    after: [],
    context: [],
    remaining: 0,
  }));
  const plan = { process: "parallel", tasks, width: 0, criticalPath: [] } as const;
  return heaviestMoment(plan, (name) => widths.get(name) ?? 1);
}

/** Tasks that one call of a step does one after the other, as far as it says. */
function lengthOf({ crews, width }: FlowPlanStep): number {
  const tasks = crews.reduce((sum, crew) => sum + planCrew(crew).criticalPath.length, 0);
  return crews.length > 0 ? tasks : width;
}

type Chain = { readonly length: number; readonly names: readonly string[] };

const longer = (one: Chain, other: Chain): Chain => (other.length > one.length ? other : one);

function longestChain(steps: readonly FlowPlanStep[]): readonly string[] {
  const nothing: Chain = { length: 0, names: [] };
  const chains = new Map<string, Chain>();
  // What is surely before a step has fewer steps surely before it.
  for (const step of steps.toSorted((a, b) => a.after.length - b.after.length)) {
    const { length, names } = step.after
      .flatMap((name) => chains.get(name) ?? [])
      .reduce(longer, nothing);
    chains.set(step.name, { length: length + lengthOf(step), names: [...names, step.name] });
  }
  return [...chains.values()].reduce(longer, nothing).names;
}

/** By step, those that have surely ended before it begins for the first time; every step for one that can never begin. */
function surelyBefore({ steps }: Flow): ReadonlyMap<string, ReadonlySet<string>> {
  const sources = sourcesOf(steps);
  const all: ReadonlySet<string> = new Set(Object.keys(steps));
  const before = new Map([...all].map((name) => [name, all]));
  const ofTrigger = (trigger: Trigger): ReadonlySet<string> => {
    if (typeof trigger === "string")
      return common(
        (sources.get(trigger) ?? []).map((name) => new Set(before.get(name)).add(name)),
      );
    const branches = trigger.of.map(ofTrigger);
    if (trigger.type === "or") return common(branches);
    return new Set(branches.flatMap((branch) => [...branch]));
  };
  // Each round only takes steps away: at most n² rounds, and as many as the longest chain in practice.
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    for (const [name, { on }] of Object.entries(steps)) {
      const now = on === undefined ? new Set<string>() : ofTrigger(on);
      if (now.size === before.get(name)?.size) continue;
      before.set(name, now);
      isChanged = true;
    }
  }
  return before;
}

function common(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const [first = new Set<string>(), ...others] = sets;
  return new Set([...first].filter((name) => others.every((other) => other.has(name))));
}

/**
 * By step, how many calls of it can be under way at once: each emission of an event begins one, an `and` as many as its rarest branch, an
 * `or` as many as its most frequent one. What comes back to a step through a loop is not counted.
 */
function callsAtOnce({ steps }: Flow): ReadonlyMap<string, number> {
  const sources = sourcesOf(steps);
  const earlier = earlierThan(steps, sources);
  const calls = new Map<string, number>();
  const callsOf = (name: string): number => {
    const known = calls.get(name);
    if (known !== undefined) return known;
    const { on, options } = steps[name] ?? { on: undefined, options: {} };
    const isLoop = (source: string): boolean => earlier.get(source)?.has(name) ?? false;
    const ofTrigger = (trigger: Trigger): number => {
      if (typeof trigger !== "string") {
        const branches = trigger.of.map(ofTrigger);
        return trigger.type === "or" ? Math.max(...branches) : Math.min(...branches);
      }
      const before = (sources.get(trigger) ?? []).filter((source) => !isLoop(source));
      return before.reduce((sum, source) => sum + callsOf(source), 0);
    };
    const most = on === undefined ? 1 : Math.max(1, ofTrigger(on));
    calls.set(name, Math.min(most, options.maxCalls ?? DEFAULT_CALLS));
    return calls.get(name) ?? 1;
  };
  for (const name of Object.keys(steps)) callsOf(name);
  return calls;
}

/** By step, all that can have run before it, itself only in a loop. */
function earlierThan(
  steps: Flow["steps"],
  sources: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const directly = new Map(
    Object.entries(steps).map(([name, { on }]) => [
      name,
      on === undefined ? [] : namesIn(on).flatMap((event) => sources.get(event) ?? []),
    ]),
  );
  const all = (name: string): ReadonlySet<string> => {
    const found = new Set(directly.get(name));
    // A set goes on to what is added to it meanwhile.
    for (const one of found) for (const source of directly.get(one) ?? []) found.add(source);
    return found;
  };
  return new Map(Object.keys(steps).map((name) => [name, all(name)]));
}
