import { describe, expect, it } from "vitest";
import { flow, type FlowContext, listen, router, start } from "../../src/flow.ts";
import type { Json } from "../../src/json.ts";
import { defineCrew } from "../../src/orchestration/crew/crew.ts";
import { job, settle } from "../orchestration/run/scenario.ts";
import { bosunFor, bosunOn, failureOf, folder } from "./flow-scene.ts";

const bosun = bosunFor();
const crew = defineCrew({ name: "facts", tasks: [job("look")] });

/** What a flow of one step fails with. */
const failing = (handler: (context: FlowContext) => Promise<Json>) =>
  failureOf(flow("misused", { bosun }, { begin: start(handler) }).kickoff());

describe("a handler that uses its context wrongly is told so, with the step's name:", () => {
  it.each<[string, (context: FlowContext) => Promise<unknown>, string]>([
    [
      "a key of a step twice",
      async ({ step }) => [await step("a", async () => 1), await step("a", async () => 2)],
      'step(key, fn) got the key "a"',
    ],
    [
      "a key of a crew twice",
      ({ run }) => Promise.all([run(crew, {}, { key: "a" }), run(crew, {}, { key: "a" })]),
      'run(crew, inputs, { key }) got the key "a"',
    ],
    [
      "the name of a crew as the key of another",
      async ({ run }) => [await run(crew), await run(crew, {}, { key: "facts" })],
      'run(crew, inputs, { key }) got the key "facts"',
    ],
    [
      "no key",
      ({ run }) => run(crew, {}, { key: "" }),
      'run(crew, inputs, { key }) got the key ""',
    ],
    ["no crew", ({ run }) => run({} as never), "no crew"], // `as`: wrong on purpose
    ["a wait without a time", ({ waitFor }) => waitFor("x", {} as never), 'waitFor "x"'], // `as`: as above
    ["a question of a time below 0", ({ ask }) => ask("?", { timeoutMs: -1 }), "ask"],
    ["a sleep of no time", ({ sleep }) => sleep("s", NaN), 'sleep "s"'],
  ])("%s", async (_, handler, says) => {
    const error = await failing(async (context) => {
      await handler(context);
      return null;
    });

    expect(error.code).toBe("usage");
    expect(error.message).toContain('step "begin"');
    expect(error.message).toContain(says);
  });

  it("a result that is no JSON", async () => {
    const error = await failing(async () => ({ list: [{ when: new Date(0) }] }) as never); // `as`: wrong on purpose

    expect(error.code).toBe("flow/state");
    expect(error.message).toContain(
      'step "begin": what it returned is no JSON: list[0].when is a Date',
    );
  });
});

describe("a flow says where something is no JSON", () => {
  it("in the inputs of a crew", async () => {
    const error = await failing(async ({ run }) => (await run(crew, { n: 1n as never })).raw); // `as`: wrong on purpose

    expect(error.code).toBe("flow/input");
    expect(error.message).toContain("its inputs must be JSON, but n is a bigint");
  });

  it("in what a router returns", async () => {
    const error = await failureOf(
      flow(
        "routed",
        { bosun },
        {
          begin: start(() => null),
          pick: router("begin", ["go"], () => ({ label: "go", value: { n: 1n } as never })), // `as`: as above
        },
      ).kickoff(),
    );

    expect(error.code).toBe("flow/label");
    expect(error.message).toContain("it returned what is no JSON: value.n is a bigint");
  });

  it("in what a step keeps", async () => {
    const kept = bosunOn(folder());
    const begin = start(({ step }) => step("load", async () => ({ rows: [{ id: 1n as never }] }))); // `as`: as above
    const error = await failureOf(flow("kept", { bosun: kept }, { begin }).kickoff());
    await kept.close();

    expect(error.code).toBe("durable/value");
    expect(error.message).toContain("is not JSON (rows[0].id is a bigint)");
  });

  it("in the kickoff's inputs", async () => {
    const inputs = { when: { at: new Date(0) } } as never; // `as`: as above
    const error = await failureOf(
      flow("given", { bosun }, { begin: start(() => null) }).kickoff({ inputs }),
    );

    expect(error.code).toBe("flow/input");
    expect(error.message).toContain("but when.at is a Date");
  });
});

describe("a handler that ends before what it has begun", () => {
  it("cuts that off, and its flow and the process go on", async () => {
    const result = await flow(
      "careless",
      { bosun },
      {
        begin: start(({ run, ask, waitFor, sleep }) => {
          void run(crew);
          void ask("?");
          void waitFor("x", { timeoutMs: 1_000 });
          void sleep("s", 1_000);
          return "ended";
        }),
        next: listen("begin", ({ input }) => input),
      },
    ).kickoff();
    await settle(); // an unhandled rejection would fail this test

    expect(result.output).toBe("ended");
  });
});

function fail(): never {
  throw new Error("boom");
}

describe("a function of a flow that fails", () => {
  it("as its output fails the run, with the flow's name", async () => {
    const options = { bosun, output: fail };
    const error = await failureOf(flow("made", options, { begin: start(() => 1) }).kickoff());

    expect(error.code).toBe("run/failed");
    expect(error.message).toContain('flow "made": boom');
  });

  it("by an output that is no JSON fails the run too", async () => {
    const options = { bosun, output: () => new Date(0) as never }; // `as`: wrong on purpose
    const error = await failureOf(flow("made", options, { begin: start(() => 1) }).kickoff());

    expect(error.code).toBe("flow/state");
    expect(error.message).toContain(
      'flow "made": what its output returned is no JSON: it is a Date',
    );
  });

  it.each([
    ["a reducer", { reducers: { n: fail } }],
    ["onConflict", { onConflict: fail }],
  ])("as %s fails the run, with the flow's name", async (_, rules) => {
    const ended = Promise.withResolvers<null>();
    const error = await failureOf(
      flow(
        "clashing",
        { bosun, initial: { n: 0 }, ...rules },
        {
          first: start(({ state }) => void (state.n = 1)),
          second: start(async ({ state, step }) => {
            await step("late", () => ended.promise);
            state.n = 2;
          }),
          release: listen("first", () => ended.resolve(null)),
        },
      ).kickoff(),
    );

    expect(error.code).toBe("run/failed");
    expect(error.message).toContain('flow "clashing": boom');
    expect(error.partial.state).toEqual({ n: 1 });
  });
});

describe("a kickoff of a flow", () => {
  const idle = flow("idle", { bosun }, { begin: start(() => 1) });

  it.each<[string, object, string, string]>([
    ["an unknown option", { runID: "x" }, "flow/invalid", "Did you mean runId?"],
    ["a wrong option", { showPrompts: 1 }, "flow/invalid", "showPrompts must be true or false"],
    ["inputs that are none", { inputs: [1] }, "flow/input", "must be an object"],
    ["a session", { session: "s" }, "usage", "a flow has no session"],
  ])("refuses %s", async (_, options, code, says) => {
    const error = await failureOf(idle.kickoff(options));

    expect(error.code).toBe(code);
    expect(error.message).toContain('a run of flow "idle"');
    expect(error.message).toContain(says);
  });
});
