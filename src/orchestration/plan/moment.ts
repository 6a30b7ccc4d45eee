// A plan's heaviest moment: the tasks that can be done at once and weigh most together; and the work that is left behind each task. Pure.

import type { Plan } from "./plan.ts";

/** Tasks of which none waits for another. */
export type Moment = {
  readonly tasks: readonly string[];
  readonly weight: number;
  /** false: the crew is too large for it, and it is the heaviest of the plan's levels. */
  readonly isExact: boolean;
};

/** Above this the O(n³) is not worth it, as in plan.ts. */
const EXACT_TASKS = 200;

/**
 * The heaviest set of tasks of which none waits for another: all the weight less a maximum flow through the transitive closure, where
 * each task lets through its weight (Dilworth's theorem with weights); the tasks are what the minimum cut leaves whole.
 * @param weightOf above 0.
 * @example a (1) → b (5), a → c (5), d (3) for itself: b, c and d, 13.
 */
export function heaviestMoment(plan: Plan, weightOf: (task: string) => number): Moment {
  const names = plan.tasks.map(({ name }) => name);
  const weights = names.map(weightOf);
  const chosen =
    names.length > EXACT_TASKS
      ? heaviestLevel(plan, weights)
      : heaviestSet(behindOf(plan), weights);
  return {
    tasks: names.filter((_, index) => chosen.has(index)),
    weight: [...chosen].reduce((sum, index) => sum + (weights[index] ?? 0), 0),
    isExact: names.length <= EXACT_TASKS,
  };
}

/** The weight of the heaviest chain behind each task, itself excluded: what is left of the run when it ends. */
export function workBehind(
  plan: Plan,
  weightOf: (task: string) => number,
): ReadonlyMap<string, number> {
  const left = new Map<string, number>();
  // Those that wait come after what they wait for in an order of depth: from the deepest on, what is behind a task is known.
  for (const index of byDepth(plan).toReversed()) {
    const task = plan.tasks[index];
    if (!task) continue;
    const own = weightOf(task.name) + (left.get(task.name) ?? 0);
    for (const other of [...task.needs, ...task.after])
      left.set(other, Math.max(left.get(other) ?? 0, own));
  }
  return left;
}

/** Indexes of the tasks, each after all that it waits for. */
function byDepth(plan: Plan): readonly number[] {
  const depths = depthsOf(plan);
  return [...plan.tasks.keys()].toSorted((a, b) => (depths[a] ?? 0) - (depths[b] ?? 0));
}

/** How many tasks each one waits for, one after the other. Rounds are at most as many as there are tasks (P1). */
function depthsOf({ tasks }: Plan): readonly number[] {
  const depths = new Map(tasks.map(({ name }) => [name, 0]));
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    for (const { name, needs, after } of tasks) {
      const least = Math.max(-1, ...needs.map(depth), ...after.map(depth)) + 1;
      if (least <= depth(name)) continue;
      depths.set(name, least);
      isChanged = true;
    }
  }
  function depth(name: string): number {
    return depths.get(name) ?? 0;
  }
  return tasks.map(({ name }) => depth(name));
}

function heaviestLevel(plan: Plan, weights: readonly number[]): ReadonlySet<number> {
  const depths = depthsOf(plan);
  const levels = Map.groupBy(plan.tasks.keys(), (index) => depths[index] ?? 0);
  const weigh = (level: readonly number[]): number =>
    level.reduce((sum, index) => sum + (weights[index] ?? 0), 0);
  const [heaviest = []] = [...levels.values()].toSorted((a, b) => weigh(b) - weigh(a));
  return new Set(heaviest);
}

/** For each task the indexes of all that come after it, however far. */
function behindOf(plan: Plan): readonly ReadonlySet<number>[] {
  const at = new Map(plan.tasks.map(({ name }, index) => [name, index]));
  const behind = plan.tasks.map(() => new Set<number>());
  for (const index of byDepth(plan).toReversed()) {
    const { needs = [], after = [] } = plan.tasks[index] ?? {};
    for (const name of [...needs, ...after]) {
      const before = behind[at.get(name) ?? -1];
      before?.add(index);
      for (const further of behind[index] ?? []) before?.add(further);
    }
  }
  return behind;
}

type Amounts = Map<number, number>;

/** A flow in the making: what each task can still take in and give out, and how much of it went to whom (by receiver). */
type Flow = {
  readonly takes: Amounts;
  readonly gives: Amounts;
  readonly sent: readonly Amounts[];
};

/** How a search came to the tasks that it reached: as givers (from a receiver that would send back, or the start), as receivers. */
type Reached = {
  readonly givers: Map<number, number | undefined>;
  readonly receivers: Map<number, number>;
  /** A receiver that can take something in; undefined = the flow is the largest. */
  readonly end: number | undefined;
};

function heaviestSet(
  behind: readonly ReadonlySet<number>[],
  weights: readonly number[],
): ReadonlySet<number> {
  const flow: Flow = {
    takes: new Map(weights.entries()),
    gives: new Map(weights.entries()),
    sent: weights.map(() => new Map()),
  };
  // Each round uses up a giver, a receiver or something that was sent: they end, as weights are finite.
  for (;;) {
    const reached = search(behind, flow);
    if (reached.end === undefined) {
      const { givers, receivers } = reached;
      return new Set(
        [...weights.keys()].filter((index) => givers.has(index) && !receivers.has(index)),
      );
    }
    send(flow, reached, reached.end);
  }
}

function search(behind: readonly ReadonlySet<number>[], { takes, gives, sent }: Flow): Reached {
  const givers = new Map<number, number | undefined>();
  const receivers = new Map<number, number>();
  const queue = [...gives.keys()].filter((giver) => amountAt(gives, giver) > 0);
  for (const giver of queue) givers.set(giver, undefined);
  for (const giver of queue) {
    for (const receiver of behind[giver] ?? []) {
      if (receivers.has(receiver)) continue;
      receivers.set(receiver, giver);
      if (amountAt(takes, receiver) > 0) return { givers, receivers, end: receiver };
      for (const [other, amount] of sent[receiver] ?? []) {
        if (amount <= 0 || givers.has(other)) continue;
        givers.set(other, receiver);
        queue.push(other);
      }
    }
  }
  return { givers, receivers, end: undefined };
}

/** Sends as much as the way that was found lets through. */
function send({ takes, gives, sent }: Flow, { givers, receivers }: Reached, end: number): void {
  const way: {
    readonly giver: number;
    readonly to: Amounts | undefined;
    readonly from: Amounts;
  }[] = [];
  let most = amountAt(takes, end);
  for (let receiver: number | undefined = end; receiver !== undefined;) {
    const giver = receivers.get(receiver) ?? 0;
    const back = givers.get(giver);
    const from = (back === undefined ? gives : sent[back]) ?? gives;
    most = Math.min(most, amountAt(from, giver));
    way.push({ giver, from, to: sent[receiver] });
    receiver = back;
  }
  for (const { giver, from, to } of way) {
    if (to) add(to, giver, most);
    add(from, giver, -most);
  }
  add(takes, end, -most);
}

function amountAt(amounts: Amounts, index: number): number {
  return amounts.get(index) ?? 0;
}

function add(amounts: Amounts, index: number, amount: number): void {
  amounts.set(index, amountAt(amounts, index) + amount);
}
