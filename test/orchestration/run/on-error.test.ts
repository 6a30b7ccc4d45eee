import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import {
  byTask,
  errorOf,
  eventsOf,
  job,
  only,
  promptOf,
  scene,
  taskIn,
  worker,
} from "./scenario.ts";

const refusal = (text = ""): BosunError =>
  new BosunError("model/bad-request", "the model refuses", text ? { details: { text } } : {});

describe('onError "fail"', () => {
  it("is the default: the task fails at its first failure", async () => {
    const { bosun, model } = scene(() => "");

    const error = await errorOf(crew({ name: "c", tasks: [job("a")], bosun }).kickoff());

    expect(error.code).toBe("agent/empty-answer");
    expect(partialResult(error)?.tasks["a"]).toMatchObject({ status: "failed", attempts: 1 });
    expect(new Set(model.requests.map(({ hints }) => hints.path[0]))).toEqual(new Set(["task:a"]));
  });
});

describe('onError "retry"', () => {
  it("does the task anew after a failure of its own, once by default", async () => {
    const { bosun } = scene((request) =>
      request.hints.path[0] === "task:a" ? "" : "now it works",
    );

    const { events } = await eventsOf(
      crew({ name: "c", tasks: [job("a", { onError: "retry" })], bosun }).stream(),
    );

    expect(only(events, "run-end")).toMatchObject([{ status: "done", raw: "now it works" }]);
    expect(only(events, "task-retry")).toMatchObject([
      { task: "a", attempt: 2, error: { code: "agent/empty-answer" } },
    ]);
    expect(only(events, "task-start").map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(only(events, "task-end")).toMatchObject([{ task: "a", status: "done" }]);
  });

  it("counts its attempts in the result", async () => {
    const { bosun } = scene((request) =>
      request.hints.path[0] === "task:a" ? "" : "now it works",
    );

    const result = await crew({
      name: "c",
      tasks: [job("a", { onError: "retry" })],
      bosun,
    }).kickoff();

    expect(result.tasks.a.attempts).toBe(2);
  });

  it("gives up after `retries` further attempts", async () => {
    const { bosun, model } = scene(() => "");

    const error = await errorOf(
      crew({ name: "c", tasks: [job("a", { onError: "retry", retries: 3 })], bosun }).kickoff(),
    );

    expect(error.code).toBe("agent/empty-answer");
    expect(new Set(model.requests.map(({ hints }) => hints.path[0]))).toEqual(
      new Set(["task:a", "task:a~2", "task:a~3", "task:a~4"]),
    );
  });

  it("never repeats a task for an error of a model (M5)", async () => {
    const codes = [
      "model/bad-request",
      "model/server",
      "model/timed-out",
      "model/context-length",
    ] as const;
    const calls: number[] = [];
    for (const code of codes) {
      const { bosun, model } = scene(() => new BosunError(code, "no"));
      const error = await errorOf(
        crew({ name: "c", tasks: [job("a", { onError: "retry", retries: 5 })], bosun }).kickoff(),
      );
      expect(error.code).toBe(code);
      calls.push(model.requests.length);
    }

    expect(calls).toEqual([1, 1, 1, 1]);
  });

  it("repeats a task that ran out of time, each attempt with its whole time", async () => {
    const { bosun, clock } = scene(
      (request) =>
        request.hints.path[0] === "task:a" ? { text: "late", delayMs: 5_000 } : "in time",
      { auto: true },
    );

    const result = await crew({
      name: "c",
      tasks: [job("a", { onError: "retry", timeoutMs: 1_000 })],
      bosun,
    }).kickoff();

    expect(result.raw).toBe("in time");
    expect(clock.now()).toBe(1_000);
  });

  it("counts the usage of the attempts that failed", async () => {
    const usage = {
      input: { total: 7, cached: undefined },
      output: { total: 1, reasoning: undefined },
      source: "server",
    } as const;
    const { bosun, model } = scene((request) => ({
      text: request.hints.path[0] === "task:a" ? "" : "now it works",
      usage,
    }));

    const result = await crew({
      name: "c",
      tasks: [job("a", { onError: "retry" })],
      bosun,
    }).kickoff();

    expect(result.tasks.a.usage.input.total).toBe(7 * model.requests.length);
    expect(result.usage.input.total).toBe(7 * model.requests.length);
  });

  it("does not go on when the run is cancelled meanwhile", async () => {
    const controller = new AbortController();
    const { bosun, model } = scene(() => {
      controller.abort();
      return "";
    });

    const error = await errorOf(
      crew({ name: "c", tasks: [job("a", { onError: "retry" })], bosun }).kickoff({
        signal: controller.signal,
      }),
    );

    expect(error.code).toBe("run/cancelled");
    expect(model.requests).toHaveLength(1);
  });
});

describe('onError "partial"', () => {
  it("takes the text that there is as the output, and what depends on it goes on", async () => {
    const a = job("a", { onError: "partial" });
    const { bosun, model } = scene(byTask({ a: refusal("the first half"), b: "b text" }));

    const result = await crew({
      name: "c",
      tasks: [a, job("b", { context: [a] })],
      bosun,
    }).kickoff();

    expect(result).toMatchObject({ status: "partial", raw: "b text" });
    expect(result.tasks.a).toMatchObject({
      status: "partial",
      raw: "the first half",
      output: "the first half",
      error: { code: "model/bad-request" },
    });
    expect(promptOf(model.requests.at(-1))).toContain("the first half");
  });

  it("does not stop a crew that is fail-fast", async () => {
    const { bosun } = scene(byTask({ a: refusal("half"), b: "b text" }));

    const result = await crew({
      name: "c",
      tasks: [job("a", { onError: "partial" }), job("b")],
      policy: "fail-fast",
      bosun,
    }).kickoff();

    expect(result.status).toBe("partial");
  });

  it("has the text of the call that was cut when the task's time was over", async () => {
    const slow = job("a", {
      onError: "partial",
      timeoutMs: 1_000,
      agent: worker("S", { model: "talker" }),
    });
    const { bosun } = scene([], {
      auto: true,
      models: {
        talker: {
          async *call(_request, signal) {
            yield { type: "start", endpoint: "e", model: "m", attempt: 1 };
            yield { type: "text-delta", text: "the first half" };
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
            throw new BosunError("model/cancelled", "cut", { details: { text: "the first half" } });
          },
          contextTokens: async () => undefined,
        },
      },
    });

    const result = await crew({ name: "c", tasks: [slow], bosun }).kickoff();

    expect(result.tasks.a).toMatchObject({
      status: "partial",
      raw: "the first half",
      error: { code: "task/timed-out" },
    });
  });

  it("leaves the output undefined when the text does not fit the task's schema", async () => {
    const typed = task({
      name: "a",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      output: z.object({ n: z.number() }),
      onError: "partial",
    });
    const { bosun } = scene(() => "no JSON at all");

    const result = await crew({ name: "c", tasks: [typed], bosun }).kickoff();

    expect(result.tasks.a).toMatchObject({
      status: "partial",
      raw: "no JSON at all",
      output: undefined,
    });
  });
});

describe("onError with a task", () => {
  it("does that task in its place, with its own agent and text", async () => {
    const standIn = job("plan-b", { agent: worker("Substitute") });
    const { bosun, model } = scene((request) => {
      if (taskIn(request) === "b") return "the last one";
      return promptOf(request).includes("plan-b") ? "from the stand-in" : refusal();
    });

    const { events } = await eventsOf(
      crew({ name: "c", tasks: [job("a", { onError: standIn }), job("b")], bosun }).stream(),
    );

    expect(only(events, "run-end")[0]).toMatchObject({ status: "done" });
    expect(only(events, "task-start").map(({ task: name, agent }) => [name, agent])).toEqual([
      ["a", "agent of a"],
      ["a", "Substitute"],
      ["b", "agent of b"],
    ]);
    expect(promptOf(model.requests[1])).toContain("Do plan-b");
  });

  it("gives its output and its agent to the task's result, and its events name that agent", async () => {
    const standIn = job("plan-b", { agent: worker("Substitute") });
    const { bosun } = scene((request) =>
      promptOf(request).includes("plan-b") ? "from the stand-in" : refusal(),
    );
    const tasks = [job("a", { onError: standIn })] as const;

    const result = await crew({ name: "c", tasks, bosun }).kickoff();
    const { events } = await eventsOf(crew({ name: "c", tasks, bosun }).stream());

    expect(result.tasks.a).toMatchObject({
      status: "done",
      raw: "from the stand-in",
      output: "from the stand-in",
      agent: "Substitute",
    });
    expect(only(events, "task-end")).toMatchObject([{ task: "a", agent: "Substitute" }]);
  });

  it("sees the context that the failed task saw", async () => {
    const standIn = job("plan-b");
    const { bosun, model } = scene((request) => {
      if (taskIn(request) === "first") return "the context";
      return promptOf(request).includes("plan-b") ? "ok" : refusal();
    });

    await crew({
      name: "c",
      tasks: [job("first"), job("a", { onError: standIn })],
      bosun,
    }).kickoff();

    expect(promptOf(model.requests.at(-1))).toContain("the context");
  });

  it("fails the task with the stand-in's error when that fails too", async () => {
    const standIn = job("plan-b");
    const { bosun, model } = scene((request) =>
      promptOf(request).includes("plan-b")
        ? new BosunError("model/unauthorized", "the stand-in may not")
        : refusal(),
    );

    const error = await errorOf(
      crew({ name: "c", tasks: [job("a", { onError: standIn })], bosun }).kickoff(),
    );

    expect(error.code).toBe("model/unauthorized");
    expect(model.requests).toHaveLength(2);
  });

  it("types the output by the stand-in when the task has a schema and the stand-in has none", async () => {
    const standIn = job("plan-b");
    const typed = task({
      name: "a",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      output: z.object({ n: z.number() }),
      onError: standIn,
    });
    const { bosun } = scene((request) =>
      promptOf(request).includes("plan-b") ? "plain text" : refusal(),
    );

    const result = await crew({ name: "c", tasks: [typed], bosun }).kickoff();

    expect(result.tasks.a.status).toBe("done");
    expect(result.tasks.a.output).toBe("plain text");
  });

  it("does not read the task's own text by the stand-in's schema", async () => {
    const standIn = task({
      name: "plan-b",
      description: "d",
      expectedOutput: "e",
      agent: worker("B"),
      output: z.object({ n: z.number() }),
    });
    const plain = task({
      name: "a",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      onError: standIn,
    });
    const { bosun } = scene(() => "plain text");

    const result = await crew({ name: "c", tasks: [plain], bosun }).kickoff();

    expect(result.tasks.a.status).toBe("done");
    expect(result.tasks.a.output).toBe("plain text");
  });

  it("reads the stand-in's answer by the stand-in's own schema", async () => {
    const standIn = task({
      name: "plan-b",
      description: "plan-b",
      expectedOutput: "e",
      agent: worker("B"),
      output: z.object({ m: z.string() }),
    });
    const typed = task({
      name: "a",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      output: z.object({ n: z.number() }),
      onError: standIn,
    });
    const { bosun } = scene((request) =>
      promptOf(request).includes("plan-b") ? '{"m":"x"}' : refusal(),
    );

    const result = await crew({ name: "c", tasks: [typed], bosun }).kickoff();

    expect(result.tasks.a.output).toEqual({ m: "x" });
  });

  it("does what the stand-in's own onError says, or refuses it when the crew is made", async () => {
    const last = job("plan-c");
    const standIn = job("plan-b", { onError: last });
    const { bosun } = scene((request) =>
      promptOf(request).includes("plan-c") ? "from plan c" : refusal(),
    );

    const outcome = await (async () =>
      crew({ name: "c", tasks: [job("a", { onError: standIn })], bosun }).kickoff())().then(
      ({ raw }) => raw,
      (error: unknown) => (error instanceof BosunError ? error.code : error),
    );

    expect(["from plan c", "crew/invalid", "crew/not-built"]).toContain(outcome);
  });
});
