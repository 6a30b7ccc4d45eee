import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import type { Model } from "../../../src/inference/model/model.ts";
import type { RunEvent } from "../../../src/orchestration/run/event.ts";
import { applyEvent, applyEvents, EMPTY_RUN } from "../../../src/orchestration/run/state.ts";
import { randomRun } from "./random-run.ts";
import { costing, eventsOf, job, only, scene, withoutTimes, worker } from "./scenario.ts";

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

  it("fold together to what they fold to one by one, and leave every earlier state as it was", async () => {
    for (const seed of SEEDS.slice(0, 60)) {
      const events = await streamOf(seed);
      const half = Math.floor(events.length / 2);
      const first = applyEvents(EMPTY_RUN, events.slice(0, half));
      const before = structuredClone(first);
      const all = applyEvents(first, events.slice(half));

      expect(first).toEqual(before);
      expect(all).toEqual(events.reduce(applyEvent, EMPTY_RUN));
      expect(EMPTY_RUN).toMatchObject({ tasks: {}, agents: {} });
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

  it("tell nothing of a call after its end, also when its model ignores its signal and speaks on", async () => {
    const late: Model = {
      async *call() {
        yield { type: "start", endpoint: "e", model: "m", attempt: 1 };
        await clock.sleep(2_000, new AbortController().signal);
        yield { type: "text-delta", text: "too late" };
        yield {
          type: "retry",
          attempt: 1,
          afterMs: 0,
          code: "x",
          message: "m",
          usage: costing(1_000),
        };
        yield { type: "start", endpoint: "e", model: "m", attempt: 2 };
      },
      contextTokens: async () => undefined,
    };
    const { bosun, clock } = scene(() => ({ text: "x", delayMs: 5_000, usage: costing(1) }), {
      auto: true,
      models: { late },
    });
    const slow = job("slow", { timeoutMs: 1_000, agent: worker("Late", { model: "late" }) });

    const { events } = await eventsOf(
      crew({
        name: "c",
        tasks: [slow, job("other")],
        process: "parallel",
        policy: "continue",
        bosun,
      }).stream(),
    );

    const ofSlow = events.filter(({ path }) => path[0] === "task:slow").map(({ type }) => type);
    expect(ofSlow).toEqual(["task-start", "model-start", "model-end", "task-end"]);
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
