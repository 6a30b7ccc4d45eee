import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import {
  byTask,
  errorOf,
  eventsOf,
  gate,
  only,
  promptOf,
  requestsOf,
  scene,
  settle,
  taskIn,
  worker,
} from "./scenario.ts";

const look = tool({
  name: "look",
  description: "Looks something up",
  parameters: z.object({ at: z.string() }),
  run: ({ at }) => `seen ${at}`,
});

const calling = (at: string) => ({ calls: [{ tool: "look", arguments: { at } }] });

describe("an agent is stateless", () => {
  const shared = worker("Analyst", { tools: [look] });
  const one = task({ name: "one", description: "Do one", expectedOutput: "e", agent: shared });
  const two = task({ name: "two", description: "Do two", expectedOutput: "e", agent: shared });

  it("does two tasks of a parallel crew at once, each with messages of its own", async () => {
    const { bosun, model } = scene(
      byTask({ one: [calling("A"), "answer A"], two: [calling("B"), "answer B"] }),
    );

    const result = await crew({
      name: "c",
      tasks: [one, two],
      process: "parallel",
      bosun,
    }).kickoff();

    expect(result.raw).toBe("answer B");
    expect(result.tasks.one).toMatchObject({ raw: "answer A", agent: "Analyst", attempts: 1 });
    const said = (name: string) =>
      requestsOf(model, name).map(({ messages }) =>
        messages.map(({ content }) => content).join(" "),
      );
    expect(said("one")[1]).toContain("seen A");
    expect(said("one")[1]).not.toContain("seen B");
    expect(said("two")[1]).toContain("seen B");
    expect(said("two")[1]).not.toContain("seen A");
  });

  it("does an async task and the next one at the same moment", async () => {
    const opened = gate<string>();
    const background = task({
      name: "background",
      description: "d",
      expectedOutput: "e",
      agent: shared,
      async: true,
    });
    const front = task({
      name: "front",
      description: "d",
      expectedOutput: "e",
      agent: shared,
      context: [],
    });
    const { bosun, model } = scene(
      byTask({ background: () => opened.promise, front: "front answer" }),
    );

    const running = crew({ name: "c", tasks: [background, front], bosun }).kickoff();
    await settle();
    const began = model.requests.map(taskIn);
    opened.resolve("background answer");
    const result = await running;

    expect(began).toEqual(["background", "front"]);
    expect(result.tasks.background.raw).toBe("background answer");
    expect(result.raw).toBe("front answer");
  });

  it("counts usage for each of its tasks apart", async () => {
    const usage = (total: number) => ({
      input: { total, cached: undefined },
      output: { total: 1, reasoning: undefined },
      source: "server" as const,
    });
    const { bosun } = scene(
      byTask({ one: { text: "a", usage: usage(10) }, two: { text: "b", usage: usage(200) } }),
    );

    const { tasks, usage: all } = await crew({
      name: "c",
      tasks: [one, two],
      process: "parallel",
      bosun,
    }).kickoff();

    expect(tasks.one.usage.input.total).toBe(10);
    expect(tasks.two.usage.input.total).toBe(200);
    expect(all.input.total).toBe(210);
  });

  it("begins each task with all of its iterations", async () => {
    const thrifty = worker("Thrifty", { tools: [look], maxIterations: 2 });
    const tasks = ["a", "b", "c"].map((name) =>
      task({ name, description: "d", expectedOutput: "e", agent: thrifty }),
    );
    const { bosun, model } = scene((request, index) =>
      index % 2 === 0 ? calling("x") : `answer of ${taskIn(request)}`,
    );

    const result = await crew({ name: "c", tasks, bosun }).kickoff();

    expect(result.raw).toBe("answer of c");
    expect(model.requests.map(({ hints }) => hints.purpose)).toEqual(Array(6).fill("work"));
  });

  it("begins each attempt of a task anew, with the messages of the first one gone", async () => {
    const shaky = task({
      name: "shaky",
      description: "d",
      expectedOutput: "e",
      agent: worker("Limited", { tools: [look], maxIterations: 1 }),
      onError: "retry",
    });
    const { bosun, model } = scene((request, index) =>
      request.hints.path[0] === "task:shaky~2" ? "fine" : calling(`${index}`),
    );

    const result = await crew({ name: "c", tasks: [shaky], bosun }).kickoff();

    const second = model.requests.filter(({ hints }) => hints.path[0] === "task:shaky~2");
    expect(result.tasks.shaky).toMatchObject({ raw: "fine", attempts: 2, status: "done" });
    expect(second[0]?.messages.map(({ role }) => role)).toEqual(["system", "user"]);
    expect(second[0]?.hints.purpose).toBe("work");
  });

  it("serves one crew that is kicked off twice at once with different inputs", async () => {
    const echo = task({
      name: "echo",
      description: "Say {word}",
      expectedOutput: "e",
      agent: shared,
    });
    const { bosun } = scene((request) => /Say (\w+)/.exec(promptOf(request))?.[1] ?? "");
    const echoCrew = crew({ name: "c", tasks: [echo], bosun });

    const [first, second] = await Promise.all([
      echoCrew.kickoff({ inputs: { word: "left" } }),
      echoCrew.kickoff({ inputs: { word: "right" } }),
    ]);

    expect([first.raw, second.raw]).toEqual(["left", "right"]);
    expect(first.runId).not.toBe(second.runId);
  });

  it("serves one crew 200 times at once, each run with its own result and usage", async () => {
    const first = task({
      name: "first",
      description: "First {n}",
      expectedOutput: "e",
      agent: shared,
    });
    const second = task({
      name: "second",
      description: "Second {n}",
      expectedOutput: "e",
      agent: shared,
    });
    const { bosun, model } = scene((request) => {
      const n = /(?:First|Second) (\d+)/.exec(promptOf(request))?.[1] ?? "";
      const hasLooked = request.messages.some(({ role }) => role === "tool");
      const usage = {
        input: { total: Number(n), cached: undefined },
        output: { total: 1, reasoning: undefined },
        source: "server" as const,
      };
      return hasLooked ? { text: `${taskIn(request)} ${n}`, usage } : { ...calling(n), usage };
    });
    const many = crew({ name: "c", tasks: [first, second], bosun });

    const results = await Promise.all(
      Array.from({ length: 200 }, (_, n) => many.kickoff({ inputs: { n } })),
    );

    expect(results.map(({ raw }) => raw)).toEqual(
      Array.from({ length: 200 }, (_, n) => `second ${n}`),
    );
    expect(results.map(({ usage }) => usage.input.total)).toEqual(
      Array.from({ length: 200 }, (_, n) => 4 * n),
    );
    expect(new Set(results.map(({ runId }) => runId)).size).toBe(200);
    expect(model.requests).toHaveLength(800);
  });
});

