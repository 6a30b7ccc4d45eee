import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import {
  byTask,
  costing,
  gate,
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
    const { bosun } = scene(
      byTask({ one: { text: "a", usage: costing(10) }, two: { text: "b", usage: costing(200) } }),
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
      const usage = costing(Number(n));
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
