import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import type { BosunError } from "../../../src/error.ts";
import { agent } from "../../../src/orchestration/crew/agent.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { errorOf, job, scene, thrownBy, worker } from "../run/scenario.ts";

/** Calls a builder as somebody does who writes JavaScript: with whatever options. */
const loose =
  (build: (options: never) => unknown, base: object) =>
  (more: object): BosunError =>
    thrownBy(() => build({ ...base, ...more } as never));

const agentWith = loose(agent, { role: "Analyst", goal: "Find facts" });
const taskWith = loose(task, {
  name: "research",
  description: "Look",
  expectedOutput: "Facts",
  agent: worker("A"),
});
const crewWith = loose(crew, { name: "report", tasks: [job("a")] });

describe("a crew that cannot run", () => {
  it("has a task that names an agent that it does not have", () => {
    const error = crewWith({
      tasks: [task({ name: "t", description: "d", expectedOutput: "e", agent: "Ghost" })],
      agents: [worker("Writer"), worker("Reader")],
    });

    expect(error.code).toBe("crew/unknown-agent");
    expect(error.message).toMatch(/"t".*Ghost.*Writer.*Reader/s);
  });

  it("has a task without an agent", () => {
    const error = crewWith({
      tasks: [task({ name: "t", description: "d", expectedOutput: "e", agent: undefined })],
      agents: [worker("Writer")],
    });

    expect(error.code).toBe("crew/no-agent");
    expect(error.message).toMatch(/"t".*agent.*Writer/s);
  });

  it("has two tasks of one name", () => {
    const error = crewWith({ tasks: [job("twice"), job("twice")] });

    expect(error.code).toBe("crew/duplicate-name");
    expect(error.message).toContain("twice");
  });

  it("has one task twice", () => {
    const once = job("once");

    expect(crewWith({ tasks: [once, once] }).code).toBe("crew/duplicate-name");
  });

  it("has two agents of one name", () => {
    const error = crewWith({
      tasks: [job("a", { agent: worker("Same") }), job("b", { agent: worker("Same") })],
    });

    expect(error.code).toBe("crew/duplicate-name");
    expect(error.message).toContain("Same");
  });

  it("has a context that is not one of its tasks", () => {
    const error = crewWith({ tasks: [job("a", { context: [job("elsewhere")] })] });

    expect(error.code).toBe("crew/unknown-task");
    expect(error.message).toMatch(/"a".*elsewhere/s);
  });

  it("has tasks that wait for each other", async () => {
    const b = job("b");
    const { bosun, model } = scene(() => "x");

    const error = await errorOf(
      (async () => crew({ name: "c", tasks: [job("a", { context: [b] }), b], bosun }).kickoff())(),
    );

    expect(error.code).toBe("crew/cycle");
    expect(error.message).toMatch(/a.*b/);
    expect(model.requests).toHaveLength(0);
  });

  it("has no tasks, too many, or something else", () => {
    for (const tasks of [
      [],
      "a",
      undefined,
      {},
      [{}],
      [undefined],
      Array.from({ length: 1_001 }, (_, n) => job(`t${n}`)),
    ])
      expect(crewWith({ tasks }).code).toBe("crew/invalid");
  });

  it("has a stand-in with the name of another of its tasks, which events could not tell apart", () => {
    const shared = worker("A");
    const tasks = [
      job("a", { agent: shared, onError: job("b", { agent: shared }) }),
      job("b", { agent: shared }),
    ];

    const error = crewWith({ tasks });

    expect(error.code).toBe("crew/duplicate-name");
    expect(error.message).toMatch(/task.*"b"/s);
  });

  it("has a wrong process, policy, name or time", () => {
    const wrong = [
      { process: "serial" },
      { policy: "stop" },
      { name: "with space" },
      { name: "" },
      { timeoutMs: 0 },
      { timeoutMs: 1.5 },
      { timeoutMs: "60" },
    ];
    for (const options of wrong)
      expect(crewWith(options).code, JSON.stringify(options)).toBe("crew/invalid");
  });

  it("has agents that agent() did not make", () => {
    const made = {
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: { role: "x" } as never,
    };

    expect(thrownBy(() => task(made)).code).toBe("crew/invalid");
    for (const one of [{ agents: [{ name: "x" }] }, { agents: "x" }]) {
      expect(crewWith(one).code, JSON.stringify(one)).toMatch(/^crew\//);
    }
  });
});

const twin = () => tool({ name: "twin", description: "d", parameters: z.object({}), run: () => 1 });

describe("an agent that cannot work", () => {
  it.each([
    [{ role: "" }, "role"],
    [{ role: 5 }, "role"],
    [{ goal: undefined }, "goal"],
    [{ backstory: 5 }, "backstory"],
    [{ name: "" }, "name"],
    [{ name: 5 }, "name"],
    [{ maxIterations: 0 }, "maxIterations"],
    [{ maxIterations: 2.5 }, "maxIterations"],
    [{ maxIterations: Number.NaN }, "maxIterations"],
    [{ timeoutMs: -1 }, "timeoutMs"],
    [{ maxTokens: 0 }, "maxTokens"],
    [{ temperature: "hot" }, "temperature"],
    [{ tools: "search" }, "tools"],
    [{ tools: [{ name: "search" }] }, "tools"],
    [{ model: 5 }, "model"],
    [{ model: [] }, "model"],
  ])("has a wrong option: %o", (options, field) => {
    const error = agentWith(options);
    expect(error.code).toBe("crew/invalid");
    expect(error.message).toContain(field);
  });

  it("has two tools of one name", () => {
    const error = agentWith({ tools: [twin(), twin()] });

    expect(error.message).toContain("twin");
  });
});

describe("a task that cannot be done", () => {
  it.each([
    [{ name: "with space" }, "name"],
    [{ name: undefined }, "name"],
    [{ name: "x".repeat(65) }, "name"],
    [{ description: "" }, "description"],
    [{ expectedOutput: undefined }, "expectedOutput"],
    [{ timeoutMs: 0 }, "timeoutMs"],
    [{ retries: -1 }, "retries"],
    [{ maxTokens: 1.5 }, "maxTokens"],
    [{ onError: "explode" }, "onError"],
    [{ onError: { name: "x" } }, "onError"],
    [{ context: "research" }, "context"],
    [{ context: ["research"] }, "context"],
    [{ tools: [{}] }, "tools"],
    [{ output: 5 }, "output"],
    [{ output: "string" }, "output"],
    [{ async: "yes" }, "async"],
  ])("has a wrong option: %o", (options, field) => {
    const error = taskWith(options);
    expect(error.code).toMatch(/^crew\//);
    expect(error.message).toContain(field);
  });
});
