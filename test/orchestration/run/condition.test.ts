import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import type { SoFar } from "../../../src/orchestration/crew/condition.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import {
  byTask,
  errorOf,
  eventsOf,
  job,
  only,
  promptOf,
  requestsOf,
  scene,
  settle,
  thrownBy,
  worker,
} from "./scenario.ts";

const no = (): boolean => false;
const yes = (): boolean => true;
const later = async (): Promise<boolean> => {
  await settle();
  return false;
};

describe("a task with a condition", () => {
  it("is done when it says true", async () => {
    const { bosun } = scene(() => "x");

    const result = await crew({ name: "c", tasks: [job("a", { when: yes })], bosun }).kickoff();

    expect(result.tasks.a).toMatchObject({ status: "done", output: "x" });
  });

  it("is skipped when it says false: no call, no output, no error", async () => {
    const { bosun, model } = scene(byTask({ a: "a text", c: "c text" }));
    const tasks = [job("a"), job("b", { when: no }), job("c")];

    const result = await crew({ name: "c", tasks, bosun }).kickoff();

    expect(result).toMatchObject({ status: "done", raw: "c text" });
    expect(result.tasks.b).toMatchObject({ status: "skipped", raw: "", output: undefined });
    expect(result.tasks.b.error).toBeUndefined();
    expect(requestsOf(model, "b")).toEqual([]);
  });

  it("may be the first, the only kind, and async", async () => {
    const { bosun } = scene(() => "x");
    const tasks = [
      job("a", { when: yes, async: true }),
      job("b", { when: no, async: true }),
      job("c", { when: yes }),
    ];

    const result = await crew({ name: "c", tasks, bosun }).kickoff();

    expect(Object.values(result.tasks).map(({ status }) => status)).toEqual([
      "done",
      "skipped",
      "done",
    ]);
  });

  it("is asked with the inputs and what the tasks so far came to", async () => {
    const seen: SoFar[] = [];
    const { bosun } = scene(byTask({ a: '{"n": "7"}', b: "b text" }));
    const agent = worker("A");
    const a = task({
      name: "a",
      description: "{topic}",
      expectedOutput: "e",
      agent,
      output: z.object({ n: z.coerce.number() }),
    });
    const look = (soFar: SoFar): boolean => {
      seen.push(soFar);
      return false;
    };
    const made = crew({
      name: "c",
      tasks: [a, job("b"), job("d", { when: no }), job("e", { when: look })],
      bosun,
    });

    await made.kickoff({ inputs: { topic: "whales" } });

    expect(seen).toEqual([
      {
        inputs: { topic: "whales" },
        tasks: {
          a: { status: "done", raw: '{"n":"7"}', output: { n: 7 } },
          b: { status: "done", raw: "b text", output: "b text" },
          d: { status: "skipped", raw: "", output: undefined },
        },
      },
    ]);
  });

  it("is asked once, when its turn has come, and not before", async () => {
    let asked = 0;
    const { bosun } = scene(byTask({ a: () => `asked ${asked} times before`, b: "b" }));
    const when = (): boolean => ++asked > 0;

    const result = await crew({
      name: "c",
      tasks: [job("a"), job("b", { when })],
      bosun,
    }).kickoff();

    expect(result.tasks.a.raw).toBe("asked 0 times before");
    expect(asked).toBe(1);
  });

  it("may decide later, in a promise", async () => {
    const { bosun } = scene(() => "x");

    const result = await crew({
      name: "c",
      tasks: [job("a"), job("b", { when: later })],
      bosun,
    }).kickoff();

    expect(result.tasks.b.status).toBe("skipped");
  });

  it.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("cannot tell");
      },
    ],
    ["rejects", () => Promise.reject(new Error("cannot tell"))],
    ["says nothing", () => undefined],
    ["says something else", () => "yes"],
  ])("fails when its condition %s, without a call", async (_, when) => {
    const { bosun, model } = scene(() => "x");

    const error = await errorOf(
      crew({ name: "c", tasks: [job("a", { when: when as () => boolean })], bosun }).kickoff(),
    );

    expect(error.code).toBe("task/condition-failed");
    expect(error.message).toContain('task "a": its condition failed');
    expect(model.requests).toEqual([]);
  });

  it("that is cancelled while its condition decides ends as cancelled", async () => {
    const controller = new AbortController();
    const { bosun } = scene(() => "x");
    const when = (): Promise<boolean> => new Promise(() => controller.abort());
    const made = crew({ name: "c", tasks: [job("a", { when })], bosun });

    const error = await errorOf(made.kickoff({ signal: controller.signal }));

    expect(error.code).toBe("run/cancelled");
  });

  it.each([true, "a > 1", 0])("needs a function for it: %s is refused", (when) => {
    expect(thrownBy(() => job("a", { when: when as never })).code).toBe("crew/invalid");
  });
});

