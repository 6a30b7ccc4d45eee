import { describe, expect, it } from "vitest";
import { and, type Emission, flow, listen, or, router, start } from "../../src/flow.ts";
import type { Json } from "../../src/json.ts";
import { bosunFor, callsOf, failureOf, meeting } from "./flow-scene.ts";

const bosun = bosunFor();

describe("the steps of a flow", () => {
  it("that are starts all run at once, each with the kickoff's inputs", async () => {
    const met = meeting("one", "two", "three");
    const begin = (name: "one" | "two" | "three") =>
      start(async ({ input, step }) => {
        await step("meet", () => met(name));
        return input;
      });

    const result = await flow(
      "starts",
      { bosun },
      {
        one: begin("one"),
        two: begin("two"),
        three: begin("three"),
        all: listen(and("one", "two", "three"), ({ inputs }) => inputs),
      },
    ).kickoff({ inputs: { topic: "ships" } });

    const topic = { topic: "ships" };
    expect(result.output).toEqual({ one: topic, two: topic, three: topic });
    expect(callsOf(result)).toEqual({ one: 1, two: 1, three: 1, all: 1 });
  });

  it("that listen to one event all run at once, each with what it came to", async () => {
    const met = meeting("left", "right");
    const follow = (name: "left" | "right") =>
      listen("begin", async ({ input, inputs, step }) => {
        await step("meet", () => met(name));
        return { input, inputs };
      });

    const result = await flow(
      "listeners",
      { bosun },
      {
        begin: start(() => "begun"),
        left: follow("left"),
        right: follow("right"),
        both: listen(and("left", "right"), ({ inputs }) => inputs),
      },
    ).kickoff();

    const got = { input: "begun", inputs: { begin: "begun" } };
    expect(result.output).toEqual({ left: got, right: got });
  });

  it("that listen to all of several get what each came to, by name", async () => {
    const result = await flow(
      "join",
      { bosun },
      {
        a: start(() => 1),
        b: start(() => [2]),
        c: start(() => undefined),
        join: listen(and("a", "b", "c"), ({ inputs }) => inputs),
      },
    ).kickoff();

    expect(result.output).toEqual({ a: 1, b: [2], c: null });
    expect(callsOf(result)).toMatchObject({ join: 1 });
  });

  it("that listen to any of several run at the first one only", async () => {
    const late = Promise.withResolvers<null>();
    const result = await flow(
      "first",
      { bosun },
      {
        fast: start(() => "fast"),
        slow: start(({ step }) => step("wait", () => late.promise)),
        any: listen(or("fast", "slow"), ({ input }) => {
          late.resolve(null);
          return input;
        }),
      },
    ).kickoff();

    expect(result.steps["any"]).toMatchObject({ calls: 1, raw: "fast" });
    expect(callsOf(result)).toEqual({ fast: 1, slow: 1, any: 1 });
  });
});

/** A flow of one router with this emission, and what its listeners got, in the order of their names. */
async function routed(
  emission: Emission<"good" | "bad"> | undefined,
): Promise<Readonly<Record<string, Json>>> {
  const got: Record<string, Json> = {};
  await flow(
    "routed",
    { bosun },
    {
      begin: start(() => "begun"),
      choose: router("begin", ["good", "bad"], () => emission),
      onGood: listen("good", ({ input }) => void (got["good"] = input)),
      onBad: listen("bad", ({ input }) => void (got["bad"] = input)),
    },
  ).kickoff();
  return got;
}

