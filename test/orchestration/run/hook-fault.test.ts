import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import type { Hooks } from "../../../src/orchestration/crew/hook.ts";
import { defineCrew } from "../../../src/orchestration/crew/crew.ts";
import type { Script } from "../../../src/test/scripted-model.ts";
import { errorOf, eventsOf, gate, job, only, scene, settle, thrownBy } from "./scenario.ts";

const broken = (): never => {
  throw new Error("the hook is broken");
};

const hooked = (script: Script, hooks: Hooks, options = {}) => {
  const { bosun, model, clock } = scene(script);
  const tasks = [job("a"), job("b")];
  return { bosun, model, clock, made: crew({ name: "c", tasks, hooks, ...options, bosun }) };
};

describe("any hook", () => {
  it("that throws is an event, and the run goes on as if it had returned nothing", async () => {
    const names = [
      "beforeKickoff",
      "afterKickoff",
      "beforeModelCall",
      "afterModelCall",
      "onStep",
      "onTask",
    ] as const;
    for (const name of names) {
      const { made } = hooked(() => "x", { [name]: broken });

      const { events, error } = await eventsOf(made.stream());

      expect(error, name).toBeUndefined();
      expect(only(events, "hook-end")[0], name).toMatchObject({
        hook: name,
        status: "failed",
        reason: "it threw: the hook is broken",
      });
      expect(only(events, "run-end"), name).toMatchObject([{ status: "done", raw: "x" }]);
    }
  });

  it("that throws with failClosed blocks", async () => {
    const names = [
      "beforeKickoff",
      "afterKickoff",
      "beforeModelCall",
      "afterModelCall",
      "onStep",
      "onTask",
    ] as const;
    for (const name of names) {
      const { made } = hooked(() => "x", { [name]: { run: broken, failClosed: true } });

      const error = await errorOf(made.kickoff());

      expect(error.code, name).toBe("hook/blocked");
      expect(error.message, name).toContain("it threw: the hook is broken");
    }
  });

  it("that returns what it may not change is an event too, and changes nothing", async () => {
    const wrong: Hooks = {
      afterKickoff: (() => ({ raw: 7 })) as never,
      onTask: (() => ({ raw: "y" })) as never,
    };
    const { made } = hooked(() => "x", wrong);

    const { events } = await eventsOf(made.stream());

    expect(only(events, "hook-end").map(({ hook, status }) => `${hook} ${status}`)).toEqual([
      "onTask failed",
      "onTask failed",
      "afterKickoff failed",
    ]);
    expect(only(events, "run-end")).toMatchObject([{ raw: "x" }]);
  });

  it("is awaited", async () => {
    const opened = gate();
    const { made, model } = hooked(() => "x", { onTask: () => opened.promise });

    const running = made.kickoff();
    await settle();
    const before = model.requests.length;
    opened.resolve();
    await running;

    expect(before).toBe(1);
    expect(model.requests).toHaveLength(2);
  });

  it("that never ends is left after a minute, and told", async () => {
    const { made, clock } = hooked(() => "x", {
      afterKickoff: () => new Promise<undefined>(() => undefined),
    });

    const running = eventsOf(made.stream());
    await settle();
    await clock.advance(60_000);
    const { events } = await running;

    expect(only(events, "hook-end")).toMatchObject([{ hook: "afterKickoff", status: "failed" }]);
    expect(only(events, "hook-end")[0]?.reason).toContain("60000 ms");
    expect(only(events, "run-end")).toMatchObject([{ status: "done" }]);
  });
});

describe("hooks that would never be called", () => {
  it.each<[string, unknown]>([
    ["of a name that there is not", { beforeRun: () => undefined }],
    ["that are no functions", { onTask: "log" }],
    ["with an unknown option", { onTask: { run: () => undefined, failOpen: true } }],
    ["without a function", { onTask: { failClosed: true } }],
    ["in a list", []],
  ])("are refused: %s", (_, hooks) => {
    const error = thrownBy(() =>
      defineCrew({ name: "c", tasks: [job("a")], hooks: hooks as Hooks }),
    );

    expect(error.code).toBe("crew/invalid");
  });
});
