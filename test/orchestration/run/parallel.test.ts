import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import {
  byTask,
  errorOf,
  eventsOf,
  gate,
  job,
  only,
  scene,
  settle,
  taskIn,
  worker,
} from "./scenario.ts";

const refusal = (): BosunError => new BosunError("model/bad-request", "the model refuses");

/** a and b begin at once; c needs a, d needs b, e needs c and d. */
function diamond() {
  const [a, b] = [job("a"), job("b")];
  const c = job("c", { context: [a] });
  const d = job("d", { context: [b] });
  return [a, b, c, d, job("e", { context: [c, d] })] as const;
}

describe("a parallel crew", () => {
  it("starts each task the moment that its needs are done, while others still run", async () => {
    const gates = Object.fromEntries(
      ["a", "b", "c", "d", "e"].map((name) => [name, gate<string>()]),
    );
    const { bosun, model } = scene((request) => gates[taskIn(request)]?.promise ?? "");
    const began: string[][] = [];
    const open = async (name: string): Promise<void> => {
      gates[name]?.resolve(name);
      await settle();
      began.push(model.requests.map(taskIn));
    };

    const running = crew({ name: "c", tasks: diamond(), process: "parallel", bosun }).kickoff();
    await settle();
    began.push(model.requests.map(taskIn));
    for (const name of ["b", "d", "a", "c", "e"]) await open(name);
    await running;

    expect(began).toEqual([
      ["a", "b"],
      ["a", "b", "d"],
      ["a", "b", "d"],
      ["a", "b", "d", "c"],
      ["a", "b", "d", "c", "e"],
      ["a", "b", "d", "c", "e"],
    ]);
  });

  it("starts tasks that become ready together in the order of the crew (R2)", async () => {
    const root = job("root");
    const tasks = [...["d", "b", "a", "c"].map((name) => job(name, { context: [root] })), root];
    const { bosun, model } = scene((request) => taskIn(request));

    await crew({ name: "c", tasks, process: "parallel", bosun }).kickoff();

    expect(model.requests.map(taskIn)).toEqual(["root", "d", "b", "a", "c"]);
  });

  it("keeps the crew's order in its results, however the tasks end", async () => {
    const gates = Object.fromEntries(["a", "b", "c"].map((name) => [name, gate<string>()]));
    const { bosun } = scene((request) => gates[taskIn(request)]?.promise ?? "");

    const running = crew({
      name: "c",
      tasks: [job("a"), job("b"), job("c")],
      process: "parallel",
      bosun,
    }).kickoff();
    for (const name of ["c", "b", "a"]) {
      await settle();
      gates[name]?.resolve(`text of ${name}`);
    }
    const result = await running;

    expect(Object.keys(result.tasks)).toEqual(["a", "b", "c"]);
    expect(result.raw).toBe("text of c");
  });

  it("runs a hundred tasks at once", async () => {
    const opened = gate<string>();
    const tasks = Array.from({ length: 100 }, (_, n) => job(`t${n}`));
    const { bosun, model } = scene(() => opened.promise);

    const running = crew({ name: "c", tasks, process: "parallel", bosun }).kickoff();
    await settle();
    const atOnce = model.requests.length;
    opened.resolve("x");
    const result = await running;

    expect(atOnce).toBe(100);
    expect(result.status).toBe("done");
  });

  it("causes no warning about listeners in a long run", async () => {
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", onWarning);
    const { bosun } = scene(() => "x");

    await crew({
      name: "c",
      tasks: Array.from({ length: 60 }, (_, n) => job(`t${n}`)),
      bosun,
    }).kickoff();
    await settle();
    process.off("warning", onWarning);

    expect(warnings).toEqual([]);
  });
});