describe("maxIterations", () => {
  const lookIntoIt = (maxIterations: number) =>
    task({
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: worker("Looker", { tools: [look], maxIterations }),
    });

  it("is followed by one last call without tools, whose text is the answer", async () => {
    const { bosun, model } = scene([calling("1"), calling("2"), "from what I have"]);

    const result = await crew({ name: "c", tasks: [lookIntoIt(2)], bosun }).kickoff();

    expect(result.raw).toBe("from what I have");
    expect(model.requests.map(({ tools }) => tools?.length ?? 0)).toEqual([1, 1, 0]);
    expect(model.requests.map(({ hints }) => hints.purpose)).toEqual(["work", "work", "final"]);
    expect(model.requests.at(-1)?.messages.at(-1)).toMatchObject({ role: "user" });
    expect(model.requests.at(-1)?.messages.at(-1)?.content).toContain("final answer");
  });

  it("ends a model that still calls tools with agent/iterations, in a bounded number of calls", async () => {
    const { bosun, model } = scene(() => calling("again"));

    const error = await errorOf(crew({ name: "c", tasks: [lookIntoIt(3)], bosun }).kickoff());

    expect(error.code).toBe("agent/iterations");
    expect(error.message).toContain("Looker");
    expect(error.message).toContain("maxIterations");
    expect(model.requests.length).toBeLessThanOrEqual(3 + 3);
  });

  it("counts no tool that is not there: a model that calls tools although it has none ends too", async () => {
    const bare = task({
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: worker("Bare", { maxIterations: 3 }),
    });
    const { bosun, model } = scene((_request, index) => {
      if (index >= 100) throw new BosunError("model/bad-request", "the loop has no end");
      return calling("again");
    });

    const error = await errorOf(crew({ name: "c", tasks: [bare], bosun }).kickoff());

    expect(error.message).not.toContain("the loop has no end");
    expect(error.code).toBe("agent/iterations");
    expect(model.requests.length).toBeLessThan(10);
  });

  it("has a default of 25", async () => {
    const endless = task({
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: worker("Looker", { tools: [look] }),
    });
    const { bosun, model } = scene(() => calling("again"));

    await errorOf(crew({ name: "c", tasks: [endless], bosun }).kickoff());

    expect(model.requests.filter(({ tools }) => (tools?.length ?? 0) > 0)).toHaveLength(25);
  });

  it("takes the text of a last answer that has calls beside it", async () => {
    const { bosun } = scene([calling("1"), { text: "the answer", ...calling("2") }]);

    const result = await crew({ name: "c", tasks: [lookIntoIt(1)], bosun }).kickoff();

    expect(result.raw).toBe("the answer");
  });
});

describe("an empty answer", () => {
  const plain = task({ name: "t", description: "d", expectedOutput: "e", agent: worker("Silent") });

  it("is asked for once more, and the second answer counts", async () => {
    const { bosun, model } = scene(["", "here it is"]);

    const result = await crew({ name: "c", tasks: [plain], bosun }).kickoff();

    expect(result.raw).toBe("here it is");
    expect(model.requests[1]?.messages.at(-1)?.content).toContain("empty");
  });

  it("ends in agent/empty-answer after one request to mend it", async () => {
    const { bosun, model } = scene(() => "  \n");

    const error = await errorOf(crew({ name: "c", tasks: [plain], bosun }).kickoff());

    expect(error.code).toBe("agent/empty-answer");
    expect(error.message).toContain("Silent");
    expect(model.requests).toHaveLength(2);
  });

  it("tells of the thinking that used up its tokens", async () => {
    const { bosun } = scene(() => ({ text: "", reasoning: "hmm", finish: "length" }));

    const error = await errorOf(crew({ name: "c", tasks: [plain], bosun }).kickoff());

    expect(error.code).toBe("agent/empty-answer");
    expect(error.message).toContain("thinking");
  });
});

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