describe("what comes after a skipped task", () => {
  it("goes on without its output, whether it names it as context or sees all", async () => {
    const { bosun, model } = scene(() => "x");
    const b = job("b", { when: no });
    const tasks = [job("a"), b, job("all"), job("named", { context: [b] })];

    const result = await crew({ name: "c", tasks, bosun }).kickoff();

    expect(result.status).toBe("done");
    expect(promptOf(requestsOf(model, "all")[0])).not.toContain("## b");
    expect(promptOf(requestsOf(model, "named")[0])).not.toContain("# Context");
  });

  it("starts in a parallel crew as soon as the rest of its context is there", async () => {
    const { bosun } = scene(() => "x");
    const [a, b] = [job("a"), job("b", { when: no })];
    const tasks = [a, b, job("z", { context: [a, b] })];

    const result = await crew({ name: "c", tasks, process: "parallel", bosun }).kickoff();

    expect(result).toMatchObject({
      status: "done",
      tasks: { b: { status: "skipped" }, z: { status: "done" } },
    });
  });

  it("gives the run's final text: that of the last task that was done", async () => {
    const { bosun } = scene(byTask({ a: "a text", b: "b text" }));
    const tasks = [job("a"), job("b"), job("z", { when: no })];

    for (const process of ["sequential", "parallel"] as const)
      expect((await crew({ name: "c", tasks, process, bosun }).kickoff()).raw).toBe("b text");
  });

  it("is nothing when all were skipped: the run is done, with no text", async () => {
    const { bosun } = scene(() => "x");

    const { events, error } = await eventsOf(
      crew({ name: "c", tasks: [job("a", { when: no })], bosun }).stream(),
    );

    expect(error).toBeUndefined();
    expect(only(events, "run-end")).toMatchObject([{ status: "done", raw: "" }]);
    expect(only(events, "task-end")).toMatchObject([{ task: "a", status: "skipped" }]);
  });

  it("is a partial run when another task failed under continue", async () => {
    const { bosun } = scene(byTask({ a: "", c: "c text" }));
    const tasks = [job("a"), job("b", { when: no }), job("c")];

    const result = await crew({ name: "c", tasks, policy: "continue", bosun }).kickoff();

    expect(result.status).toBe("partial");
    expect(Object.values(result.tasks).map(({ status }) => status)).toEqual([
      "failed",
      "skipped",
      "done",
    ]);
  });
});

describe("a condition of a task in a hierarchical crew", () => {
  it("skips it before the manager is asked anything", async () => {
    const { bosun, model } = scene(() => "x");
    const agents = [worker("A")];
    const skipped = task({ name: "a", description: "d", expectedOutput: "e", when: no });

    const result = await crew({
      name: "c",
      tasks: [skipped],
      agents,
      process: "hierarchical",
      bosun,
    }).kickoff();

    expect(result.tasks.a.status).toBe("skipped");
    expect(model.requests).toEqual([]);
  });
});

describe("a condition that sees a stand-in's output", () => {
  it("sees it by the stand-in's own schema", async () => {
    const seen: SoFar[] = [];
    const schema = z.object({ n: z.number() });
    const { bosun } = scene((request) => (request.hints.path[0] === "task:a" ? "" : "plain text"));
    const a = task({
      name: "a",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      output: schema,
      onError: job("a2"),
    });
    const when = (soFar: SoFar): boolean => seen.push(soFar) > 1;

    await crew({ name: "c", tasks: [a, job("b", { when })], bosun }).kickoff();

    expect(seen[0]?.tasks["a"]).toEqual({
      status: "done",
      raw: "plain text",
      output: "plain text",
    });
  });
});
