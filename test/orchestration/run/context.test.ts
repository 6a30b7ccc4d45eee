import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { byTask, gate, job, promptOf, requestsOf, scene, settle, taskIn } from "./scenario.ts";

/** The tasks whose outputs a prompt shows, in their order. */
function seenIn(prompt: string): readonly string[] {
  return [...prompt.matchAll(/output of (\w+)/g)].map(([, name = ""]) => name);
}

const echo = (request: Parameters<typeof taskIn>[0]): string => `output of ${taskIn(request)}`;

describe("the context of a task in a sequential crew", () => {
  it("is all earlier outputs, in the order of the tasks, when it names none", async () => {
    const { bosun, model } = scene(echo);

    await crew({ name: "c", tasks: [job("a"), job("b"), job("z"), job("m")], bosun }).kickoff();

    const seen = model.requests.map((request) => seenIn(promptOf(request)));
    expect(seen).toEqual([[], ["a"], ["a", "b"], ["a", "b", "z"]]);
  });

  it("is what it names and nothing else", async () => {
    const [a, b, z] = [job("a"), job("b"), job("z")];
    const { bosun, model } = scene(echo);

    await crew({ name: "c", tasks: [a, b, z, job("last", { context: [z, a] })], bosun }).kickoff();

    expect(seenIn(promptOf(requestsOf(model, "last")[0])).toSorted()).toEqual(["a", "z"]);
  });

  it("is nothing for an empty list", async () => {
    const { bosun, model } = scene(echo);

    await crew({ name: "c", tasks: [job("a"), job("b", { context: [] })], bosun }).kickoff();

    expect(seenIn(promptOf(requestsOf(model, "b")[0]))).toEqual([]);
  });

  it("shows an output once when it is named twice", async () => {
    const a = job("a");
    const { bosun, model } = scene(echo);

    await crew({ name: "c", tasks: [a, job("b", { context: [a, a] })], bosun }).kickoff();

    expect(seenIn(promptOf(requestsOf(model, "b")[0]))).toEqual(["a"]);
  });

  it("is not started before the sync tasks before it have ended, whatever it names", async () => {
    const opened = gate<string>();
    const { bosun, model } = scene(byTask({ a: () => opened.promise, b: "output of b" }));

    const running = crew({
      name: "c",
      tasks: [job("a"), job("b", { context: [] })],
      bosun,
    }).kickoff();
    await settle();
    const before = model.requests.map(taskIn);
    opened.resolve("late");
    await running;

    expect(before).toEqual(["a"]);
  });
});

describe("the context of an async task", () => {
  it("is what was complete when it started, when it names none", async () => {
    const opened = gate<string>();
    const { bosun, model } = scene(
      byTask({
        a: "output of a",
        slow: () => opened.promise,
        other: "output of other",
        last: "output of last",
      }),
    );
    const tasks = [
      job("a"),
      job("slow", { async: true }),
      job("other", { async: true }),
      job("last"),
    ] as const;

    const running = crew({ name: "c", tasks, bosun }).kickoff();
    await settle();
    const startedEarly = model.requests.map(taskIn);
    opened.resolve("output of slow");
    await running;

    expect(startedEarly).toEqual(["a", "slow", "other"]);
    expect(seenIn(promptOf(requestsOf(model, "slow")[0]))).toEqual(["a"]);
    expect(seenIn(promptOf(requestsOf(model, "other")[0]))).toEqual(["a"]);
  });

  it("is what it names, which it waits for, also when that is async", async () => {
    const opened = gate<string>();
    const slow = job("slow", { async: true });
    const { bosun, model } = scene(
      byTask({ slow: () => opened.promise, needs: "output of needs", last: "output of last" }),
    );
    const tasks = [slow, job("needs", { async: true, context: [slow] }), job("last")] as const;

    const running = crew({ name: "c", tasks, bosun }).kickoff();
    await settle();
    const early = model.requests.map(taskIn);
    opened.resolve("output of slow");
    await running;

    expect(early).toEqual(["slow"]);
    expect(seenIn(promptOf(requestsOf(model, "needs")[0]))).toEqual(["slow"]);
    expect(seenIn(promptOf(requestsOf(model, "last")[0]))).toEqual(["slow", "needs"]);
  });

  it("is seen by a later sync task that sees all, which waits for it", async () => {
    const opened = gate<string>();
    const { bosun, model } = scene(byTask({ slow: () => opened.promise, last: "output of last" }));

    const running = crew({
      name: "c",
      tasks: [job("slow", { async: true }), job("last")],
      bosun,
    }).kickoff();
    await settle();
    const early = model.requests.map(taskIn);
    opened.resolve("output of slow");
    await running;

    expect(early).toEqual(["slow"]);
    expect(seenIn(promptOf(requestsOf(model, "last")[0]))).toEqual(["slow"]);
  });

  it("is not waited for by a sync task that names its context, but by the run's end", async () => {
    const opened = gate<string>();
    const { bosun, model } = scene(
      byTask({ slow: () => opened.promise, quick: "output of quick" }),
    );
    let hasEnded = false;

    const running = crew({
      name: "c",
      tasks: [job("slow", { async: true }), job("quick", { context: [] })],
      bosun,
    })
      .kickoff()
      .finally(() => (hasEnded = true));
    await settle();
    const early = { began: model.requests.map(taskIn), hasEnded };
    opened.resolve("output of slow");
    const result = await running;

    expect(early).toEqual({ began: ["slow", "quick"], hasEnded: false });
    expect(result.tasks.slow.raw).toBe("output of slow");
    expect(result.raw).toBe("output of quick");
  });

  it("lets its crew's final output be that of the last task, also when the last one is async and ends first", async () => {
    const opened = gate<string>();
    const { bosun } = scene(byTask({ slow: () => opened.promise, last: "the last one" }));

    const running = crew({
      name: "c",
      tasks: [job("slow", { async: true }), job("last", { async: true })],
      bosun,
    }).kickoff();
    await settle();
    opened.resolve("the slow one");
    const result = await running;

    expect(result.raw).toBe("the last one");
  });
});

describe("the context of a task in a parallel crew", () => {
  it("is nothing when it names none", async () => {
    const { bosun, model } = scene(echo);

    await crew({ name: "c", tasks: [job("a"), job("b")], process: "parallel", bosun }).kickoff();

    expect(model.requests.map((request) => seenIn(promptOf(request)))).toEqual([[], []]);
  });

  it("is what it names, in the order of the crew's tasks", async () => {
    const [a, b] = [job("a"), job("b")];
    const { bosun, model } = scene(echo);

    await crew({
      name: "c",
      tasks: [job("join", { context: [b, a] }), a, b],
      process: "parallel",
      bosun,
    }).kickoff();

    expect(seenIn(promptOf(requestsOf(model, "join")[0]))).toEqual(["a", "b"]);
  });
});
