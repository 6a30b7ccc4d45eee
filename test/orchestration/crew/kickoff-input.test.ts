import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import { agent } from "../../../src/orchestration/crew/agent.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { errorOf, job, scene, worker } from "../run/scenario.ts";

describe("a kickoff that cannot begin", () => {
  const asking = task({
    name: "t",
    description: "On {topic} in {words} words",
    expectedOutput: "{format}",
    agent: agent({ role: "{field} analyst", goal: "g", backstory: "b" }),
  });

  it("misses an input: the error names it, where it stands and what was given", async () => {
    const { bosun, model } = scene(() => "x");
    const made = crew({ name: "c", tasks: [job("first"), asking], bosun });

    const error = await errorOf(
      made.kickoff({ inputs: { topic: "x", format: "f", field: "y" } as never }),
    );

    expect(error.code).toBe("crew/input-missing");
    expect(error.message).toMatch(/"t".*\{words\}.*topic/s);
    expect(error.details).toEqual({ missing: ["words"] });
    expect(model.requests).toHaveLength(0);
  });

  it("misses an input of an agent, or of a stand-in, or of a stand-in's agent", async () => {
    const standIn = task({
      name: "s",
      description: "d {inner}",
      expectedOutput: "e",
      agent: agent({ role: "r {deep}", goal: "g" }),
    });
    const { bosun } = scene(() => "x");
    const made = crew({ name: "c", tasks: [job("a", { onError: standIn as never })], bosun });

    const none = await errorOf(made.kickoff({ inputs: {} }));
    const half = await errorOf(made.kickoff({ inputs: { inner: "x" } } as never));

    expect([none.code, half.code]).toEqual(["crew/input-missing", "crew/input-missing"]);
    expect([none.details, half.details]).toEqual([{ missing: ["inner"] }, { missing: ["deep"] }]);
  });

  it("misses an input that is given as undefined or null", async () => {
    const { bosun } = scene(() => "x");
    const made = crew({ name: "c", tasks: [asking], bosun });

    for (const topic of [undefined, null]) {
      const inputs = { topic, words: 1, format: "f", field: "y" };
      const error = await errorOf(made.kickoff({ inputs: inputs as never }));
      expect(error.code).toBe("crew/input-missing");
    }
  });

  it.each([
    ["a bigint", 10n],
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["no number", Number.NaN],
    ["a map", new Map([["a", 1]])],
    ["a bigint inside of a list", [10n]],
  ])("has an input that no JSON can carry: %s", async (_name, topic) => {
    const { bosun, model } = scene(() => "x");
    const made = crew({ name: "c", tasks: [asking], bosun });
    const inputs = { topic, words: 1, format: "f", field: "y" };

    const error = await errorOf(made.kickoff({ inputs: inputs as never }));

    expect(error.message).toContain("topic");
    expect(model.requests).toHaveLength(0);
  });

  it("gives two agents one name: their usage could not be told apart", async () => {
    const { bosun, model } = scene(() => "x");
    const tasks = [
      task({
        name: "a",
        description: "d",
        expectedOutput: "e",
        agent: agent({ role: "{one}", goal: "g" }),
      }),
      task({
        name: "b",
        description: "d",
        expectedOutput: "e",
        agent: agent({ role: "{two}", goal: "g" }),
      }),
    ] as const;

    const error = await errorOf(
      crew({ name: "c", tasks, bosun }).kickoff({
        inputs: { one: "Analyst", two: "Analyst" },
      }),
    );

    expect(error.code).toBe("crew/duplicate-name");
    expect(error.message).toContain("Analyst");
    expect(model.requests).toHaveLength(0);
  });

  it("does not take a member of every object for an input", async () => {
    const { bosun } = scene(() => "x");
    const odd = task({
      name: "t",
      description: "{constructor} {toString}",
      expectedOutput: "e",
      agent: worker("A"),
    });

    const error = await errorOf(
      crew({ name: "c", tasks: [odd], bosun }).kickoff({ inputs: {} as never }),
    );

    expect(error.details).toEqual({ missing: ["constructor", "toString"] });
  });

  it("misses an input of an agent's own name", async () => {
    const { bosun, model } = scene(() => "x");
    const named = agent({ role: "Analyst", goal: "g", name: "{who}" });
    const made = crew({
      name: "c",
      tasks: [task({ name: "t", description: "d", expectedOutput: "e", agent: named })],
      bosun,
    });

    const error = await errorOf(made.kickoff({ inputs: {} as never }));

    expect(error.code).toBe("crew/input-missing");
    expect(model.requests).toHaveLength(0);
  });

  it("has an id that cannot be one", async () => {
    const { bosun } = scene(() => "x");
    const made = crew({ name: "c", tasks: [job("a")], bosun });

    for (const runId of ["", "with space", "../up", "x".repeat(65)])
      expect((await errorOf(made.kickoff({ runId }))).code, runId).toBe("usage");
  });

  it("has an id that another run of the same moment has", async () => {
    const { bosun } = scene(() => "x");
    const made = crew({ name: "c", tasks: [job("a")], bosun });

    const outcomes = await Promise.allSettled([
      made.kickoff({ runId: "same" }),
      made.kickoff({ runId: "same" }),
    ]);

    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  });

  it("has a tool or an output whose schema no model can be shown", async () => {
    const { bosun, model } = scene(() => "x");
    const typed = task({
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      output: z.object({ at: z.date() }),
    });
    const odd = tool({
      name: "odd",
      description: "d",
      parameters: z.object({ at: z.date() }),
      run: () => 1,
    });

    const errors = [
      await errorOf(crew({ name: "c", tasks: [job("first"), typed], bosun }).kickoff()),
      await errorOf(
        crew({
          name: "c",
          tasks: [job("a", { agent: worker("A", { tools: [odd] }) })],
          bosun,
        }).kickoff(),
      ),
    ];

    expect(errors.map(({ code }) => code)).toEqual(["schema/no-converter", "schema/no-converter"]);
    expect(model.requests).toHaveLength(0);
  });

  it("says whose schema it is that no model can be shown", async () => {
    const { bosun } = scene(() => "x");
    const typed = task({
      name: "dated",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      output: z.object({ at: z.date() }),
    });

    const error = await errorOf(crew({ name: "c", tasks: [typed], bosun }).kickoff());

    expect(error.message).toContain("dated");
  });
});
