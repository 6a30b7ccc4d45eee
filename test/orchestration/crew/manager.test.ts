import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { defineCrew } from "../../../src/orchestration/crew/crew.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { job, thrownBy, worker } from "../run/scenario.ts";

const agents = ["A", "B"].map((name) => worker(name));
const report = task({ name: "report", description: "Report", expectedOutput: "A report" });

describe("a hierarchical crew that cannot work", () => {
  const hierarchical = { name: "c", tasks: [report], process: "hierarchical" } as const;
  const boss = worker("Boss");
  it.each<[string, () => unknown, string, RegExp]>([
    [
      "without anybody to delegate to",
      () => defineCrew(hierarchical),
      "crew/no-agent",
      /nobody to delegate to/,
    ],
    [
      "whose manager is one of its agents",
      () => defineCrew({ ...hierarchical, agents: [boss, ...agents], manager: boss }),
      "crew/invalid",
      /"Boss" is its manager and one of its workers/,
    ],
    [
      "whose manager does one of its tasks",
      () =>
        defineCrew({ ...hierarchical, tasks: [job("t", { agent: boss })], agents, manager: boss }),
      "crew/invalid",
      /"Boss" is its manager and one of its workers/,
    ],
    [
      "with a worker that is called like the manager",
      () => defineCrew({ ...hierarchical, agents: [worker("Crew manager")] }),
      "crew/duplicate-name",
      /two agents named "Crew manager"/,
    ],
    [
      "with a manager and a managerModel",
      () => defineCrew({ ...hierarchical, agents, manager: boss, managerModel: "m" }),
      "crew/invalid",
      /managerModel is for the manager that Bosun makes/,
    ],
    [
      "whose task names an agent that it does not have",
      () =>
        defineCrew({
          ...hierarchical,
          agents,
          tasks: [task({ name: "t", description: "d", expectedOutput: "e", agent: "Z" })],
        }),
      "crew/unknown-agent",
      /"Z"/,
    ],
    [
      "with no delegation at all",
      () => defineCrew({ ...hierarchical, agents, maxDelegations: 0 }),
      "crew/invalid",
      /maxDelegations must be a whole number of at least 1/,
    ],
  ])("is refused: one %s", (_, make, code, message) => {
    const error = thrownBy(make);

    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });
});

describe("options of managers and delegation where nobody delegates", () => {
  it.each([
    ["manager", { manager: worker("Boss") }],
    ["managerModel", { managerModel: "m" }],
    ["maxDelegations", { maxDelegations: 3 }],
    ["maxParallelDelegations", { maxParallelDelegations: 3 }],
    ["maxDelegationDepth", { maxDelegationDepth: 1 }],
  ])("are refused: %s", (name, options) => {
    const error = thrownBy(() => defineCrew({ name: "c", tasks: [job("a")], ...options }));

    expect(error.code).toBe("crew/invalid");
    expect(error.message).toContain(`${name} counts only with process: "hierarchical"`);
  });
});

describe("an agent's name", () => {
  it.each(["Crew planner", "Guardrail judge"])("is not one of Bosun's own: %s", (name) => {
    const error = thrownBy(() => crew({ name: "c", tasks: [job("a", { agent: worker(name) })] }));

    expect(error.code).toBe("crew/duplicate-name");
    expect(error.message).toContain("Bosun's own");
  });
});
