import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import type { RunEvent } from "../../../src/orchestration/run/event.ts";
import { byTask, eventsOf, gate, job, only, scene, settle, worker } from "./scenario.ts";

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
