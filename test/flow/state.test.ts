import { describe, expect, it } from "vitest";
import { z } from "zod";
import { and, type Conflict, flow, type FlowOptions, listen, start } from "../../src/flow.ts";
import type { JsonObject } from "../../src/json.ts";
import { bosunFor, bosunOn, callsOf, failureOf, folder, meeting } from "./flow-scene.ts";

const bosun = bosunFor();

const article = z.object({ topic: z.string(), words: z.number().default(0) });

describe("the state of a flow", () => {
  it("begins with the schema's defaults, under the flow's own and the kickoff's inputs", async () => {
    const state = z.object({
      a: z.string().default("schema"),
      b: z.string().default("schema"),
      c: z.string().default("schema"),
    });
    const options = { bosun, state, initial: { b: "flow", c: "flow" } };
    const steps = { begin: start(({ state: seen }) => ({ ...(seen as JsonObject) })) }; // `as`: a draft is JSON
    const result = await flow("defaults", options, steps).kickoff({ inputs: { c: "kickoff" } });

    expect(result.output).toEqual({ a: "schema", b: "flow", c: "kickoff" });
    expect(result.state).toEqual(result.output);
  });

  it("that is not what its schema asks for is refused before anything runs", async () => {
    let calls = 0;
    const begin = start(() => ++calls);
    const error = await failureOf(flow("typed", { bosun, state: article }, { begin }).kickoff());

    expect(error.code).toBe("flow/state");
    expect(error.message).toContain("value/topic");
    expect(error.partial).toBeUndefined();
    expect(calls).toBe(0);
  });

  it("that a step has made wrong fails the flow with the step's name", async () => {
    const error = await failureOf(
      flow(
        "typed",
        { bosun, state: article },
        {
          begin: start(({ state }) => void (state.words = 1)),
          spoil: listen("begin", ({ state }) => void (state.words = "many" as never)), // `as`: wrong on purpose
        },
      ).kickoff({ inputs: { topic: "ships" } }),
    );

    expect(error.code).toBe("flow/state");
    expect(error.message).toContain('step "spoil"');
    expect(error.message).toContain("value/words");
    expect(error.partial.state).toEqual({ topic: "ships", words: 1 });
  });

  it("that is no JSON after a step fails the flow with the step's name", async () => {
    const error = await failureOf(
      flow(
        "plain",
        { bosun, initial: { at: "" } },
        {
          begin: start(({ state }) => void (state.at = new Date(0) as never)), // `as`: wrong on purpose
        },
      ).kickoff(),
    );

    expect(error.code).toBe("flow/state");
    expect(error.message).toMatch(/step "begin": its state .* but at is a Date/);
  });

  it("is a draft of the step's own until the step ends", async () => {
    const changed = meeting("changed", "looked");
    const result = await flow(
      "drafts",
      { bosun, initial: { n: 0 } },
      {
        writer: start(async ({ state, step }) => {
          state.n = 1;
          await step("meet", () => changed("changed"));
        }),
        reader: start(async ({ state, step }) => {
          await step("meet", () => changed("looked"));
          return state.n;
        }),
        after: listen(and("writer", "reader"), ({ state, inputs }) => [
          inputs["reader"] ?? null,
          state.n,
        ]),
      },
    ).kickoff();

    expect(result.output).toEqual([0, 1]);
  });

  it("may be changed in the fields that the step's writes name, and in no other", async () => {
    const error = await failureOf(
      flow(
        "writes",
        { bosun, initial: { mine: 0, other: 0 } },
        {
          fine: start(({ state }) => void (state.mine = 1), { writes: ["mine"] }),
          wrong: listen("fine", ({ state }) => void (state.other = 1), { writes: ["mine"] }),
        },
      ).kickoff(),
    );

    expect(error.code).toBe("flow/state");
    expect(error.message).toContain('step "wrong": it changed "other"');
    expect(error.partial.state).toEqual({ mine: 1, other: 0 });
  });

  it("is each run's own: two at once never see each other, and each begins afresh", async () => {
    const met = meeting("a", "b");
    const notes = flow(
      "fresh",
      { bosun, initial: { who: "a" as "a" | "b", notes: [] as string[] } },
      {
        begin: start(async ({ state, step }) => {
          state.notes.push(state.who);
          await step("meet", () => met(state.who));
        }),
        end: listen("begin", ({ state }) => void state.notes.push("end")),
      },
    );

    const both = await Promise.all([
      notes.kickoff({ inputs: { who: "a" } }),
      notes.kickoff({ inputs: { who: "b" } }),
    ]);
    const later = await notes.kickoff();

    const seen = [...both, later].map(({ state }) => state.notes);
    expect(seen).toEqual([
      ["a", "end"],
      ["b", "end"],
      ["a", "end"],
    ]);
  });
});

type Shared = { readonly mine: string; words: string[]; n: number };

/** Two steps that run at once, of which the first one ends first: each makes these values of the fields. */
function twoWriters(
  options: FlowOptions<Shared> & { readonly bosun?: typeof bosun },
  calls: string[] = [],
) {
  const ended = Promise.withResolvers<null>();
  return flow(
    "writers",
    { initial: { mine: "", words: ["old"], n: 0 }, ...options },
    {
      first: start(async ({ state, step }) => {
        await step("pay", async () => {
          calls.push("first");
          return null;
        });
        state.words.push("first");
        state.n = 1;
      }),
      second: start(async ({ state, step }) => {
        await step("pay", async () => {
          calls.push("second");
          return ended.promise;
        });
        state.words.push("second");
        state.n = 2;
      }),
      release: listen("first", () => ended.resolve(null)),
      after: listen("second", ({ state }) => state.n),
    },
  );
}

