// Defects of CrewAI 1.15 that were read in its code, reproduced, or reported in its tracker (numbers with #). Each test does here
// what goes wrong there, and shows what happens instead.

import { describe, expect, it } from "vitest";
import { crew } from "../src/crew.ts";
import { task } from "../src/orchestration/crew/task.ts";
import { tool } from "../src/orchestration/tool/tool.ts";
import {
  byTask,
  costing,
  errorOf,
  eventsOf,
  gate,
  job,
  promptOf,
  requestsOf,
  scene,
  settle,
  thrownBy,
  worker,
} from "./orchestration/run/scenario.ts";
import { calling } from "./orchestration/run/team-scene.ts";

describe("CrewAI's retry budget lasts for an agent's lifetime; here", () => {
  it("every task of every run has all of its retries, on one agent object", async () => {
    const shared = worker("A");
    const { bosun } = scene(({ hints }) => (hints.path[0]?.includes("~") ? "second try" : ""));
    const tasks = ["a", "b", "c"].map((name) => job(name, { agent: shared, onError: "retry" }));
    const made = crew({ name: "c", tasks, bosun });

    for (let run = 0; run < 5; run++) {
      const result = await made.kickoff();
      expect(
        Object.values(result.tasks).map(({ status, attempts }) => `${status} ${attempts}`),
      ).toEqual(["done 2", "done 2", "done 2"]);
    }
  });
});

