import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import type { Model } from "../../../src/inference/model/model.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { byTask, errorOf, eventsOf, job, only, scene, settle, worker } from "./scenario.ts";

const NEVER = new Promise<never>(() => undefined);

/** Says half of an answer and then nothing, until it is aborted. */
const talker: Model = {
  async *call(_request, signal) {
    yield { type: "start", endpoint: "e", model: "m", attempt: 1 };
    yield { type: "text-delta", text: "half an answer" };
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    throw new BosunError("model/cancelled", "cut", { details: { text: "half an answer" } });
  },
  contextTokens: async () => undefined,
};

/** Never answers, also when it is aborted. */
const deaf: Model = {
  async *call() {
    yield { type: "start", endpoint: "e", model: "m", attempt: 1 };
    await NEVER;
  },
  contextTokens: async () => undefined,
};

const hangs = tool({
  name: "hangs",
  description: "Never returns and ignores its signal",
  parameters: z.object({}),
  run: () => NEVER,
  timeoutMs: 2_000,
});
const callsHangs = { calls: [{ tool: "hangs", arguments: {} }] };

describe("the time of a task", () => {
  it("ends it to the millisecond, with the text that there was", async () => {
    const { bosun, clock } = scene([], { auto: true, models: { talker } });
    const slow = job("slow", { timeoutMs: 1_234, agent: worker("Talker", { model: "talker" }) });

    const error = await errorOf(crew({ name: "c", tasks: [slow], bosun }).kickoff());

    expect(error.code).toBe("task/timed-out");
    expect(error.message).toMatch(/slow.*Talker.*1234 ms.*timeoutMs/s);
    expect(clock.now()).toBe(1_234);
    expect(partialResult(error)?.tasks["slow"]).toMatchObject({
      status: "timed-out",
      raw: "half an answer",
      error: { code: "task/timed-out" },
      timings: { startedAt: 0, endedAt: 1_234, durationMs: 1_234 },
    });
  });

  it("does not end a task that is done a millisecond earlier", async () => {
    const { bosun, clock } = scene([{ text: "in time", delayMs: 999 }], { auto: true });

    const result = await crew({
      name: "c",
      tasks: [job("a", { timeoutMs: 1_000 })],
      bosun,
    }).kickoff();

    expect(result.raw).toBe("in time");
    expect(clock.now()).toBe(999);
  });

  it("counts from its own start, not from the run's", async () => {
    const { bosun } = scene(() => ({ text: "x", delayMs: 800 }), { auto: true });
    const tasks = [job("a", { timeoutMs: 1_000 }), job("b", { timeoutMs: 1_000 })];

    const result = await crew({ name: "c", tasks, bosun }).kickoff();

    expect(result.status).toBe("done");
  });

  it("is over soon after its limit also when the model ignores that it was aborted", async () => {
    const { bosun, clock } = scene([], { auto: true, models: { deaf } });
    const slow = job("slow", { timeoutMs: 1_000, agent: worker("Deaf", { model: "deaf" }) });

    const error = await errorOf(crew({ name: "c", tasks: [slow], bosun }).kickoff());

    expect(error.code).toBe("task/timed-out");
    expect(clock.now()).toBeGreaterThanOrEqual(1_000);
    expect(clock.now()).toBeLessThanOrEqual(1_100);
  });

  it("is over to the millisecond in a tool that ignores its signal", async () => {
    const { bosun, clock } = scene(() => callsHangs);
    const stuck = job("stuck", { timeoutMs: 1_000, agent: worker("W", { tools: [hangs] }) });

    const running = errorOf(crew({ name: "c", tasks: [stuck], bosun }).kickoff());
    await settle();
    await clock.advance(1_000);
    const error = await running;

    expect(error.code).toBe("task/timed-out");
    expect(clock.now()).toBe(1_000);
  });

  it("does not stop the other tasks of a crew that continues", async () => {
    const { bosun } = scene(byTask({ quick: { text: "x", delayMs: 3_000 } }), {
      auto: true,
      models: { talker },
    });
    const slow = job("slow", { timeoutMs: 1_000, agent: worker("Talker", { model: "talker" }) });

    const result = await crew({
      name: "c",
      tasks: [slow, job("quick")],
      process: "parallel",
      policy: "continue",
      bosun,
    }).kickoff();

    expect(result.tasks.slow).toMatchObject({ status: "timed-out", output: undefined });
    expect(result.tasks.quick.output).toBe("x");
    expect(result.status).toBe("partial");
  });
});

