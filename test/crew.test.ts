import { describe, expect, it } from "vitest";
import { crew } from "../src/crew.ts";
import { BosunError } from "../src/error.ts";
import { agent } from "../src/orchestration/crew/agent.ts";
import { task } from "../src/orchestration/crew/task.ts";
import { partialResult } from "../src/orchestration/run/result.ts";
import type { Script } from "../src/test/scripted-model.ts";
import {
  byTask,
  errorOf,
  gate,
  job,
  promptOf,
  scene,
  settle,
} from "./orchestration/run/scenario.ts";

const echoing = task({
  name: "echo",
  description: "Say {word}",
  expectedOutput: "e",
  agent: agent({ role: "Echo", goal: "Echo" }),
});
const wordOf = (request: Parameters<typeof promptOf>[0]): string =>
  /Say (\S+)/.exec(promptOf(request))?.[1] ?? "";
const echoCrew = (script: Script) => {
  const { bosun, model, clock } = scene(script);
  return { model, clock, made: crew({ name: "c", tasks: [echoing], bosun }) };
};
const items = (...words: readonly string[]) => words.map((word) => ({ word }));

async function* oneThenNever() {
  yield { word: "one" };
  await new Promise<never>(() => undefined);
}

async function* oneThenBroken() {
  yield { word: "one" };
  throw new Error("the file is broken");
}

describe("kickoff", () => {
  it("returns what was done: raw, status, tasks in order, agents, usage, timings, its id", async () => {
    const { bosun, clock } = scene(
      byTask({ a: { text: "a text", delayMs: 100 }, b: { text: "b text", delayMs: 50 } }),
      { auto: true },
    );

    const result = await crew({ name: "c", tasks: [job("a"), job("b")], bosun }).kickoff({
      runId: "my-id",
    });

    expect(result).toMatchObject({
      runId: "my-id",
      status: "done",
      raw: "b text",
      timings: { startedAt: 0, endedAt: 150, durationMs: 150 },
      tasks: {
        a: {
          status: "done",
          output: "a text",
          raw: "a text",
          agent: "agent of a",
          attempts: 1,
          timings: { startedAt: 0, endedAt: 100, durationMs: 100 },
        },
        b: { timings: { startedAt: 100, endedAt: 150, durationMs: 50 } },
      },
      agents: { "agent of a": { calls: 1, busyMs: 100 }, "agent of b": { calls: 1, busyMs: 50 } },
    });
    expect(result.error).toBeUndefined();
    expect(Object.keys(result.tasks)).toEqual(["a", "b"]);
    expect(clock.now()).toBe(150);
  });

  it("can be repeated: nothing of a run is left in the crew", async () => {
    const { bosun, model } = scene(byTask({ a: "a text", b: "b text" }));
    const made = crew({ name: "c", tasks: [job("a"), job("b")], bosun });

    const first = await made.kickoff();
    const second = await made.kickoff();

    expect(second.usage).toEqual(first.usage);
    expect(model.requests[2]?.messages).toEqual(model.requests[0]?.messages);
    expect(first.runId).not.toBe(second.runId);
  });

  it("throws for every end that is not done or partial, with the result as partial", async () => {
    const { bosun } = scene(
      byTask({
        a: "a text",
        b: new BosunError("model/bad-request", "no", { details: { text: "half" } }),
      }),
    );

    const error = await errorOf(crew({ name: "c", tasks: [job("a"), job("b")], bosun }).kickoff());

    expect(error).toMatchObject({ code: "model/bad-request", details: { status: "failed" } });
    expect(error.message).toMatch(/1 of 2 tasks done/);
    const partial = partialResult(error);
    expect(partial).toMatchObject({
      status: "failed",
      raw: "half",
      error: { code: "model/bad-request" },
    });
    expect(partial?.tasks["b"]).toMatchObject({ status: "failed", raw: "half", output: undefined });
  });

  it("runs tasks that are called like a member of every object", async () => {
    const { bosun } = scene(() => "x");
    const names = ["constructor", "toString", "__proto__", "hasOwnProperty"] as const;

    const result = await crew({
      name: "c",
      tasks: names.map((name) => job(name)),
      bosun,
    }).kickoff();

    expect(Object.keys(result.tasks)).toEqual([...names]);
    for (const name of names)
      expect(Object.getOwnPropertyDescriptor(result.tasks, name)?.value, name).toMatchObject({
        status: "done",
        raw: "x",
      });
  });

  it("gives plain data, which JSON can carry", async () => {
    const { bosun } = scene(() => "x");

    const result = await crew({ name: "c", tasks: [job("a")], bosun }).kickoff();

    expect(structuredClone(result)).toEqual(result);
    expect(JSON.parse(JSON.stringify(result))).toMatchObject({
      status: "done",
      raw: "x",
      tasks: { a: { output: "x" } },
    });
  });
});

describe("partialResult", () => {
  it("is undefined for an error that no run ended with", () => {
    for (const error of [
      new BosunError("usage", "m"),
      new Error("m"),
      undefined,
      "x",
      { partial: {} },
    ])
      expect(partialResult(error)).toBeUndefined();
  });
});

