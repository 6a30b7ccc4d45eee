import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { applyEvent, EMPTY_RUN } from "../../../src/orchestration/run/state.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { byTask, eventsOf, gate, only, requestsOf, scene, settle, worker } from "./scenario.ts";

const look = tool({
  name: "look",
  description: "Looks something up",
  parameters: z.object({ at: z.string() }),
  run: ({ at }) => `seen ${at}`,
});

const calling = (at: string) => ({ calls: [{ tool: "look", arguments: { at } }] });

describe("tools in a run", () => {
  it("run at once within one turn, and their results stand in call order however they end", async () => {
    const gates = [gate<string>(), gate<string>(), gate<string>()];
    const order: number[] = [];
    const slow = tool({
      name: "slow",
      description: "Waits",
      parameters: z.object({ n: z.number() }),
      async run({ n }) {
        order.push(n);
        const value = await gates[n]?.promise;
        order.push(10 + n);
        return value;
      },
    });
    const job = task({
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: worker("W", { tools: [slow] }),
    });
    const { bosun, model } = scene([
      { calls: [0, 1, 2].map((n) => ({ tool: "slow", arguments: { n } })) },
      "done",
    ]);

    const running = crew({ name: "c", tasks: [job], bosun }).kickoff();
    await settle();
    const started = [...order];
    gates[2]?.resolve("two");
    await settle();
    gates[0]?.resolve("zero");
    await settle();
    gates[1]?.resolve("one");
    await running;

    expect(started).toEqual([0, 1, 2]);
    expect(order).toEqual([0, 1, 2, 12, 10, 11]);
    const results = model.requests[1]?.messages.filter(({ role }) => role === "tool");
    expect(results?.map(({ content }) => content)).toEqual(["zero", "one", "two"]);
  });

  it("tell the model which tools there are when it calls another", async () => {
    const job = task({
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: worker("W", { tools: [look] }),
    });
    const { bosun, model } = scene([{ calls: [{ tool: "loook", arguments: {} }] }, "done"]);

    const { events } = await eventsOf(crew({ name: "c", tasks: [job], bosun }).stream());

    expect(model.requests[1]?.messages.at(-1)?.content).toMatch(/loook.*look/s);
    expect(only(events, "tool-end")).toMatchObject([
      { tool: "loook", status: "failed", error: { code: "tool/unknown" } },
    ]);
  });

  it("give malformed arguments back to the model as an error that it can mend", async () => {
    const job = task({
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: worker("W", { tools: [look] }),
    });
    const { bosun, model } = scene([
      { calls: [{ tool: "look", arguments: '{"at": ' }] },
      { calls: [{ tool: "look", arguments: { where: 1 } }] },
      calling("there"),
      "done",
    ]);

    const result = await crew({ name: "c", tasks: [job], bosun }).kickoff();

    expect(result.raw).toBe("done");
    expect(model.requests[1]?.messages.at(-1)?.content).toMatch(/^Error: .*look.*at/s);
    expect(model.requests[2]?.messages.at(-1)?.content).toMatch(/^Error: .*look.*at/s);
    expect(model.requests[3]?.messages.at(-1)?.content).toBe("seen there");
  });

  it("that throw give their message to the model and the run goes on", async () => {
    const broken = tool({
      name: "broken",
      description: "Breaks",
      parameters: z.object({}),
      run() {
        throw new Error("the disk is full");
      },
    });
    const job = task({
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: worker("W", { tools: [broken] }),
    });
    const { bosun, model } = scene([
      { calls: [{ tool: "broken", arguments: {} }] },
      "done without",
    ]);

    const { events } = await eventsOf(crew({ name: "c", tasks: [job], bosun }).stream());

    const said = model.requests[1]?.messages.at(-1)?.content ?? "";
    expect(said).toContain("the disk is full");
    expect(said).not.toContain("agent.test.ts");
    expect(only(events, "tool-end")).toMatchObject([
      { status: "failed", error: { code: "tool/failed" } },
    ]);
    expect(only(events, "run-end")).toMatchObject([{ status: "done", raw: "done without" }]);
    expect(events.reduce(applyEvent, EMPTY_RUN).agents["W"]).toMatchObject({
      toolCalls: 1,
      toolFailures: 1,
    });
  });

  it("make their result the answer with resultAsAnswer, without another call", async () => {
    const final = tool({
      name: "final",
      description: "Answers",
      parameters: z.object({}),
      run: () => "the tool's answer",
      resultAsAnswer: true,
    });
    const job = task({
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: worker("W", { tools: [look, final] }),
    });
    const { bosun, model } = scene([
      {
        calls: [
          { tool: "look", arguments: { at: "x" } },
          { tool: "final", arguments: {} },
        ],
      },
    ]);

    const result = await crew({ name: "c", tasks: [job], bosun }).kickoff();

    expect(result.raw).toBe("the tool's answer");
    expect(model.requests).toHaveLength(1);
  });

  it("do not make a failure the answer with resultAsAnswer", async () => {
    const final = tool({
      name: "final",
      description: "Answers",
      parameters: z.object({}),
      run() {
        throw new Error("no");
      },
      resultAsAnswer: true,
    });
    const job = task({
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: worker("W", { tools: [final] }),
    });
    const { bosun } = scene([{ calls: [{ tool: "final", arguments: {} }] }, "by myself"]);

    const result = await crew({ name: "c", tasks: [job], bosun }).kickoff();

    expect(result.raw).toBe("by myself");
  });

  it("are used at most maxUses times over the whole run, across tasks and agents", async () => {
    let runs = 0;
    const rare = tool({
      name: "rare",
      description: "Rare",
      parameters: z.object({}),
      run: () => `use ${++runs}`,
      maxUses: 2,
    });
    const tasks = ["a", "b", "c"].map((name) =>
      task({ name, description: "d", expectedOutput: "e", agent: worker(name, { tools: [rare] }) }),
    );
    const { bosun, model } = scene(
      byTask(
        Object.fromEntries(
          ["a", "b", "c"].map((name) => [
            name,
            [{ calls: [{ tool: "rare", arguments: {} }] }, "ok"],
          ]),
        ),
      ),
    );
    const limited = crew({ name: "c", tasks, bosun });

    await limited.kickoff();
    const inFirstRun = runs;
    const told = requestsOf(model, "c")[1]?.messages.at(-1)?.content;
    await limited.kickoff();

    expect(inFirstRun).toBe(2);
    expect(told).toMatch(/^Error: .*rare.*2 times/s);
    expect(runs).toBe(4);
  });

  it("reuse results of the same run when the crew has a cache, and never of another run", async () => {
    let runs = 0;
    const counting = tool({
      name: "counting",
      description: "Counts",
      parameters: z.object({ key: z.string() }),
      run: () => ++runs,
    });
    const tasks = ["a", "b"].map((name) =>
      task({
        name,
        description: "d",
        expectedOutput: "e",
        agent: worker(name, { tools: [counting] }),
      }),
    );
    const ask = { calls: [{ tool: "counting", arguments: { key: "k" } }] };
    const script = byTask({ a: [ask, "ok"], b: [ask, "ok"] });
    const { bosun } = scene(script);

    const cached = await eventsOf(crew({ name: "c", tasks, cache: true, bosun }).stream());
    const afterCached = runs;
    await crew({ name: "c", tasks, cache: true, bosun }).kickoff();
    const afterSecond = runs;
    await crew({ name: "c", tasks, bosun }).kickoff();

    expect([afterCached, afterSecond, runs]).toEqual([1, 2, 4]);
    expect(only(cached.events, "tool-end").map((event) => event.cached)).toEqual([false, true]);
  });

  it("run at most 16 times in one turn, and the model is told about the others in their places", async () => {
    let runs = 0;
    const many = tool({
      name: "many",
      description: "Many",
      parameters: z.object({}),
      run: () => ++runs,
    });
    const job = task({
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: worker("W", { tools: [many] }),
    });
    const { bosun, model } = scene([
      { calls: Array.from({ length: 20 }, () => ({ tool: "many", arguments: {} })) },
      "done",
    ]);

    await crew({ name: "c", tasks: [job], bosun }).kickoff();

    const results = model.requests[1]?.messages.filter(({ role }) => role === "tool") ?? [];
    expect(runs).toBe(16);
    expect(results).toHaveLength(20);
    expect(results.slice(16).every(({ content }) => content.startsWith("Not run"))).toBe(true);
    expect(results.map((message) => message.role === "tool" && message.callId)).toEqual(
      Array.from({ length: 20 }, (_, n) => `call-1-${n + 1}`),
    );
  });

  it("of the task stand beside those of its agent, and win over one with the same name", async () => {
    const other = tool({
      name: "look",
      description: "Another",
      parameters: z.object({}),
      run: () => "from the task",
    });
    const job = task({
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: worker("W", { tools: [look] }),
      tools: [other],
    });
    const { bosun, model } = scene([{ calls: [{ tool: "look", arguments: {} }] }, "done"]);

    await crew({ name: "c", tasks: [job], bosun }).kickoff();

    expect(model.requests[0]?.tools?.map(({ description }) => description)).toEqual(["Another"]);
    expect(model.requests[1]?.messages.at(-1)?.content).toBe("from the task");
  });
});
