import { describe, expect, it } from "vitest";
import type { PlanTask } from "../../../src/orchestration/plan/plan.ts";
import { createDueTasks, type DueTasks } from "../../../src/orchestration/run/due.ts";

function planned(
  name: string,
  needs: readonly string[] = [],
  after: readonly string[] = [],
): PlanTask {
  return { name, needs, after, agent: "a", context: needs, remaining: 0 };
}

function takeAll(due: DueTasks): readonly string[] {
  const names: string[] = [];
  for (let task = due.next(); task; task = due.next()) names.push(task.name);
  return names;
}

describe("the due tasks of a plan", () => {
  it("are at first those that wait for nothing, in plan order (R2)", () => {
    const due = createDueTasks([planned("a"), planned("b", ["a"]), planned("c")]);

    expect(takeAll(due)).toEqual(["a", "c"]);
    expect(takeAll(due)).toEqual([]);
  });

  it("come when everything that they wait for has ended, needs and order alike", () => {
    const due = createDueTasks([
      planned("a"),
      planned("b"),
      planned("c", ["a"], ["a", "b"]),
      planned("d", ["b"]),
    ]);

    takeAll(due);
    due.ended("a");
    expect(takeAll(due)).toEqual([]);
    due.ended("b");

    expect(takeAll(due)).toEqual(["c", "d"]);
  });

  it("keep plan order also among those that became due earlier and were not taken", () => {
    const due = createDueTasks([
      planned("a"),
      planned("b"),
      planned("c", ["b"]),
      planned("d", ["a"]),
    ]);

    takeAll(due);
    due.ended("a");
    due.ended("b");

    expect(takeAll(due)).toEqual(["c", "d"]);
  });
});
