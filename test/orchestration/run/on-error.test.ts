import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import { byTask, errorOf, eventsOf, job, only, promptOf, scene, worker } from "./scenario.ts";

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

  it("has all of its retries in each run: nothing is used up by an earlier one", async () => {
    const { bosun } = scene((request) => (request.hints.path[0] === "task:a" ? "" : "second try"));
    const made = crew({ name: "c", tasks: [job("a", { onError: "retry" })], bosun });

    const raws: string[] = [];
    for (let run = 0; run < 40; run++) raws.push((await made.kickoff()).raw);

    expect(new Set(raws)).toEqual(new Set(["second try"]));
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
