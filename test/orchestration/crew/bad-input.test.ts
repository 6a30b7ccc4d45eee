import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createBosun } from "../../../src/bosun.ts";
import { crew } from "../../../src/crew.ts";
import type { BosunError } from "../../../src/error.ts";
import { agent } from "../../../src/orchestration/crew/agent.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { endpoint } from "../../../src/inference/model/endpoint.ts";
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

describe("an option that is not built", () => {
  it.each(["allowDelegation", "memory", "knowledge", "hooks", "session", "maxRpm"])(
    "of an agent is an error that says so: %s",
    (option) => {
      const error = agentWith({ [option]: true });
      expect(error.code).toBe("crew/not-built");
      expect(error.message).toMatch(new RegExp(`Analyst.*${option}.*not built yet`, "s"));
    },
  );

  it.each(["guardrail", "guardrails", "when", "outputFile", "humanInput", "hooks", "markdown"])(
    "of a task is an error that says so: %s",
    (option) => {
      const error = taskWith({ [option]: true });
      expect(error.code).toBe("crew/not-built");
      expect(error.message).toMatch(new RegExp(`research.*${option}.*not built yet`, "s"));
    },
  );

  it.each(["manager", "managerModel", "memory", "knowledge", "limits", "hooks", "planning"])(
    "of a crew is an error that says so: %s",
    (option) => {
      const error = crewWith({ [option]: true });
      expect(error.code).toBe("crew/not-built");
      expect(error.message).toMatch(new RegExp(`report.*${option}.*not built yet`, "s"));
    },
  );

  it("is the hierarchical process", () => {
    const error = crewWith({ process: "hierarchical" });
    expect(error.code).toBe("crew/not-built");
    expect(error.message).toMatch(/hierarchical.*sequential.*parallel/s);
  });

  it.each(["fleet", "engine"])("of a Bosun is an error that says so: %s", (option) => {
    const error = thrownBy(() =>
      createBosun({ data: false, env: {}, [option]: "sqlite" } as never),
    );
    expect(error.message).toMatch(new RegExp(`${option}.*not built yet`, "s"));
  });

  it("given as undefined is no error", () => {
    expect(() => agent({ role: "A", goal: "g", memory: undefined } as never)).not.toThrow();
  });
});

describe("an unknown option", () => {
  it("of an agent, a task or a crew is an error that names it and those that there are", () => {
    const errors = [
      agentWith({ rolle: "x" }),
      taskWith({ ouput: 1 }),
      crewWith({ proces: "parallel" }),
    ];

    expect(errors.map(({ code }) => code)).toEqual(Array(3).fill("crew/invalid"));
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/Analyst.*rolle.*role/s),
      expect.stringMatching(/research.*ouput.*output/s),
      expect.stringMatching(/report.*proces.*process/s),
    ]);
  });

  it("of a Bosun is an error that names it", () => {
    const error = thrownBy(() => createBosun({ data: false, env: {}, modle: "x" } as never));
    expect(error.message).toContain("modle");
  });

  it("of a kickoff is an error that names it", async () => {
    const { bosun } = scene(() => "x");
    const made = crew({ name: "c", tasks: [job("a")], bosun });

    const error = await errorOf(made.kickoff({ input: { topic: "x" } } as never));

    expect(error.message).toContain("input");
  });

  it("of an endpoint is an error that names it", () => {
    const error = thrownBy(() => endpoint({ url: "http://h/v1", tempreature: 1 } as never));
    expect(error).toMatchObject({ code: "config/invalid" });
    expect(error.message).toContain("tempreature");
  });
});

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
    const options = [
      {
        tasks: [
          task({ name: "t", description: "d", expectedOutput: "e", agent: { role: "x" } as never }),
        ],
      },
      { agents: [{ name: "x" }] },
      { agents: "x" },
    ];
    for (const one of options) expect(crewWith(one).code, JSON.stringify(one)).toMatch(/^crew\//);
  });
});

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
    const twin = () =>
      tool({ name: "twin", description: "d", parameters: z.object({}), run: () => 1 });
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

    const none = await errorOf(made.kickoff({ inputs: {} } as never));
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

    const error = await errorOf(made.kickoff());

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