const joined: FlowOptions<Shared>["reducers"] = {
  words: (now, mine, base) => [...now, ...mine.slice(base.length)],
  n: (now, mine) => now + mine,
};

const count = ({ state }: { state: { n: number; notes: string[] } }): void => {
  state.n += 1;
  state.notes.push("counted");
};

const counting = (options: object) => {
  const steps = { a: start(count), b: start(count), c: start(count) };
  return flow("counts", { bosun, initial: { n: 0, notes: [] as string[] }, ...options }, steps);
};

describe("a field that two steps which ran at once have changed", () => {
  it("fails the flow, with both values", async () => {
    const error = await failureOf(twoWriters({ bosun }).kickoff());

    expect(error.code).toBe("flow/conflict");
    expect(error.message).toContain('step "second": "words"');
    expect(error.details).toMatchObject({
      step: "second",
      field: "words",
      current: ["old", "first"],
      draft: ["old", "second"],
    });
    expect(error.partial.state.n).toBe(1);
  });

  it("is made one by its reducer", async () => {
    const result = await twoWriters({ bosun, reducers: joined }).kickoff();

    expect(result.state).toEqual({ mine: "", words: ["old", "first", "second"], n: 3 });
    expect(result.output).toBe(3);
  });

  it("is what the flow's onConflict makes of it, where it has no reducer", async () => {
    const seen: Conflict[] = [];
    const result = await twoWriters({
      bosun,
      reducers: { words: (now) => now },
      onConflict: async (conflict) => {
        seen.push(conflict);
        return 12;
      },
    }).kickoff();

    expect(seen).toEqual([{ step: "second", field: "n", base: 0, current: 1, draft: 2 }]);
    expect(result.state).toMatchObject({ words: ["old", "first"], n: 12 });
  });

  it("is one also when both have made the same of it: two that count from 0 to 1 have counted to 2", async () => {
    const reducers = {
      n: (now: number, mine: number, before: number) => now + mine - before,
      notes: (now: string[], mine: string[], before: string[]) => [
        ...now,
        ...mine.slice(before.length),
      ],
    };
    const reduced = await counting({ reducers }).kickoff();
    const error = await failureOf(counting({}).kickoff());

    expect(reduced.state).toEqual({ n: 3, notes: ["counted", "counted", "counted"] });
    expect(error.code).toBe("flow/conflict");
  });

  it("is one also when others have made of it again what it was", async () => {
    const done = Promise.withResolvers<void>();
    const error = await failureOf(
      flow(
        "there-and-back",
        { bosun, initial: { n: 0 } },
        {
          slow: start(async ({ state, step }) => {
            await step("wait", () => done.promise);
            state.n += 5;
          }),
          there: start(({ state }) => void (state.n = 1)),
          back: listen("there", ({ state }) => void (state.n = 0)),
          last: listen("back", () => done.resolve()),
        },
      ).kickoff(),
    );

    expect(error.code).toBe("flow/conflict");
    expect(error.details).toMatchObject({ step: "slow", field: "n", current: 0, draft: 5 });
  });

  it("is settled once, also when its run is given back afterwards and resumed", async () => {
    const data = folder();
    let settled = 0;
    const reached = Promise.withResolvers<void>();
    const make = (isSecond: boolean) => {
      const ended = Promise.withResolvers<null>();
      return flow(
        "settled",
        {
          initial: { n: 0 },
          onConflict: () => {
            settled += 1;
            return settled * 100;
          },
        },
        {
          first: start(({ state }) => void (state.n = 1)),
          second: start(async ({ state, step }) => {
            await step("late", () => ended.promise);
            state.n = 2;
          }),
          release: listen("first", () => ended.resolve(null)),
          after: listen("second", async ({ state, step }) => {
            const { n } = state;
            if (!isSecond) reached.resolve();
            await step("stay", () =>
              isSecond ? Promise.resolve(null) : new Promise<null>(() => {}),
            );
            return n;
          }),
        },
      );
    };
    const one = bosunOn(data);
    await one.start(make(false), { inputs: {}, runId: "r" });
    await reached.promise;
    await one.suspend();
    await one.close();

    const other = bosunOn(data);
    const resumed = await (await other.resume(make(true), "r")).ended;
    await other.close();

    expect(resumed).toMatchObject({ status: "done", output: 100, flowState: { n: 100 } });
    expect(settled).toBe(1);
  });

  it("fails a run that a fork of the mended flow brings to its end, and nothing is paid for again", async () => {
    const data = folder();
    const home = bosunOn(data);
    const calls: string[] = [];
    const failed = await failureOf(twoWriters({ bosun: home }, calls).kickoff({ runId: "r" }));
    const paid = [...calls];
    const mended = twoWriters({ reducers: joined }, calls);
    const forked = await (await home.fork(mended, "r")).ended;
    await home.close();

    expect(failed.code).toBe("flow/conflict");
    expect(paid).toEqual(["first", "second"]);
    expect(calls).toEqual(paid);
    expect(forked).toMatchObject({ status: "done", output: 3 });
    expect(callsOf(forked)).toEqual({ first: 1, second: 1, release: 1, after: 1 });
  });
});
