import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import type { RunEvent } from "../../../src/orchestration/run/event.ts";
import { applyEvent, EMPTY_RUN } from "../../../src/orchestration/run/state.ts";
import { randomRun } from "./random-run.ts";
import {
  byTask,
  eventsOf,
  gate,
  job,
  only,
  scene,
  settle,
  withoutTimes,
  worker,
} from "./scenario.ts";

const SEEDS = Array.from({ length: 200 }, (_, n) => n + 1_001);

async function streamOf(seed: number): Promise<readonly RunEvent[]> {
  const { crew: made, controller } = randomRun(seed, { cancels: true });
  const { events } = await eventsOf(made.stream({ signal: controller.signal }));
  return events;
}

const keyOf = ({ path }: RunEvent): string => path.join("/");

describe("the events of any run", () => {
  it("begin with run-start, end with run-end, and nothing is yielded after it (R3)", async () => {
    for (const seed of SEEDS) {
      const types = (await streamOf(seed)).map(({ type }) => type);
      expect(types[0], `seed ${seed}`).toBe("run-start");
      expect(types.at(-1), `seed ${seed}`).toBe("run-end");
      expect(types.filter((type) => type === "run-start" || type === "run-end")).toHaveLength(2);
    }
  });

  it("are numbered from 1 without a gap, deltas with the number of the fact before them", async () => {
    for (const seed of SEEDS) {
      let last = 0;
      for (const event of await streamOf(seed)) {
        if (event.type !== "model-delta") last++;
        expect(event.seq, `seed ${seed}`).toBe(last);
      }
    }
  });

  it("differ in (path, type, attempt, n)", async () => {
    for (const seed of SEEDS) {
      const facts = (await streamOf(seed)).filter(({ type }) => type !== "model-delta");
      const keys = facts.map((event) =>
        [keyOf(event), event.type, event.attempt, event.n].join(" "),
      );
      expect(new Set(keys).size, `seed ${seed}`).toBe(keys.length);
    }
  });

  it("end each task exactly once, after its last start and after all of its calls", async () => {
    for (const seed of SEEDS) {
      const events = await streamOf(seed);
      const [start] = only(events, "run-start");
      for (const { name } of start?.tasks ?? []) {
        const ends = only(events, "task-end").filter(({ task }) => task === name);
        expect(ends, `${name} of seed ${seed}`).toHaveLength(1);
        const after = events.slice(events.findIndex((event) => event === ends[0]) + 1);
        const isOwn = ({ path: [first = ""] }: RunEvent): boolean =>
          first.replace(/~\d+$/, "") === `task:${name}`;
        expect(after.filter(isOwn), `${name} of seed ${seed}`).toEqual([]);
      }
    }
  });

  it("hold a model's deltas between its start and its end, and end each started call once", async () => {
    for (const seed of SEEDS) {
      const open = new Set<string>();
      const wrong: string[] = [];
      for (const event of await streamOf(seed)) {
        const key = keyOf(event);
        if (event.type === "model-start") open.add(key);
        if (event.type === "model-delta" && !open.has(key)) wrong.push(`delta of ${key}`);
        if (event.type === "model-end" && !open.delete(key)) wrong.push(`end of ${key}`);
      }
      expect({ wrong, open: [...open] }, `seed ${seed}`).toEqual({ wrong: [], open: [] });
    }
  });

  it("end each tool that was started, unless the run was ended amid it", async () => {
    for (const seed of SEEDS) {
      const events = await streamOf(seed);
      const isDone = only(events, "run-end")[0]?.status === "done";
      const started = only(events, "tool-start").map(keyOf).toSorted();
      const ended = only(events, "tool-end").map(keyOf).toSorted();
      expect(started, `seed ${seed}`).toEqual(expect.arrayContaining(ended));
      expect(isDone ? ended : started, `seed ${seed}`).toEqual(started);
    }
  });

  it("never start a task before its needs have an output (R2)", async () => {
    for (const seed of SEEDS) {
      const { crew: made, controller } = randomRun(seed, { cancels: true });
      const { events } = await eventsOf(made.stream({ signal: controller.signal }));
      const ended = new Map<string, string>();
      for (const event of events) {
        if (event.type === "task-end") ended.set(event.task, event.status);
        if (event.type !== "task-start") continue;
        const context = made.tasks.find(({ name }) => name === event.task)?.context ?? [];
        for (const need of context)
          expect(["done", "partial"], `${event.task} of ${seed}`).toContain(ended.get(need.name));
      }
    }
  });

  it("are the same for the same script, apart from times and ids (R4)", async () => {
    for (const seed of SEEDS.slice(0, 60)) {
      const [first, second] = [await streamOf(seed), await streamOf(seed)];
      expect(second.map(withoutTimes), `seed ${seed}`).toEqual(first.map(withoutTimes));
    }
  });

  it("fold to what the result says", async () => {
    for (const seed of SEEDS.slice(0, 60)) {
      const events = await streamOf(seed);
      const state = events.reduce(applyEvent, EMPTY_RUN);
      const end = only(events, "run-end")[0];
      expect(state).toMatchObject({ status: end?.status, raw: end?.raw });
      expect(Object.values(state.tasks).map(({ status }) => status)).not.toContain("running");
    }
  });

  it("have the attempt of a task that is repeated", async () => {
    const { bosun } = scene((request) => (request.hints.path[0] === "task:a" ? "" : "x"));

    const { events } = await eventsOf(
      crew({ name: "c", tasks: [job("a", { onError: "retry" })], bosun }).stream(),
    );

    expect(only(events, "task-start").map(({ attempt, path }) => [attempt, path])).toEqual([
      [1, ["task:a"]],
      [2, ["task:a~2"]],
    ]);
    expect(only(events, "task-retry").map(({ attempt }) => attempt)).toEqual([2]);
  });

  it("come from runs of every kind, so that the properties above mean something", async () => {
    const seen = new Set<string>();
    for (const seed of SEEDS)
      for (const event of await streamOf(seed)) {
        seen.add(event.type);
        if (event.type === "run-end") seen.add(`run ${event.status}`);
        if (event.type === "task-end") seen.add(`task ${event.status}`);
        if (event.type === "model-end") seen.add(`model ${event.status}`);
      }
    expect([...seen]).toEqual(
      expect.arrayContaining([
        "run done",
        "run partial",
        "run failed",
        "run cancelled",
        "task done",
        "task partial",
        "task failed",
        "task cancelled",
        "model done",
        "model failed",
        "model cancelled",
        "task-retry",
        "model-retry",
        "model-fallback",
        "tool-end",
        "model-delta",
      ]),
    );
  });
});

