import { describe, expect, it } from "vitest";
import { type Crew, defineCrew, type Process } from "../../../src/orchestration/crew/crew.ts";
import type { Task } from "../../../src/orchestration/crew/task.ts";
import { type Plan, planCrew } from "../../../src/orchestration/plan/plan.ts";
import { job, seeded, thrownBy } from "../run/scenario.ts";

const planOf = (tasks: readonly Task[], process: Process = "parallel"): Plan =>
  planCrew(defineCrew({ name: "c", tasks, process }));

/** Waiting of each task, as the plan says it. */
const waitsOf = ({ tasks }: Plan): ReadonlyMap<string, readonly string[]> =>
  new Map(tasks.map(({ name, needs, after }) => [name, [...needs, ...after]]));

/** Plain data can be made to wait for anything, although task() takes only what is there before. */
function waitingFor(task: Task | undefined, on: readonly (Task | undefined)[]): Task {
  return { ...task, context: on } as Task;
}

/** A random DAG of tasks; context only on earlier ones, then shuffled. */
function randomTasks(random: () => number, count: number): readonly Task[] {
  const tasks: Task[] = [];
  for (let n = 0; n < count; n++)
    tasks.push(job(`t${n}`, { context: tasks.filter(() => random() < 0.3) }));
  return tasks.toSorted(() => random() - 0.5);
}

/** Everything that a task waits for, near and far. */
function ancestorsOf(
  name: string,
  waits: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const found = new Set<string>();
  const queue = [...(waits.get(name) ?? [])];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    queue.push(...(waits.get(next) ?? []));
  }
  return found;
}

/** The largest set of tasks of which none waits for another, by trying all sets. */
function widestByForce(plan: Plan): number {
  const names = plan.tasks.map(({ name }) => name);
  const waits = waitsOf(plan);
  const ancestors = names.map((name) => ancestorsOf(name, waits));
  let widest = 0;
  for (let set = 1; set < 2 ** names.length; set++) {
    const chosen = names.map((_, index) => index).filter((index) => (set >> index) & 1);
    if (chosen.length <= widest) continue;
    const isFree = chosen.every((a) => chosen.every((b) => !ancestors[a]?.has(names[b] ?? "")));
    if (isFree) widest = chosen.length;
  }
  return widest;
}

/** Tasks on the longest chain behind one, by trying all chains. */
function longestBehind(name: string, waits: ReadonlyMap<string, readonly string[]>): number {
  const followers = [...waits].filter(([, on]) => on.includes(name)).map(([other]) => other);
  return Math.max(0, ...followers.map((other) => 1 + longestBehind(other, waits)));
}