describe("CrewAI's time-out waits until the work has ended, or is ignored (#2379); here", () => {
  it("a task ends at its time, though its tool hears nothing and never ends", async () => {
    const began = gate();
    const stuck = tool({
      name: "stuck",
      description: "d",
      parameters: { type: "object" },
      run: () => {
        began.resolve();
        return new Promise<never>(() => undefined);
      },
    });
    const { bosun, clock } = scene([calling({ tool: "stuck", arguments: {} })]);
    const made = crew({
      name: "c",
      tasks: [job("a", { tools: [stuck], timeoutMs: 5_000 })],
      bosun,
    });

    const running = errorOf(made.kickoff());
    await began.promise;
    await clock.advance(5_100); // with the 50 ms that a step has to hand over what it has

    expect((await running).code).toBe("task/timed-out");
  });

  it("an agent's own time limit ends a model call that hangs, and aborts the call", async () => {
    const signals: AbortSignal[] = [];
    const { bosun, clock } = scene([], {
      models: {
        hanging: {
          async *call(_request, signal) {
            signals.push(signal);
            yield { type: "start", endpoint: "e", model: "m", attempt: 1 };
            await new Promise((_, reject) =>
              signal.addEventListener("abort", () => reject(signal.reason)),
            );
          },
          contextTokens: async () => undefined,
        },
      },
    });
    const hanging = worker("A", { model: "hanging", timeoutMs: 3_000 });

    const running = errorOf(
      crew({ name: "c", tasks: [job("a", { agent: hanging })], bosun }).kickoff(),
    );
    await settle();
    await clock.advance(3_100);

    expect((await running).code).toBe("task/timed-out");
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it("a task's unknown time option is an error, and not dropped in silence", () => {
    const error = thrownBy(() => job("a", { max_execution_time: 120 } as never));

    expect(error.code).toBe("crew/invalid");
    expect(error.message).toContain("timeoutMs");
  });
});

describe("CrewAI's for-each counts usage again and again, and is unbounded; here", () => {
  const items = Array.from({ length: 20 }, (_, n) => ({ word: `w${n}` }));
  const echo = task({
    name: "echo",
    description: "{word}",
    expectedOutput: "e",
    agent: worker("A"),
  });

  it("each result has its own usage, and their sum is what was paid", async () => {
    const { bosun } = scene(() => ({ text: "x", usage: costing(100, 7) }));

    const results = await crew({ name: "c", tasks: [echo], bosun }).kickoffForEach(items);

    const totals = results.map((one) => (one.type === "done" ? one.result.usage.input.total : -1));
    expect(totals).toEqual(items.map(() => 100));
  });

  it("at most four runs at once by default, however many items there are", async () => {
    const opened = gate<string>();
    const { bosun, model } = scene(() => opened.promise);

    const running = crew({ name: "c", tasks: [echo], bosun }).kickoffForEach(items);
    await settle();
    const atOnce = model.requests.length;
    opened.resolve("x");
    await running;

    expect(atOnce).toBe(4);
  });
});

describe("CrewAI's usage is that of a model object, times the agents that share it (#7259); here", () => {
  it("the usage is what the run's own calls cost, once each, run by run", async () => {
    const { bosun } = scene(() => ({ text: "x", usage: costing(100) }));
    const made = crew({ name: "c", tasks: [job("a"), job("b"), job("c")], bosun });

    const first = await made.kickoff();
    const second = await made.kickoff();

    expect(first.usage.input.total).toBe(300);
    expect(second.usage).toEqual(first.usage);
  });
});

describe("CrewAI's async tasks see nothing of what was done before them; here", () => {
  it("an async task without a context of its own sees the outputs that are there", async () => {
    const { bosun, model } = scene(byTask({ a: "a text", b: "b text", c: "c text" }));
    const tasks = [job("a"), job("b", { async: true }), job("c")];

    await crew({ name: "c", tasks, bosun }).kickoff();

    expect(promptOf(requestsOf(model, "b")[0])).toContain("## a\na text");
    expect(promptOf(requestsOf(model, "c")[0])).toContain("## b\nb text");
  });
});

describe("CrewAI's second async task on one agent crashes (#7332), and messages leak between tasks (#4389); here", () => {
  it("an agent does any number of tasks at once, each in a conversation of its own", async () => {
    const shared = worker("A");
    const opened = gate();
    const { bosun, model } = scene(async ({ hints }) => {
      await opened.promise;
      return `${hints.path[0]} is done`;
    });
    const tasks = ["a", "b", "c"].map((name) =>
      job(name, { agent: shared, async: true, context: [] }),
    );

    const running = crew({ name: "c", tasks, bosun }).kickoff();
    await settle();
    const atOnce = model.requests.length;
    opened.resolve();
    const result = await running;

    expect(atOnce).toBe(3);
    expect(Object.values(result.tasks).map(({ raw }) => raw)).toEqual(
      ["a", "b", "c"].map((name) => `task:${name} is done`),
    );
    for (const request of model.requests) expect(request.messages).toHaveLength(2);
  });
});

describe("CrewAI's tasks of one text collide in a copied crew; here", () => {
  it("they are told apart by name, and each context is the one that was meant", async () => {
    const text = { description: "Do it", expectedOutput: "A text", agent: worker("A") };
    const one = task({ name: "one", ...text });
    const two = task({ name: "two", ...text });
    const last = task({ name: "last", ...text, context: [one] });
    const { bosun, model } = scene(byTask({ one: "FIRST", two: "SECOND", last: "x" }));

    await crew({ name: "c", tasks: [one, two, last], bosun }).kickoffForEach([{}, {}]);

    for (const request of requestsOf(model, "last")) {
      expect(promptOf(request)).toContain("FIRST");
      expect(promptOf(request)).not.toContain("SECOND");
    }
  });
});

describe("CrewAI counts tool uses per object, for the whole process; here", () => {
  it("a tool's maxUses holds for each run, also for two at once", async () => {
    const look = tool({
      name: "look",
      description: "d",
      parameters: { type: "object" },
      maxUses: 1,
      run: () => "seen",
    });
    const { bosun } = scene((request) =>
      request.messages.at(-1)?.role === "tool"
        ? (request.messages.at(-1)?.content ?? "")
        : calling({ tool: "look", arguments: {} }),
    );
    const made = crew({ name: "c", tasks: [job("a", { tools: [look] })], bosun });

    const results = await Promise.all([made.kickoff(), made.kickoff(), made.kickoff()]);

    expect(results.map(({ raw }) => raw)).toEqual(["seen", "seen", "seen"]);
  });
});

/** Bytes of what a store keeps of a crew of `count` tasks whose prompts are alike long. */
async function bytesOf(count: number): Promise<number> {
  const { bosun } = scene(() => "word ".repeat(200));
  const tasks = Array.from({ length: count }, (_, index) => job(`t${index}`, { context: [] }));
  const { events } = await eventsOf(crew({ name: "c", tasks, bosun }).stream());
  return events
    .filter(({ type }) => !type.endsWith("delta"))
    .reduce((bytes, event) => bytes + JSON.stringify(event).length, 0);
}

describe("CrewAI writes all that happened before into each checkpoint; here", () => {
  it("what is kept of a run grows with its tasks, not with their square", async () => {
    const [few, many] = [await bytesOf(5), await bytesOf(50)];

    expect(many / few).toBeGreaterThan(5);
    expect(many / few).toBeLessThan(11);
  });
});
