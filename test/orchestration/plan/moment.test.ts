import { describe, expect, it } from "vitest";
import { heaviestMoment, workBehind } from "../../../src/orchestration/plan/moment.ts";
import type { Plan } from "../../../src/orchestration/plan/plan.ts";
import { seeded } from "../run/scenario.ts";

const planOf = (waits: Readonly<Record<string, readonly string[]>>): Plan => ({
  process: "parallel",
  width: 1,
  criticalPath: [],
  tasks: Object.entries(waits).map(([name, needs]) => ({
    name,
    agent: "a",
    needs,
    after: [],
    context: needs,
    remaining: 0,
  })),
});

describe("the heaviest moment of a plan", () => {
  it("is the set of tasks that weighs most, of which none waits for another", () => {
    const plan = planOf({ a: [], b: ["a"], c: ["a"], d: [] });
    const weights: Readonly<Record<string, number>> = { a: 1, b: 5, c: 5, d: 3 };

    expect(heaviestMoment(plan, (name) => weights[name] ?? 0)).toEqual({
      tasks: ["b", "c", "d"],
      weight: 13,
      isExact: true,
    });
    expect(heaviestMoment(plan, (name) => (name === "a" ? 20 : 1)).tasks).toEqual(["a", "d"]);
  });

  it("is in every small plan the best of all sets", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = seeded(seed);
      const names = Array.from({ length: 1 + Math.floor(random() * 7) }, (_, n) => `t${n}`);
      const waits = Object.fromEntries(
        names.map((name, n) => [name, names.slice(0, n).filter(() => random() < 0.35)]),
      );
      const weights = names.map(() => 1 + Math.floor(random() * 20));
      const weightOf = (name: string): number => weights[names.indexOf(name)] ?? 0;

      const { tasks, weight } = heaviestMoment(planOf(waits), weightOf);

      expect(weight, `seed ${seed}`).toBe(bruteForce(names, waits, weightOf));
      expect(tasks.reduce((sum, name) => sum + weightOf(name), 0)).toBe(weight);
      expect(isAtOnce(tasks, waits), `seed ${seed}`).toBe(true);
    }
  });

  it("is the heaviest level of a crew that is too large, and says so", () => {
    const names = Array.from({ length: 300 }, (_, n) => `t${n}`);
    const plan = planOf(Object.fromEntries(names.map((name, n) => [name, n < 2 ? [] : ["t0"]])));

    expect(heaviestMoment(plan, () => 2)).toMatchObject({ weight: 596, isExact: false });
  });
});

describe("the work behind a task", () => {
  it("is the heaviest chain of those that wait for it", () => {
    const plan = planOf({ a: [], b: ["a"], c: ["a"], d: ["b", "c"] });
    const weights: Readonly<Record<string, number>> = { a: 1, b: 5, c: 7, d: 3 };

    const left = workBehind(plan, (name) => weights[name] ?? 0);

    expect(["a", "b", "c", "d"].map((name) => left.get(name) ?? 0)).toEqual([10, 3, 3, 0]);
  });
});

type Waits = Readonly<Record<string, readonly string[]>>;

function ancestors(name: string, waits: Waits): ReadonlySet<string> {
  const on = waits[name] ?? [];
  return new Set([...on, ...on.flatMap((other) => [...ancestors(other, waits)])]);
}

function isAtOnce(names: readonly string[], waits: Waits): boolean {
  return names.every((name) => names.every((other) => !ancestors(name, waits).has(other)));
}

function bruteForce(
  names: readonly string[],
  waits: Waits,
  weightOf: (name: string) => number,
): number {
  let best = 0;
  for (let bits = 1; bits < 2 ** names.length; bits++) {
    const set = names.filter((_, n) => Math.floor(bits / 2 ** n) % 2 === 1);
    if (isAtOnce(set, waits))
      best = Math.max(
        best,
        set.reduce((sum, name) => sum + weightOf(name), 0),
      );
  }
  return best;
}
