import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import type { Hooks } from "../../../src/orchestration/crew/hook.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import type { Script } from "../../../src/test/scripted-model.ts";
import {
  byTask,
  errorOf,
  eventsOf,
  job,
  only,
  promptOf,
  scene,
  settle,
  worker,
} from "./scenario.ts";

const about = task({
  name: "a",
  description: "About {topic}",
  expectedOutput: "e",
  agent: worker("A"),
});

const hooked = (script: Script, hooks: Hooks, options = {}) => {
  const { bosun, model, clock } = scene(script);
  const tasks = [job("a"), job("b")];
  return { bosun, model, clock, made: crew({ name: "c", tasks, hooks, ...options, bosun }) };
};

describe("beforeKickoff", () => {
  it("may change the inputs, before they are checked", async () => {
    const { bosun, model } = scene(() => "x");
    const hooks: Hooks = { beforeKickoff: () => ({ inputs: { topic: "whales" } }) };
    const made = crew({ name: "c", tasks: [about], hooks, bosun });

    const { events } = await eventsOf(made.stream({ inputs: {} as never }));

    expect(promptOf(model.requests[0])).toContain("About whales");
    expect(only(events, "run-start")).toMatchObject([{ inputs: { topic: "whales" } }]);
    expect(events.slice(0, 2).map(({ type }) => type)).toEqual(["run-start", "hook-end"]);
    expect(only(events, "hook-end")).toMatchObject([{ hook: "beforeKickoff", status: "changed" }]);
  });

  it("has its changed inputs checked: one that takes an input away fails before anything is paid for", async () => {
    const { bosun, model } = scene(() => "x");
    const made = crew({
      name: "c",
      tasks: [about],
      hooks: { beforeKickoff: () => ({ inputs: {} }) },
      bosun,
    });

    const error = await errorOf(made.kickoff({ inputs: { topic: "whales" } }));

    expect(error.code).toBe("crew/input-missing");
    expect(model.requests).toEqual([]);
  });

  it("sees the inputs and the run's id, and leaves them when it returns nothing", async () => {
    const seen: unknown[] = [];
    const { bosun } = scene(() => "x");
    const hooks: Hooks = {
      beforeKickoff: ({ inputs }, { runId, signal }) =>
        void seen.push(inputs, runId, signal.aborted),
    };

    const made = crew({ name: "c", tasks: [about], hooks, bosun });
    const { events } = await eventsOf(made.stream({ inputs: { topic: "t" }, runId: "my-run" }));

    expect(seen).toEqual([{ topic: "t" }, "my-run", false]);
    expect(only(events, "hook-end")).toEqual([]);
  });

  it("may block the run: nothing is paid for, and its reason is told", async () => {
    const { made, model } = hooked(() => "x", {
      beforeKickoff: () => ({ block: "not on Sundays" }),
    });

    const error = await errorOf(made.kickoff());

    expect(error.code).toBe("hook/blocked");
    expect(error.message).toContain("not on Sundays");
    expect(model.requests).toEqual([]);
  });

  it("that blocks gives its run id free again", async () => {
    let isClosed = true;
    const { made } = hooked(() => "x", {
      beforeKickoff: () => (isClosed ? { block: "closed" } : undefined),
    });

    await errorOf(made.kickoff({ runId: "one" }));
    isClosed = false;

    expect((await made.kickoff({ runId: "one" })).status).toBe("done");
  });

  it("that waits is ended by a cancel", async () => {
    const controller = new AbortController();
    const { made } = hooked(() => "x", {
      beforeKickoff: () => new Promise<undefined>(() => undefined),
    });

    const running = errorOf(made.kickoff({ signal: controller.signal }));
    await settle();
    controller.abort();

    expect((await running).code).toBe("run/cancelled");
  });
});

describe("afterKickoff", () => {
  it("may change the run's final text, and leaves the tasks' own", async () => {
    const { made } = hooked(byTask({ a: "a text", b: "b text" }), {
      afterKickoff: ({ raw }) => ({ raw: `${raw}, signed` }),
    });

    const result = await made.kickoff();

    expect(result.raw).toBe("b text, signed");
    expect(result.tasks.b.raw).toBe("b text");
  });

  it("sees how the run and its tasks ended, also when they failed", async () => {
    const seen: unknown[] = [];
    const { made } = hooked(byTask({ a: "a text", b: "" }), {
      afterKickoff: (subject) => void seen.push(subject),
    });

    const error = await errorOf(made.kickoff());

    expect(error.code).toBe("agent/empty-answer");
    expect(seen).toMatchObject([
      {
        inputs: {},
        status: "failed",
        tasks: { a: { status: "done", raw: "a text" }, b: { status: "failed" } },
      },
    ]);
  });

  it("that blocks fails the run, which keeps what was done", async () => {
    const { made } = hooked(byTask({ a: "a text", b: "b text" }), {
      afterKickoff: () => ({ block: "secrets in it" }),
    });

    const error = await errorOf(made.kickoff());

    expect(error.code).toBe("hook/blocked");
    expect(partialResult(error)).toMatchObject({
      status: "failed",
      tasks: { a: { status: "done" }, b: { status: "done" } },
    });
  });

  it("is not called for a run that was cancelled", async () => {
    let called = 0;
    const controller = new AbortController();
    const { made } = hooked(
      () => {
        controller.abort();
        return "x";
      },
      { afterKickoff: () => void called++ },
    );

    await errorOf(made.kickoff({ signal: controller.signal }));

    expect(called).toBe(0);
  });
});

describe("onTask", () => {
  it("is told of each task when it has ended, before the next one starts", async () => {
    const seen: string[] = [];
    const { made } = hooked(
      ({ hints }) => {
        seen.push(`${hints.path[0]} asks`);
        return "x";
      },
      {
        onTask: ({ task: name, agent, status, raw }) =>
          void seen.push(`${name} ${agent} ${status} ${raw}`),
      },
    );

    await made.kickoff();

    expect(seen).toEqual([
      "task:a asks",
      "a agent of a done x",
      "task:b asks",
      "b agent of b done x",
    ]);
  });

  it("is told of failed, skipped and never started ones too, once each", async () => {
    const seen: string[] = [];
    const { bosun } = scene(byTask({ a: "a", b: "" }));
    const tasks = [job("a"), job("s", { when: () => false }), job("b"), job("c")];
    const hooks: Hooks = {
      onTask: ({ task: name, status }) => void seen.push(`${name} ${status}`),
    };

    await errorOf(crew({ name: "c", tasks, hooks, bosun }).kickoff());

    expect(seen).toEqual(["a done", "s skipped", "b failed", "c cancelled"]);
  });

  it("that blocks stops the run: what was not started is cancelled", async () => {
    const { made, model } = hooked(() => "x", { onTask: () => ({ block: "enough" }) });

    const { events, error } = await eventsOf(made.stream());

    expect(error).toMatchObject({ code: "hook/blocked" });
    expect(model.requests).toHaveLength(1);
    expect(only(events, "task-end").map(({ task: name, status }) => `${name} ${status}`)).toEqual([
      "a done",
      "b cancelled",
    ]);
  });
});