describe("the time of an agent", () => {
  it("ends its task when it is shorter than the task's", async () => {
    const { bosun, clock } = scene([{ text: "late", delayMs: 5_000 }], { auto: true });
    const slow = job("slow", { timeoutMs: 2_000, agent: worker("Hasty", { timeoutMs: 700 }) });

    const error = await errorOf(crew({ name: "c", tasks: [slow], bosun }).kickoff());

    expect(error.code).toBe("task/timed-out");
    expect(error.message).toContain("700 ms");
    expect(clock.now()).toBe(700);
  });

  it("does not lengthen a task's", async () => {
    const { bosun, clock } = scene([{ text: "late", delayMs: 5_000 }], { auto: true });
    const slow = job("slow", { timeoutMs: 400, agent: worker("Patient", { timeoutMs: 9_000 }) });

    await errorOf(crew({ name: "c", tasks: [slow], bosun }).kickoff());

    expect(clock.now()).toBe(400);
  });
});

describe("the time of a crew", () => {
  it("ends the run to the millisecond; what was done stays, what ran is timed out, the rest is cancelled", async () => {
    const { bosun, clock } = scene(byTask({ a: { text: "a text", delayMs: 600 } }), {
      auto: true,
      models: { talker },
    });
    const tasks = [
      job("a"),
      job("b", { agent: worker("Talker", { model: "talker" }) }),
      job("z"),
    ] as const;

    const { events, error } = await eventsOf(
      crew({ name: "hurried", tasks, timeoutMs: 1_000, bosun }).stream(),
    );

    expect(clock.now()).toBe(1_000);
    expect(error).toMatchObject({ code: "run/timed-out" });
    expect(String(error)).toMatch(/hurried.*1000 ms/s);
    const partial = partialResult(error);
    expect(partial?.status).toBe("timed-out");
    expect(partial?.tasks["a"]).toMatchObject({ status: "done", raw: "a text" });
    expect(partial?.tasks["b"]).toMatchObject({ status: "timed-out", raw: "half an answer" });
    expect(partial?.tasks["z"]).toMatchObject({ status: "cancelled", attempts: 0 });
    expect(events.at(-1)).toMatchObject({ type: "run-end", status: "timed-out", at: 1_000 });
  });

  it("is not undone by a task that would be retried or replaced", async () => {
    const { bosun, clock, model } = scene(() => ({ text: "late", delayMs: 5_000 }), { auto: true });
    const tasks = [
      job("a", { onError: "retry", retries: 5 }),
      job("b", { onError: job("instead") }),
      job("z", { onError: "partial" }),
    ];

    const error = await errorOf(
      crew({ name: "c", tasks, process: "parallel", timeoutMs: 1_000, bosun }).kickoff(),
    );

    expect(error.code).toBe("run/timed-out");
    expect(clock.now()).toBe(1_000);
    expect(model.requests).toHaveLength(3);
  });

  it("is over soon after its limit also when nothing listens to its end", async () => {
    const { bosun, clock } = scene([], { auto: true, models: { deaf } });
    const tasks = [1, 2, 3].map((n) =>
      job(`t${n}`, { agent: worker(`Deaf ${n}`, { model: "deaf" }) }),
    );

    const error = await errorOf(
      crew({ name: "c", tasks, process: "parallel", timeoutMs: 1_000, bosun }).kickoff(),
    );

    expect(error.code).toBe("run/timed-out");
    expect(clock.now()).toBeLessThanOrEqual(1_100);
  });
});