describe("the policy fail-fast", () => {
  it("cancels what runs and what waits, and throws with what was finished", async () => {
    const gates = { failing: gate<string>(), slow: gate<string>() };
    const done = job("done");
    const { bosun, model } = scene(
      byTask({
        done: "finished text",
        failing: async () => {
          await gates.failing.promise;
          return refusal();
        },
        slow: () => gates.slow.promise,
      }),
    );
    const failing = job("failing");
    const tasks = [done, failing, job("slow"), job("later", { context: [failing] })] as const;

    const running = errorOf(crew({ name: "c", tasks, process: "parallel", bosun }).kickoff());
    await settle();
    gates.failing.resolve("");
    const error = await running;

    expect(error.code).toBe("model/bad-request");
    expect(error.message).toContain("the model refuses");
    const partial = partialResult(error);
    expect(partial).toMatchObject({ status: "failed" });
    expect(
      Object.entries(partial?.tasks ?? {}).map(([name, { status }]) => [name, status]),
    ).toEqual([
      ["done", "done"],
      ["failing", "failed"],
      ["slow", "cancelled"],
      ["later", "cancelled"],
    ]);
    expect(partial?.tasks["done"]).toMatchObject({ raw: "finished text", output: "finished text" });
    expect(partial?.tasks["failing"]).toMatchObject({
      error: { code: "model/bad-request" },
      attempts: 1,
    });
    expect(partial?.tasks["later"]).toMatchObject({
      attempts: 0,
      timings: { startedAt: undefined },
    });
    expect(model.requests.map(taskIn)).toEqual(["done", "failing", "slow"]);
  });

  it("aborts the calls of the tasks that it cancels, and keeps their text", async () => {
    const failing = gate<string>();
    const never = new Promise<never>(() => undefined);
    let isSlowAborted = false;
    const { clock, bosun } = scene([], {
      models: {
        failing: {
          // oxlint-disable-next-line require-yield -- a model that fails before it says anything
          async *call() {
            await failing.promise;
            throw refusal();
          },
          contextTokens: async () => undefined,
        },
        slow: {
          async *call(_request, signal) {
            yield { type: "start", endpoint: "e", model: "m", attempt: 1 };
            yield { type: "text-delta", text: "half an ans" };
            try {
              await Promise.race([
                never,
                new Promise((_, reject) =>
                  signal.addEventListener("abort", () => reject(signal.reason)),
                ),
              ]);
            } catch {
              isSlowAborted = true;
              throw new BosunError("model/cancelled", "cancelled", {
                details: { text: "half an ans" },
              });
            }
          },
          contextTokens: async () => undefined,
        },
      },
    });
    const tasks = [
      job("failing", { agent: worker("F", { model: "failing" }) }),
      job("slow", { agent: worker("S", { model: "slow" }) }),
    ];

    const running = errorOf(crew({ name: "c", tasks, process: "parallel", bosun }).kickoff());
    await settle();
    failing.resolve("");
    const error = await running;

    expect(isSlowAborted).toBe(true);
    expect(partialResult(error)?.tasks["slow"]).toMatchObject({
      status: "cancelled",
      raw: "half an ans",
    });
    expect(clock.now()).toBe(0);
  });

  it("is the default of a sequential crew too: what comes after a failure never starts", async () => {
    const { bosun, model } = scene(byTask({ a: "fine", b: refusal(), c: "never" }));

    const error = await errorOf(
      crew({ name: "c", tasks: [job("a"), job("b"), job("c")], bosun }).kickoff(),
    );

    expect(model.requests.map(taskIn)).toEqual(["a", "b"]);
    expect(partialResult(error)?.tasks["a"]).toMatchObject({ status: "done", raw: "fine" });
    expect(partialResult(error)?.tasks["c"]?.status).toBe("cancelled");
  });
});

describe("the policy continue", () => {
  it("goes on with what does not depend on the failed task, and returns a partial result", async () => {
    const { bosun } = scene(byTask({ a: refusal(), b: "b text", d: "d text" }));

    const result = await crew({
      name: "c",
      tasks: diamond(),
      process: "parallel",
      policy: "continue",
      bosun,
    }).kickoff();

    expect(result.status).toBe("partial");
    const statuses = Object.fromEntries(
      Object.entries(result.tasks).map(([name, { status }]) => [name, status]),
    );
    expect(statuses).toEqual({ a: "failed", b: "done", c: "cancelled", d: "done", e: "cancelled" });
    expect(result.tasks.a.output).toBeUndefined();
    expect(result.tasks.a.error).toMatchObject({ code: "model/bad-request" });
    expect(result.tasks.c.error).toMatchObject({ code: "task/cancelled" });
    expect(result.tasks.c.error?.message).toContain("a gave no output");
    expect(result.tasks.d.output).toBe("d text");
  });

  it("lets later tasks of a sequential crew see what there is", async () => {
    const { bosun, model } = scene(byTask({ a: "a text", b: refusal(), c: "c text" }));

    const result = await crew({
      name: "c",
      tasks: [job("a"), job("b"), job("c")],
      policy: "continue",
      bosun,
    }).kickoff();

    expect(result).toMatchObject({ status: "partial", raw: "c text" });
    expect(model.requests.at(-1)?.messages[1]?.content).toContain("a text");
  });

  it("throws when no task has an output", async () => {
    const { bosun } = scene(() => refusal());

    const error = await errorOf(
      crew({
        name: "c",
        tasks: [job("a"), job("b")],
        process: "parallel",
        policy: "continue",
        bosun,
      }).kickoff(),
    );

    expect(error.code).toBe("model/bad-request");
    expect(partialResult(error)?.status).toBe("failed");
  });

  it("cancels the dependants of dependants and says for each what was missing", async () => {
    const a = job("a");
    const b = job("b", { context: [a] });
    const c = job("c", { context: [b] });
    const { bosun } = scene(byTask({ a: refusal(), free: "x" }));

    const { events } = await eventsOf(
      crew({
        name: "c",
        tasks: [a, b, c, job("free")],
        process: "parallel",
        policy: "continue",
        bosun,
      }).stream(),
    );

    const ends = only(events, "task-end").map(({ task, status, error }) => [
      task,
      status,
      error?.message,
    ]);
    expect(ends).toEqual(
      expect.arrayContaining([
        ["b", "cancelled", expect.stringContaining("a gave no output")],
        ["c", "cancelled", expect.stringContaining("b gave no output")],
      ]),
    );
    expect(only(events, "task-start").map(({ task }) => task)).toEqual(["a", "free"]);
  });
});
