// Crew → Plan: what waits for what, how wide it gets, how much is left behind each task. Pure.
//
// Invariants
//   P1  A plan has no cycle; tasks keep the crew's order.
//   P2  `needs` are outputs without which a task cannot start; `after` only orders: a failed task there does not stop it.

import { BosunError } from "../../error.ts";
import type { Crew, Process } from "../crew/crew.ts";
import { canDelegate, executorOf } from "../crew/cast.ts";
import type { Task } from "../crew/task.ts";

/** One task of a plan. All fields name tasks. */
export type PlanTask = {
  readonly name: string;
  readonly agent: string;
  /** Must have an output before this one starts (P2). */
  readonly needs: readonly string[];
  /** Must have ended before this one starts, however it ended (P2). */
  readonly after: readonly string[];
  /** Whose outputs it sees: a list, or all that there are when it starts. */
  readonly context: readonly string[] | "all";
  /** Tasks on the longest chain behind this one, itself excluded: what is left of the run when it ends. */
  readonly remaining: number;
};

/** A crew made executable. */
export type Plan = {
  readonly process: Process;
  readonly tasks: readonly PlanTask[];
  /** Most model calls in flight that one run can cause: tasks at once, times one and the delegations at once where there are any. */
  readonly width: number;
  /** Tasks on the longest chain. */
  readonly criticalPath: readonly string[];
};

/**
 * Turns a crew into the graph that its process asks for.
 * @throws BosunError `crew/cycle` with the tasks that wait for each other.
 */
export function planCrew(crew: Crew): Plan {
  let plan = plans.get(crew);
  if (!plan) plans.set(crew, (plan = makePlan(crew)));
  return plan;
}

/** A crew is data that does not change, and is often kicked off a thousand times at once: all its runs share one plan. */
const plans = new WeakMap<Crew, Plan>();

function makePlan(crew: Crew): Plan {
  const edges = crew.tasks.map((task, index) => toEdges(crew, task, index));
  const waits = new Map(
    edges.map(({ name, needs, after }) => [name, [...new Set([...needs, ...after])]]),
  );
  const order = topologicalOrder(waits);
  const next = nextOnLongestChain(order, waits);
  const chainFrom = (name: string): readonly string[] => {
    const chain = [name];
    for (let at = next.get(name); at !== undefined; at = next.get(at)) chain.push(at);
    return chain;
  };
  const chains = new Map(order.map((name) => [name, chainFrom(name)]));
  const tasks = edges.map((edge) => ({
    ...edge,
    remaining: (chains.get(edge.name)?.length ?? 1) - 1,
  }));
  const criticalPath = [...chains.values()].reduce(
    (best, chain) => (chain.length > best.length ? chain : best),
    [],
  );
  const width = widthOf(order, waits) * callsOfTask(crew);
  return { process: crew.process, tasks, width, criticalPath };
}

/** Most calls of one task at once: its own, and one for each piece of it that somebody else does. */
function callsOfTask({ manager, agents, maxParallelDelegations }: Crew): number {
  const isDelegated = manager !== undefined || agents.some(canDelegate);
  return isDelegated ? 1 + maxParallelDelegations : 1;
}

/** For each task, the one that follows it on the longest chain behind it. */
function nextOnLongestChain(
  order: readonly string[],
  waits: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, string> {
  const next = new Map<string, string>();
  const lengths = new Map<string, number>();
  for (const name of order.toReversed()) {
    const length = 1 + (lengths.get(name) ?? 0);
    for (const other of waits.get(name) ?? []) {
      if (length <= (lengths.get(other) ?? 0)) continue;
      lengths.set(other, length);
      next.set(other, name);
    }
  }
  return next;
}

function toEdges(crew: Crew, task: Task, index: number): Omit<PlanTask, "remaining"> {
  const base = { name: task.name, agent: executorOf(task, crew).name };
  const named = task.context?.map((other) => other.name);
  if (crew.process === "parallel")
    return { ...base, needs: named ?? [], after: [], context: named ?? [] };
  const earlier = crew.tasks.slice(0, index);
  // A task waits for the last task before it that is not async (which waited for the ones before); one that sees all outputs
  // waits for the async ones too. An async task with no named context does not: it sees what was there when it started.
  const seesAll = named === undefined && !task.async;
  const lastInTurn = earlier.findLast((other) => !other.async);
  const after = earlier
    .filter((other) => other === lastInTurn || (seesAll && other.async))
    .map((other) => other.name);
  return { ...base, needs: named ?? [], after, context: named ?? "all" };
}

/** Names in an order in which each comes after what it waits for; the crew's order among equals. O(n²). */
function topologicalOrder(waits: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const ordered = new Set<string>();
  while (ordered.size < waits.size) {
    const before = ordered.size;
    for (const [name, on] of waits)
      if (!ordered.has(name) && on.every((other) => ordered.has(other))) ordered.add(name);
    if (ordered.size > before) continue;
    const cycle = findCycle(waits, ordered);
    throw new BosunError(
      "crew/cycle",
      `these tasks wait for each other: ${cycle.join(" → ")}. Remove one of the contexts, or change the tasks' order`,
      {
        details: { tasks: cycle },
      },
    );
  }
  return [...ordered];
}

function findCycle(
  waits: ReadonlyMap<string, readonly string[]>,
  done: ReadonlySet<string>,
): readonly string[] {
  const walk: string[] = [];
  let at = [...waits.keys()].find((name) => !done.has(name)) ?? "";
  while (!walk.includes(at)) {
    walk.push(at);
    at = (waits.get(at) ?? []).find((name) => !done.has(name)) ?? "";
  }
  return [...walk.slice(walk.indexOf(at)), at];
}

/**
 * Most tasks of which none waits for another: n minus a maximum matching in the transitive closure (Dilworth's theorem).
 * Example: a → b, a → c, b → d, c → d gives 2. Above WIDTH_EXACT_TASKS the O(n³) is not worth it: the widest level is returned.
 */
function widthOf(order: readonly string[], waits: ReadonlyMap<string, readonly string[]>): number {
  if (order.length > WIDTH_EXACT_TASKS) return widestLevel(order, waits);
  const ancestors = new Map<string, Set<string>>();
  for (const name of order) {
    const on = waits.get(name) ?? [];
    ancestors.set(
      name,
      new Set([...on, ...on.flatMap((other) => [...(ancestors.get(other) ?? [])])]),
    );
  }
  const matchOf = new Map<string, string>();
  const augment = (name: string, seen: Set<string>): boolean => {
    for (const other of ancestors.get(name) ?? []) {
      if (seen.has(other)) continue;
      seen.add(other);
      const holder = matchOf.get(other);
      if (holder === undefined || augment(holder, seen)) {
        matchOf.set(other, name);
        return true;
      }
    }
    return false;
  };
  const matched = order.filter((name) => augment(name, new Set())).length;
  return order.length - matched;
}

const WIDTH_EXACT_TASKS = 200;

function widestLevel(
  order: readonly string[],
  waits: ReadonlyMap<string, readonly string[]>,
): number {
  const levels = new Map<string, number>();
  const counts = new Map<number, number>();
  for (const name of order) {
    const level =
      1 + Math.max(-1, ...(waits.get(name) ?? []).map((other) => levels.get(other) ?? 0));
    levels.set(name, level);
    counts.set(level, (counts.get(level) ?? 0) + 1);
  }
  return Math.max(...counts.values());
}