describe("a router", () => {
  it("lets run what listens to its label, with its own input", async () => {
    expect(await routed("good")).toEqual({ good: "begun" });
  });

  it("gives what listens to a label the value that it brings", async () => {
    expect(await routed({ label: "bad", value: { why: "late" } })).toEqual({
      bad: { why: "late" },
    });
  });

  it("emits several labels in a list, each with its own value", async () => {
    expect(await routed(["good", { label: "bad", value: null }])).toEqual({
      good: "begun",
      bad: null,
    });
  });

  it("ends its branch when it returns nothing, and no other branch", async () => {
    expect(await routed(undefined)).toEqual({});
    expect(await routed([])).toEqual({});
    const result = await flow(
      "branches",
      { bosun },
      {
        begin: start(() => null),
        stop: router("begin", ["on"], () => undefined),
        never: listen("on", () => "never"),
        other: listen("begin", () => "other"),
      },
    ).kickoff();

    expect(callsOf(result)).toEqual({ begin: 1, stop: 1, other: 1 });
    expect(result).toMatchObject({ status: "done", output: "other" });
  });

  it("runs beside the other routers of its event, and each emission goes on by itself", async () => {
    const result = await flow(
      "routers",
      { bosun },
      {
        score: start(() => 80),
        above50: router("score", ["passed"], ({ input }) =>
          Number(input) > 50 ? "passed" : undefined,
        ),
        above70: router("score", ["honoured"], ({ input }) =>
          Number(input) > 70 ? "honoured" : undefined,
        ),
        above90: router("score", ["crowned"], ({ input }) =>
          Number(input) > 90 ? "crowned" : undefined,
        ),
        pass: listen("passed", () => "pass"),
        honour: listen("honoured", () => "honour"),
        crown: listen("crowned", () => "crown"),
        afterPass: listen("pass", () => "afterPass"),
        afterHonour: listen("honour", () => "afterHonour"),
      },
    ).kickoff();

    const { pass, honour, crown, afterPass, afterHonour } = result.steps;
    const calls = [pass, honour, crown, afterPass, afterHonour].map((step) => step?.calls);
    expect(calls).toEqual([1, 1, 0, 1, 1]);
    expect(result.steps["above50"]?.emitted).toEqual({ passed: 1 });
    expect(result.steps["above90"]).toMatchObject({ status: "done", emitted: {} });
  });

  it("fails with its name when it returns a label that is none of its own", async () => {
    const error = await failureOf(
      flow(
        "wrong",
        { bosun },
        {
          begin: start(() => null),
          choose: router("begin", ["good"], () => "great" as "good"), // `as`: wrong on purpose
          next: listen("good", () => null),
        },
      ).kickoff(),
    );

    expect(error.code).toBe("flow/label");
    expect(error.message).toContain('step "choose": it returned "great"');
    expect(error.message).toContain("(good)");
    expect(error.partial.steps["choose"]?.status).toBe("failed");
  });
});

/** Runs `work` so many times. */
const counting = (rounds: number, maxCalls?: number) =>
  flow(
    "loop",
    { bosun, initial: { calls: [] as number[] } },
    {
      begin: start(() => null),
      work: listen(
        or("begin", "again"),
        ({ call, state }) => {
          state.calls.push(call);
          return call;
        },
        { maxCalls },
      ),
      check: router("work", ["again", "over"], ({ input }) =>
        Number(input) < rounds ? "again" : { label: "over", value: input },
      ),
      end: listen("over", ({ input }) => ({ rounds: input })),
    },
  );

describe("a loop", () => {
  it("goes on until its router emits another label", async () => {
    const result = await counting(4).kickoff();

    expect(result.output).toEqual({ rounds: 4 });
    expect(result.state.calls).toEqual([1, 2, 3, 4]);
    expect(callsOf(result)).toEqual({ begin: 1, work: 4, check: 4, end: 1 });
    expect(result.steps["check"]?.emitted).toEqual({ again: 3, over: 1 });
  });

  it("that does not end fails at the bound of its step, with the step's name", async () => {
    const error = await failureOf(counting(10, 3).kickoff());

    expect(error.code).toBe("flow/loop");
    expect(error.message).toContain('step "work": it would be called more than 3 times');
    expect(callsOf(error.partial)).toMatchObject({ work: 3 });
  });

  it("has a bound of a hundred calls where its step says none", async () => {
    const error = await failureOf(counting(1_000).kickoff());

    expect(error.code).toBe("flow/loop");
    expect(callsOf(error.partial)).toMatchObject({ work: 100, check: 100 });
  });
});

describe("a flow", () => {
  it("ends when nothing runs and nothing can fire, also where a step has waited in vain", async () => {
    const result = await flow(
      "vain",
      { bosun },
      {
        begin: start(() => "begun"),
        choose: router("begin", ["left", "right"], () => "left" as const),
        onLeft: listen("left", () => "went left"),
        onRight: listen("right", () => "went right"),
        both: listen(and("onLeft", "onRight"), () => "both"),
      },
    ).kickoff();

    expect(callsOf(result)).toEqual({ begin: 1, choose: 1, onLeft: 1 });
    expect(result.steps["both"]?.status).toBe("skipped");
    expect(result.output).toBe("went left");
  });

  it("comes to what its last step came to: a router is none", async () => {
    const steps = {
      begin: start(() => ({ n: 1 })),
      choose: router("begin", ["on"], () => ({ label: "on", value: 2 }) as const),
    };
    const result = await flow("last", { bosun }, steps).kickoff();

    expect(result).toMatchObject({ output: { n: 1 }, raw: '{"n":1}' });
  });

  it("comes to what its output makes of the state and the last step", async () => {
    const result = await flow(
      "made",
      { bosun, initial: { n: 1 }, output: ({ state, last }) => [state.n, last] },
      {
        begin: start(({ state }) => {
          state.n += 1;
          return "last";
        }),
      },
    ).kickoff();

    expect(result.output).toEqual([2, "last"]);
  });
});
