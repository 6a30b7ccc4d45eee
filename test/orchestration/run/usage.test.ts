import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import { addUsage, NO_USAGE, type Usage } from "../../../src/inference/model/usage.ts";
import { partialResult, type RunResult } from "../../../src/orchestration/run/result.ts";
import { byTask, costing, eventsOf, job, only, scene, worker } from "./scenario.ts";
import { randomRun } from "./random-run.ts";

const SEEDS = Array.from({ length: 300 }, (_, n) => n + 1);

const sum = (usages: readonly Usage[]): Usage => usages.reduce(addUsage, NO_USAGE);

const speaking = () => ({ deltas: ["a", "b"], usage: costing(10, 2) });

async function resultOf(seed: number): Promise<{
  readonly result: RunResult;
  readonly spent: ReturnType<typeof randomRun>["spent"];
}> {
  const { crew: made, spent, controller } = randomRun(seed, { cancels: true });
  const result = await made.kickoff({ signal: controller.signal }).catch((error: unknown) => {
    const partial = partialResult(error);
    if (partial) return partial;
    throw error;
  });
  return { result, spent };
}

describe("usage", () => {
  it("is in every run the sum of what the calls cost: of the run, of its agents, of its tasks", async () => {
    for (const seed of SEEDS) {
      const { result, spent } = await resultOf(seed);
      const total = sum(spent.map(({ usage }) => usage));

      expect(result.usage, `run of seed ${seed}`).toEqual(total);
      expect(
        sum(Object.values(result.agents).map(({ usage }) => usage)),
        `agents of ${seed}`,
      ).toEqual(total);
      expect(
        sum(Object.values(result.tasks).map(({ usage }) => usage)),
        `tasks of ${seed}`,
      ).toEqual(total);
    }
  });

  it("is each agent's own, in every run", async () => {
    for (const seed of SEEDS) {
      const { result, spent } = await resultOf(seed);
      for (const [name, { usage }] of Object.entries(result.agents)) {
        const own = spent.filter(({ agent }) => agent === name).map((one) => one.usage);
        expect(usage, `${name} of seed ${seed}`).toEqual(sum(own));
      }
    }
  });

  it("is not multiplied by the agents that share one model", async () => {
    const { bosun } = scene(() => ({ text: "x", usage: costing(10) }));
    const tasks = Array.from({ length: 8 }, (_, n) => job(`t${n}`, { agent: worker(`w${n}`) }));

    const result = await crew({ name: "c", tasks, process: "parallel", bosun }).kickoff();

    expect(result.usage.input.total).toBe(80);
    expect(
      Object.values(result.agents).map(({ usage, calls }) => [usage.input.total, calls]),
    ).toEqual(Array.from({ length: 8 }, () => [10, 1]));
  });

  it("is the same when the run is streamed", async () => {
    const first = scene(speaking);
    const second = scene(speaking);

    const kicked = await crew({
      name: "c",
      tasks: [job("a"), job("b")],
      bosun: first.bosun,
    }).kickoff();
    const stream = crew({ name: "c", tasks: [job("a"), job("b")], bosun: second.bosun }).stream();
    let last = await stream.next();
    while (!last.done) last = await stream.next();

    expect(last.value.usage).toEqual(kicked.usage);
    expect(last.value.agents).toEqual(kicked.agents);
  });

  it("of a retried call is in an event and in the sums", async () => {
    const { bosun } = scene((_request, index) =>
      index === 0
        ? new BosunError("model/server", "broke", {
            retryable: true,
            details: { usage: costing(5) },
          })
        : { text: "x", usage: costing(7) },
    );

    const { events } = await eventsOf(crew({ name: "c", tasks: [job("a")], bosun }).stream());
    const { bosun: again } = scene((_request, index) =>
      index === 0
        ? new BosunError("model/server", "broke", {
            retryable: true,
            details: { usage: costing(5) },
          })
        : { text: "x", usage: costing(7) },
    );
    const result = await crew({ name: "c", tasks: [job("a")], bosun: again }).kickoff();

    expect(only(events, "model-retry")).toMatchObject([
      { call: 1, code: "model/server", usage: costing(5) },
    ]);
    expect(only(events, "model-start").map(({ call }) => call)).toEqual([1, 2]);
    expect(result.usage.input.total).toBe(12);
    expect(result.agents["agent of a"]).toMatchObject({ calls: 1, retries: 1 });
  });

  it("of a task that failed is in the partial result", async () => {
    const { bosun } = scene(
      byTask({
        a: new BosunError("model/bad-request", "no", { details: { usage: costing(9) } }),
        b: { text: "x", usage: costing(1) },
      }),
    );

    const result = await crew({
      name: "c",
      tasks: [job("a"), job("b")],
      policy: "continue",
      bosun,
    }).kickoff();

    expect(result.tasks.a.usage).toEqual(costing(9));
    expect(result.usage.input.total).toBe(10);
  });

  it("is counted for agents that are called like a member of every object", async () => {
    const { bosun } = scene(() => ({ text: "x", usage: costing(10) }));
    const names = ["constructor", "toString", "hasOwnProperty"];
    const tasks = names.map((name) => job(name, { agent: worker(name) }));

    const result = await crew({ name: "c", tasks, bosun }).kickoff();

    expect(result.usage.input.total).toBe(30);
    for (const name of names)
      expect(Object.hasOwn(result.agents, name) && result.agents[name]).toMatchObject({
        calls: 1,
        usage: costing(10),
      });
  });
});