describe("kickoffForEach", () => {
  it("gives its results in the order of the items, however they end", async () => {
    const gates = new Map(["a", "b", "c"].map((word) => [word, gate<string>()]));
    const { made } = echoCrew((request) => gates.get(wordOf(request))?.promise ?? "");

    const running = made.kickoffForEach(items("a", "b", "c"));
    for (const word of ["c", "a", "b"]) {
      await settle();
      gates.get(word)?.resolve(`said ${word}`);
    }
    const results = await running;

    expect(
      results.map((one) => [one.index, one.item.word, one.type === "done" && one.result.raw]),
    ).toEqual([
      [0, "a", "said a"],
      [1, "b", "said b"],
      [2, "c", "said c"],
    ]);
  });

  it("runs as many at once as it is told, and the next one when one has ended", async () => {
    const gates = new Map(["a", "b", "c", "d", "e"].map((word) => [word, gate<string>()]));
    const { made, model } = echoCrew((request) => gates.get(wordOf(request))?.promise ?? "");
    const began = (): string => model.requests.map(wordOf).join("");
    const seen: string[] = [];

    const running = made.kickoffForEach(items(...gates.keys()), { concurrency: 2 });
    await settle();
    seen.push(began());
    for (const word of ["b", "a", "d", "c", "e"]) {
      gates.get(word)?.resolve(word);
      await settle();
      seen.push(began());
    }
    await running;

    expect(seen).toEqual(["ab", "abc", "abcd", "abcde", "abcde", "abcde"]);
  });

  it("runs four at once by default", async () => {
    const opened = gate<string>();
    const { made, model } = echoCrew(() => opened.promise);

    const running = made.kickoffForEach(items("a", "b", "c", "d", "e", "f", "g", "h"));
    await settle();
    const atOnce = model.requests.length;
    opened.resolve("x");
    const results = await running;

    expect(atOnce).toBe(4);
    expect(results).toHaveLength(8);
  });

  it("has an error for each item that failed and goes on with the others", async () => {
    const { made } = echoCrew((request) =>
      wordOf(request) === "bad" ? new BosunError("model/bad-request", "no") : wordOf(request),
    );
    const inputs = [{ word: "one" }, { word: "bad" }, {} as { word: string }, { word: "four" }];

    const results = await made.kickoffForEach(inputs, { concurrency: 1 });

    expect(results).toMatchObject([
      { type: "done", result: { raw: "one" } },
      { type: "failed", error: { code: "model/bad-request" } },
      { type: "failed", error: { code: "crew/input-missing" } },
      { type: "done", result: { raw: "four" } },
    ]);
  });

  it("pulls an async iterable only when there is room, and to its end", async () => {
    let [pulled, ended, most] = [0, 0, 0];
    async function* source() {
      for (let n = 0; n < 1_000; n++) {
        pulled++;
        most = Math.max(most, pulled - ended);
        yield { word: `${n}` };
      }
    }
    const { made } = echoCrew(async () => {
      await settle();
      ended++;
      return "x";
    });

    const results = await made.kickoffForEach(source(), { concurrency: 3 });

    expect(results).toHaveLength(1_000);
    expect(pulled).toBe(1_000);
    expect(most).toBe(3);
  }, 20_000);

  it("ends what runs when its signal aborts, pulls nothing more, and gives what there is", async () => {
    const controller = new AbortController();
    let pulled = 0;
    function* source() {
      for (;;) {
        pulled++;
        yield { word: `${pulled}` };
      }
    }
    const { made } = echoCrew((request) =>
      Number(wordOf(request)) <= 2 ? "quick" : new Promise<never>(() => undefined),
    );

    const running = made.kickoffForEach(source(), { concurrency: 2, signal: controller.signal });
    await settle();
    controller.abort();
    const results = await running;

    expect(pulled).toBe(4);
    expect(results).toMatchObject([
      { type: "done" },
      { type: "done" },
      { type: "failed", error: { code: "run/cancelled" } },
      { type: "failed", error: { code: "run/cancelled" } },
    ]);
  });

  it("ends when its signal aborts while it waits for the next item", async () => {
    const controller = new AbortController();
    const { made } = echoCrew(() => "x");

    const running = made.kickoffForEach(oneThenNever(), { signal: controller.signal });
    await settle();
    controller.abort();
    const results = await running;

    expect(results).toMatchObject([{ type: "done", item: { word: "one" } }]);
  }, 2_000);

  it("starts nothing when its signal was aborted before", async () => {
    const { made, model } = echoCrew(() => "x");

    const results = await made.kickoffForEach(items("a"), { signal: AbortSignal.abort() });

    expect(results).toEqual([]);
    expect(model.requests).toHaveLength(0);
  });

  it("gives an empty list for no items", async () => {
    const { made } = echoCrew(() => "x");

    expect(await made.kickoffForEach([])).toEqual([]);
  });

  it("ends its runs and rejects when the items themselves throw", async () => {
    const { made, model } = echoCrew(() => new Promise<never>(() => undefined));

    await expect(made.kickoffForEach(oneThenBroken())).rejects.toThrow("the file is broken");
    await settle();
    expect(model.requests.length).toBeLessThanOrEqual(1);
  }, 2_000);

  it.each([0, -1, 1.5, Number.NaN])("refuses a concurrency of %s", async (concurrency) => {
    const { made } = echoCrew(() => "x");

    const error = await errorOf(made.kickoffForEach(items("a"), { concurrency }));

    expect(error.message).toContain("concurrency");
  });
});
