import { describe, expect, it } from "vitest";
import { z } from "zod";
import { flow, start } from "../../src/flow.ts";
import type { JsonObject } from "../../src/json.ts";
import { bosunFor, failureOf } from "./flow-scene.ts";

const bosun = bosunFor();
const begin = start(({ state }) => ({ ...(state as JsonObject) })); // `as`: a draft is JSON

/** Says what no compiler has looked at. */
const wrong = (inputs: unknown): { readonly inputs: never } => ({ inputs: inputs as never });

describe("an input that is no field of the state", () => {
  const report = flow("report", { bosun, initial: { topic: "ships", words: 0 } }, { begin });

  it("is refused before anything runs when a field was meant", async () => {
    const error = await failureOf(report.kickoff(wrong({ toopic: "x" })));

    expect(error.code).toBe("flow/input");
    expect(error.message).toBe(
      'flow "report": its state has no field "toopic": did you mean "topic"? Its fields: topic, words',
    );
    expect(error.partial).toBeUndefined();
  });

  it("is one more field where no schema forbids it, and its name is no slip of the hand", async () => {
    const { output } = await report.kickoff(wrong({ audience: "all", topic: "x", topics: ["y"] }));

    expect(output).toEqual({ audience: "all", topic: "x", topics: ["y"], words: 0 });
  });

  it.each([
    ["drops it", z.object({ topic: z.string().default("x") })],
    ["refuses it", z.strictObject({ topic: z.string().default("x") })],
    ["misses the field", z.object({ topic: z.string() })],
    ["has no JSON Schema", z.object({ topic: z.string().default("x"), at: z.date().optional() })],
  ])("is refused with the field's name by a schema that %s", async (_, state) => {
    const typed = flow("typed", { bosun, state }, { begin });
    const error = await failureOf(typed.kickoff(wrong({ toopic: "x" })));

    expect(error.code).toBe("flow/input");
    expect(error.message).toContain('has no field "toopic": did you mean "topic"?');
  });

  it("is dropped by a schema when its name is like none, and kept by one that keeps it", async () => {
    const state = z.object({ topic: z.string().default("x") });
    const drops = flow("drops", { bosun, state }, { begin });
    const keeps = flow("keeps", { bosun, state: z.looseObject(state.shape) }, { begin });

    expect((await drops.kickoff(wrong({ audience: "all" }))).output).toEqual({ topic: "x" });
    expect((await keeps.kickoff(wrong({ toopic: "y" }))).output).toEqual({
      topic: "x",
      toopic: "y",
    });
  });
});

describe("an input of another type than the initial state's", () => {
  const initial = { n: 0, text: "", tags: ["a"], done: false, more: { a: 1 }, open: null };
  const typed = flow("typed", { bosun, initial }, { begin });

  it.each([
    [{ n: "4" }, 'the input "n" is a text, and its initial state has a number there'],
    [{ text: 4 }, 'the input "text" is a number, and its initial state has a text there'],
    [{ tags: {} }, 'the input "tags" is an object, and its initial state has a list there'],
    [{ done: "no" }, 'the input "done" is a text, and its initial state has true or false there'],
    [{ more: [1] }, 'the input "more" is a list, and its initial state has an object there'],
    [{ n: null }, 'the input "n" is null, and its initial state has a number there'],
  ])("is refused before anything runs: %j", async (inputs, says) => {
    const error = await failureOf(typed.kickoff(wrong(inputs)));

    expect(error.code).toBe("flow/input");
    expect(error.message).toBe(`flow "typed": ${says}`);
    expect(error.partial).toBeUndefined();
  });

  it("is taken where the initial state has null", async () => {
    expect((await typed.kickoff(wrong({ open: { any: 1 } }))).state).toEqual({
      ...initial,
      open: { any: 1 },
    });
  });

  it("is its schema's matter where there is one", async () => {
    const state = z.object({ n: z.union([z.number(), z.string()]) });
    const either = flow("either", { bosun, state, initial: { n: 0 } }, { begin });

    expect((await either.kickoff({ inputs: { n: "four" } })).output).toEqual({ n: "four" });
  });

  it("is not given at all when it is undefined", async () => {
    expect((await typed.kickoff(wrong({ n: undefined }))).state).toEqual(initial);
  });
});