describe("planCrew", () => {
  it("keeps the crew's order of tasks and names their agents (P1)", () => {
    const b = job("b");
    const plan = planOf([job("a", { context: [b] }), b]);

    expect(plan.tasks.map(({ name, agent }) => [name, agent])).toEqual([
      ["a", "agent of a"],
      ["b", "agent of b"],
    ]);
  });

  it("lets a parallel task need its context and nothing else", () => {
    const [a, b] = [job("a"), job("b")];

    const plan = planOf([a, b, job("z", { context: [a] })]);

    expect(plan.tasks.map(({ needs, after, context }) => ({ needs, after, context }))).toEqual([
      { needs: [], after: [], context: [] },
      { needs: [], after: [], context: [] },
      { needs: ["a"], after: [], context: ["a"] },
    ]);
  });

  it("lets a sequential task wait for the one before it, whose failure does not stop it (P2)", () => {
    const a = job("a");

    const plan = planOf([a, job("b"), job("z", { context: [a] })], "sequential");

    expect(plan.tasks.map(({ needs, after }) => ({ needs, after }))).toEqual([
      { needs: [], after: [] },
      { needs: [], after: ["a"] },
      { needs: ["a"], after: ["b"] },
    ]);
    expect(plan.width).toBe(1);
    expect(plan.criticalPath).toEqual(["a", "b", "z"]);
  });

  it("lets a sequential task that sees all wait for the async ones before it", () => {
    const plan = planOf(
      [job("a", { async: true }), job("b", { async: true }), job("z")],
      "sequential",
    );

    expect(plan.tasks.at(-1)?.after).toEqual(["a", "b"]);
    expect(plan.width).toBe(2);
  });

  it("does not let a sequential task with a context of its own wait for async ones", () => {
    const plan = planOf([job("a", { async: true }), job("z", { context: [] })], "sequential");

    expect(plan.tasks.at(-1)).toMatchObject({ needs: [], after: [] });
    expect(plan.width).toBe(2);
  });

  it("names the tasks of a cycle, in a sequential crew too, where order is waiting", () => {
    const b = job("b");
    const error = thrownBy(() => planOf([job("a", { context: [b] }), b], "sequential"));

    expect(error.code).toBe("crew/cycle");
    expect(error.message).toMatch(/a.*→.*b|b.*→.*a/);
    expect(error.message).toMatch(/order|context/);
  });

  it("names only the tasks of a cycle, not those that merely lead to it", () => {
    const base = defineCrew({
      name: "c",
      tasks: ["a", "b", "x", "y", "z"].map((name) => job(name)),
      process: "parallel",
    });
    const [a, b, x, y, z] = base.tasks;
    const looped: Crew = {
      ...base,
      tasks: [
        waitingFor(a, []),
        waitingFor(b, [x, a]),
        waitingFor(x, [y]),
        waitingFor(y, [z]),
        waitingFor(z, [x]),
      ],
    };

    const error = thrownBy(() => planCrew(looped));

    expect(error.code).toBe("crew/cycle");
    expect(new Set(error.details?.["tasks"] as string[])).toEqual(new Set(["x", "y", "z"]));
  });

  it("names a task that waits for itself", () => {
    const base = defineCrew({ name: "c", tasks: [job("a")], process: "parallel" });
    const error = thrownBy(() =>
      planCrew({ ...base, tasks: base.tasks.map((task) => ({ ...task, context: [task] })) }),
    );

    expect(error).toMatchObject({ code: "crew/cycle", details: { tasks: ["a", "a"] } });
  });

  it("has the width that trying every set of tasks finds, in 200 random graphs", () => {
    const random = seeded(42);
    for (let round = 0; round < 200; round++) {
      const plan = planOf(randomTasks(random, 1 + Math.floor(random() * 9)));
      expect(plan.width, `round ${round}`).toBe(widestByForce(plan));
    }
  });

  it("knows for each task the longest chain behind it, in 200 random graphs", () => {
    const random = seeded(43);
    for (let round = 0; round < 200; round++) {
      const plan = planOf(randomTasks(random, 1 + Math.floor(random() * 9)));
      const waits = waitsOf(plan);
      for (const { name, remaining } of plan.tasks)
        expect(remaining, `${name} of round ${round}`).toBe(longestBehind(name, waits));
    }
  });

  it("has a critical path that is a chain, as long as any", () => {
    const random = seeded(44);
    for (let round = 0; round < 200; round++) {
      const plan = planOf(randomTasks(random, 1 + Math.floor(random() * 9)));
      const waits = waitsOf(plan);
      for (const [index, name] of plan.criticalPath.slice(1).entries())
        expect(waits.get(name)).toContain(plan.criticalPath[index]);
      const longest = Math.max(...plan.tasks.map(({ name }) => 1 + longestBehind(name, waits)));
      expect(plan.criticalPath).toHaveLength(longest);
    }
  });

  it("plans 1,000 tasks in a row, and 1,000 at once, within a second each", () => {
    const tasks = Array.from({ length: 1_000 }, (_, n) => job(`t${n}`));
    const began = process.hrtime.bigint();

    const row = planOf(tasks, "sequential");
    const wide = planOf(tasks, "parallel");

    expect(row).toMatchObject({ width: 1 });
    expect(row.criticalPath).toHaveLength(1_000);
    expect(wide.width).toBe(1_000);
    expect(Number(process.hrtime.bigint() - began) / 1e6).toBeLessThan(2_000);
  });
});
