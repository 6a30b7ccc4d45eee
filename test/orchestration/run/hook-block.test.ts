import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import type { Hooks } from "../../../src/orchestration/crew/hook.ts";
import { errorOf, eventsOf, gate, job, only, scene, settle, worker } from "./scenario.ts";
import { byWho, calling, delegate, led, whoIn } from "./team-scene.ts";

const NEVER = new Promise<never>(() => undefined);
const blockingAt = (
  name: "beforeModelCall" | "afterModelCall" | "onStep",
  who = "agent of a",
): Hooks => ({
  [name]: ({ agent }: { readonly agent: string }) =>
    agent === who ? { block: "over budget" } : undefined,
});
const spoil = (subject: object): void => {
  for (const key of Object.keys(subject)) Reflect.deleteProperty(subject, key);
};
const POINTS = ["beforeModelCall", "afterModelCall", "onStep"] as const;

describe.each(POINTS)("a block of %s", (point) => {
  it("ends the run under `continue` too: what was not started is cancelled", async () => {
    const { bosun } = scene(() => "x");
    const made = crew({
      name: "c",
      tasks: [job("a"), job("b")],
      policy: "continue",
      hooks: blockingAt(point),
      bosun,
    });

    const { events, error } = await eventsOf(made.stream());

    expect(error).toMatchObject({ code: "hook/blocked" });
    expect(only(events, "task-end").map(({ task, status }) => `${task} ${status}`)).toEqual([
      "a failed",
      "b cancelled",
    ]);
    expect(only(events, "run-end")).toMatchObject([
      { status: "failed", error: { code: "hook/blocked" } },
    ]);
  });

  it("is not tried again, done by another, or taken for a part", async () => {
    for (const onError of ["retry", "partial", job("instead")] as const) {
      const { bosun } = scene(() => "x");
      const made = crew({
        name: "c",
        tasks: [job("a", { onError })],
        hooks: blockingAt(point),
        bosun,
      });

      const { events, error } = await eventsOf(made.stream());

      expect(error).toMatchObject({ code: "hook/blocked" });
      expect(only(events, "task-retry")).toEqual([]);
      expect(only(events, "task-end")).toMatchObject([{ status: "failed" }]);
    }
  });

  it("ends what else runs in a parallel crew", async () => {
    const { bosun } = scene(({ hints }) => (hints.path[0] === "task:a" ? "x" : NEVER));
    const tasks = [job("a"), job("b"), job("c")];
    const hooks = blockingAt(point);
    const made = crew({ name: "c", tasks, process: "parallel", policy: "continue", hooks, bosun });

    const { events } = await eventsOf(made.stream());

    expect(only(events, "task-end").map(({ task, status }) => `${task} ${status}`)).toEqual([
      "a failed",
      "b cancelled",
      "c cancelled",
    ]);
  });

  it("at a worker ends the run: its manager cannot go on without it", async () => {
    const { made, model } = led(byWho({ lead: [calling(delegate("A", "t")), "went on"], A: "a" }), {
      agents: [worker("A")],
      hooks: blockingAt(point, "A"),
    });

    const { events, error } = await eventsOf(made.stream());

    expect(error).toMatchObject({ code: "hook/blocked" });
    expect(only(events, "delegation-end")).toMatchObject([
      { status: "failed", error: { code: "hook/blocked" } },
    ]);
    expect(model.requests.filter((request) => whoIn(request) === "lead")).toHaveLength(1);
  });
});

describe("what a hook gets", () => {
  it("is its own: what it does to that without returning it changes nothing", async () => {
    const inputs = { topic: "whales" };
    const { bosun, model } = scene(() => "x");
    const hooks: Hooks = {
      beforeKickoff: (subject) => {
        Reflect.deleteProperty(subject.inputs, "topic");
      },
      beforeModelCall: ({ messages }) => spoil(messages[1] ?? {}),
      afterModelCall: (subject) => spoil(subject.usage),
      onTask: spoil,
      afterKickoff: ({ tasks }) => spoil(tasks),
    };

    const result = await crew({ name: "c", tasks: [job("a")], hooks, bosun }).kickoff({
      inputs,
    } as never);

    expect(inputs).toEqual({ topic: "whales" });
    expect(model.requests[0]?.messages[1]?.content).toContain("Do a");
    expect(result).toMatchObject({ status: "done", tasks: { a: { raw: "x" } } });
    expect(result.usage.input.total).toBeGreaterThan(0);
  });
});

describe("onTask in a parallel crew", () => {
  it("holds no other task up, is told of one task at a time, and all is told before the run ends", async () => {
    const [opened, told]: [PromiseWithResolvers<void>, string[]] = [gate(), []];
    const { bosun, model } = scene(() => "x");
    const a = job("a");
    const tasks = [a, job("b", { context: [a] }), job("c")];
    const onTask: Hooks["onTask"] = async ({ task }) => {
      told.push(`${task} begins`);
      if (task === "a") await opened.promise;
      told.push(`${task} ends`);
    };
    const made = crew({ name: "c", tasks, process: "parallel", hooks: { onTask }, bosun });

    const running = made.kickoff();
    await settle();
    const [calls, early] = [model.requests.length, [...told]];
    opened.resolve();
    await running;

    expect([calls, early]).toEqual([3, ["a begins"]]);
    expect(told).toHaveLength(6);
    for (let n = 0; n < 6; n += 2) expect(told[n + 1]).toBe(told[n]?.replace("begins", "ends"));
  });

  it("that blocks ends the run amid its other tasks", async () => {
    const { bosun } = scene(({ hints }) => (hints.path[0] === "task:a" ? "x" : NEVER));
    const hooks: Hooks = { onTask: ({ task }) => (task === "a" ? { block: "enough" } : undefined) };
    const made = crew({
      name: "c",
      tasks: [job("a"), job("b")],
      process: "parallel",
      hooks,
      bosun,
    });

    const error = await errorOf(made.kickoff());

    expect(error.code).toBe("hook/blocked");
    expect(error.message).toContain("enough");
  });
});