describe("stream", () => {
  it("starts nothing before it is read", async () => {
    const { bosun, model } = scene(() => "x");

    const stream = crew({ name: "c", tasks: [job("a")], bosun }).stream();
    await settle();
    const before = model.requests.length;
    const { events } = await eventsOf(stream);

    expect(before).toBe(0);
    expect(events.length).toBeGreaterThan(3);
  });

  it("returns the result at its end", async () => {
    const { bosun } = scene(() => "the answer");
    const stream = crew({ name: "c", tasks: [job("a")], bosun }).stream();

    let step = await stream.next();
    while (!step.done) step = await stream.next();

    expect(step.value).toMatchObject({ status: "done", raw: "the answer" });
  });

  it("yields an event as soon as it has happened, not at the end (R1)", async () => {
    const opened = gate<string>();
    const { bosun } = scene(byTask({ a: "a text", b: () => opened.promise }));
    const seen: string[] = [];

    const reading = (async () => {
      for await (const event of crew({ name: "c", tasks: [job("a"), job("b")], bosun }).stream())
        seen.push(event.type === "task-end" ? `task-end ${event.task}` : event.type);
    })();
    await settle();
    const early = [...seen];
    opened.resolve("b text");
    await reading;

    expect(early).toContain("task-end a");
    expect(early.at(-1)).toBe("model-start");
    expect(seen.at(-1)).toBe("run-end");
  });

  it("gives each piece of an answer to a reader that keeps up, and the whole text in order", async () => {
    const pieces = Array.from({ length: 500 }, (_, n) => `${n} `);
    const { bosun } = scene(() => ({ deltas: pieces }));

    const { events } = await eventsOf(crew({ name: "c", tasks: [job("a")], bosun }).stream());

    expect(
      only(events, "model-delta")
        .map(({ text }) => text)
        .join(""),
    ).toBe(pieces.join(""));
  });

  it("merges the pieces for a slow reader and loses no text", async () => {
    const pieces = Array.from({ length: 5_000 }, (_, n) => `${n} `);
    const { bosun } = scene(() => ({ deltas: pieces }));
    const events: RunEvent[] = [];

    for await (const event of crew({ name: "c", tasks: [job("a"), job("b")], bosun }).stream()) {
      events.push(event);
      await settle();
    }

    const deltas = only(events, "model-delta");
    for (const name of ["a", "b"]) {
      const own = deltas.filter(({ path }) => path[0] === `task:${name}`);
      expect(own.map(({ text }) => text).join("")).toBe(pieces.join(""));
    }
    expect(deltas.length).toBeLessThan(100);
  });

  it("merges them also when two tasks speak at once", async () => {
    const count = 2_000;
    const { bosun } = scene([], {
      models: {
        chatty: {
          async *call() {
            yield { type: "start", endpoint: "e", model: "m", attempt: 1 };
            for (let n = 0; n < count; n++) {
              await Promise.resolve();
              yield { type: "text-delta", text: "word " };
            }
            yield {
              type: "end",
              text: "word ".repeat(count),
              reasoning: "",
              calls: [],
              finish: { unified: "stop", raw: "stop" },
              usage: {
                input: { total: 1, cached: undefined },
                output: { total: 1, reasoning: undefined },
                source: "server",
              },
              timings: { queueMs: 0, firstTokenMs: 0, totalMs: 0 },
              endpoint: "e",
              model: "m",
            };
          },
          contextTokens: async () => undefined,
        },
      },
    });
    const tasks = ["a", "b"].map((name) => job(name, { agent: worker(name, { model: "chatty" }) }));
    const events: RunEvent[] = [];

    for await (const event of crew({ name: "c", tasks, process: "parallel", bosun }).stream()) {
      events.push(event);
      if (events.length < 20) await settle();
    }

    const deltas = only(events, "model-delta");
    for (const name of ["a", "b"])
      expect(
        deltas
          .filter(({ path }) => path[0] === `task:${name}`)
          .map(({ text }) => text)
          .join(""),
      ).toBe("word ".repeat(count));
    expect(deltas.length).toBeLessThan(200);
  });

  it("that is left cancels the run and waits for its end", async () => {
    const { bosun, model } = scene(
      byTask({ a: "x", b: () => new Promise<never>(() => undefined) }),
    );
    let aborted: boolean | undefined;

    for await (const event of crew({
      name: "c",
      tasks: [job("a"), job("b"), job("z")],
      bosun,
    }).stream())
      if (event.type === "model-start" && event.path[0] === "task:b") break;
    aborted = model.requests.some((request) => request.hints.path[0] === "task:z");

    expect(aborted).toBe(false);
  });

  it("ends also when an error comes before the first event", async () => {
    const named = worker("A", { name: "{who} of the crew" });
    const { bosun } = scene(() => "x");

    const { events, error } = await eventsOf(
      crew({ name: "c", tasks: [job("a", { agent: named })], bosun }).stream(),
    );

    expect(error).toMatchObject({ code: "crew/input-missing" });
    expect(events).toEqual([]);
  }, 2_000);
});