describe("the time of a tool", () => {
  const told = /^Error: .*hangs.*2000 ms/s;

  it("ends a tool that never returns, and the model goes on", async () => {
    const { bosun, clock, model } = scene([callsHangs, "without it"]);
    const stuck = job("t", { agent: worker("W", { tools: [hangs] }) });

    const running = crew({ name: "c", tasks: [stuck], bosun }).kickoff();
    await settle();
    await clock.advance(2_000);
    const result = await running;

    expect(result.raw).toBe("without it");
    expect(model.requests[1]?.messages.at(-1)?.content).toMatch(told);
  });

  it("ends it too in virtual time that jumps by itself", async () => {
    const { bosun, clock, model } = scene([callsHangs, "without it"], { auto: true });
    const stuck = job("t", { agent: worker("W", { tools: [hangs] }) });

    const result = await crew({ name: "c", tasks: [stuck], bosun }).kickoff();

    expect(result.raw).toBe("without it");
    expect(model.requests[1]?.messages.at(-1)?.content).toMatch(told);
    expect(clock.now()).toBe(2_000);
  }, 2_000);

  it("may be spent on the run's own virtual clock", async () => {
    const { bosun, clock } = scene([{ calls: [{ tool: "sleeps", arguments: {} }] }, "rested"], {
      auto: true,
    });
    const sleeps = tool({
      name: "sleeps",
      description: "Sleeps",
      parameters: z.object({}),
      run: async (_args, { signal }) => {
        await clock.sleep(500, signal);
        return "slept";
      },
    });

    const result = await crew({
      name: "c",
      tasks: [job("t", { agent: worker("W", { tools: [sleeps] }) })],
      bosun,
    }).kickoff();

    expect(result.raw).toBe("rested");
    expect(clock.now()).toBe(500);
  }, 2_000);
});

describe("a signal", () => {
  it("that was aborted before lets no model be called", async () => {
    const { bosun, model } = scene(() => "x");

    const error = await errorOf(
      crew({ name: "c", tasks: [job("a")], bosun }).kickoff({ signal: AbortSignal.abort() }),
    );

    expect(error.code).toBe("run/cancelled");
    expect(model.requests).toHaveLength(0);
    expect(partialResult(error)?.status).toBe("cancelled");
  });

  it("that aborts ends the run at once, with what was finished and the text that there was", async () => {
    const controller = new AbortController();
    const { bosun, clock } = scene(byTask({ a: "a text" }), { models: { talker } });
    const tasks = [job("a"), job("b", { agent: worker("Talker", { model: "talker" }) }), job("z")];

    const running = errorOf(
      crew({ name: "c", tasks, bosun }).kickoff({ signal: controller.signal }),
    );
    await settle();
    controller.abort();
    const error = await running;

    expect(error.code).toBe("run/cancelled");
    expect(clock.now()).toBe(0);
    const partial = partialResult(error);
    expect(partial?.status).toBe("cancelled");
    expect(Object.values(partial?.tasks ?? {}).map(({ status }) => status)).toEqual([
      "done",
      "cancelled",
      "cancelled",
    ]);
    expect(partial?.tasks["b"]?.raw).toBe("half an answer");
  });

  it("reaches a tool that runs", async () => {
    const controller = new AbortController();
    const seen: unknown[] = [];
    const waits = tool({
      name: "waits",
      description: "Waits",
      parameters: z.object({}),
      run: async (_args, { signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        seen.push(signal.aborted);
        throw signal.reason;
      },
    });
    const { bosun } = scene(() => ({ calls: [{ tool: "waits", arguments: {} }] }));

    const running = errorOf(
      crew({
        name: "c",
        tasks: [job("a", { agent: worker("W", { tools: [waits] }) })],
        bosun,
      }).kickoff({
        signal: controller.signal,
      }),
    );
    await settle();
    controller.abort();
    const error = await running;

    expect(error.code).toBe("run/cancelled");
    expect(seen).toEqual([true]);
  });

  it("that aborts inside of a call of the model, in the same turn, ends the run", async () => {
    const controller = new AbortController();
    const { bosun } = scene(
      () => {
        controller.abort();
        return NEVER;
      },
      { auto: true },
    );

    const error = await errorOf(
      crew({ name: "c", tasks: [job("a")], bosun }).kickoff({ signal: controller.signal }),
    );

    expect(error.code).toBe("run/cancelled");
  }, 2_000);

  it("that aborts after the end changes nothing", async () => {
    const controller = new AbortController();
    const { bosun } = scene(() => "x");

    const { events } = await eventsOf(
      crew({ name: "c", tasks: [job("a")], bosun }).stream({ signal: controller.signal }),
    );
    controller.abort();
    await settle();

    expect(only(events, "run-end")).toMatchObject([{ status: "done" }]);
  });
});
