import { describe, expect, it } from "vitest";
import { flow, start } from "../src/flow.ts";
import { agent, crew, task } from "../src/index.ts";
import { bosunFor, failureOf } from "./flow/flow-scene.ts";
import { errorOf } from "./orchestration/run/scenario.ts";

const bosun = bosunFor();
const plain = agent({ role: "Writer", goal: "Write", bosun });
const write = task({ name: "write", description: "d", expectedOutput: "e", agent: plain });
const begin = start(() => null);
const made = {
  flow: flow("made", { bosun, initial: { n: 0 } }, { begin }),
  crew: crew({ name: "made", tasks: [write], bosun }),
};
const kinds = ["flow", "crew"] as const;

/** What a caller without types gives. */
const wrong = (value: unknown): never => value as never; // `as`: wrong on purpose

describe.each(kinds)("a kickoff of a %s", (kind) => {
  it.each([
    [null, "null"],
    [5, "5"],
    ["x", '"x"'],
    [[], "a list"],
  ])("refuses options that are none: %j", async (options, got) => {
    const one = made[kind];
    const errors = [
      await errorOf(one.kickoff(wrong(options))),
      await errorOf(one.stream(wrong(options)).next()),
    ];

    const message = `a kickoff of ${kind} "made": its options must be an object, as { inputs: { … } }, got ${got}`;
    for (const error of errors) expect(error).toMatchObject({ code: "usage", message });
  });

  it.each([
    [null, "null"],
    ["x", '"x"'],
    [[1], "a list"],
  ])("refuses inputs that are none: %j", async (inputs, got) => {
    const error = await errorOf(made[kind].kickoff(wrong({ inputs })));

    expect(error.code).toBe(kind === "flow" ? "flow/input" : "usage");
    expect(error.message).toContain(`inputs must be an object of values by name, got ${got}`);
  });
});

describe.each(kinds)("a kickoffForEach of a %s", (kind) => {
  it.each([
    [null, "null"],
    [undefined, "nothing"],
    ["abc", '"abc"'],
    [{ n: 1 }, "an object"],
  ])("refuses items that are no list: %j", async (items, got) => {
    const error = await errorOf(made[kind].kickoffForEach(wrong(items)));

    expect(error.code).toBe("usage");
    expect(error.message).toBe(
      `kickoffForEach: its items must be a list or an iterable of inputs, got ${got}`,
    );
  });

  it("refuses options that are none", async () => {
    const error = await errorOf(made[kind].kickoffForEach([], wrong(null)));

    expect(error.code).toBe("usage");
    expect(error.message).toContain(`kickoffForEach of ${kind} "made": its options`);
  });

  it("fails an item that is no inputs, and runs the others", async () => {
    const results = await made[kind].kickoffForEach([wrong(null), {}, wrong("x")]);

    expect(results.map(({ type }) => type)).toEqual(["failed", "done", "failed"]);
    const errors = results.map((one) => (one.type === "failed" ? one.error : undefined));
    expect(errors[0]).toMatchObject({ code: kind === "flow" ? "flow/input" : "usage" });
    expect(String(errors[0])).toContain("inputs must be an object of values by name, got null");
    expect(String(errors[2])).toContain('got "x"');
  });
});

describe("a kickoff of an agent", () => {
  it("refuses options that are none", async () => {
    const error = await errorOf(plain.kickoff("Why?", wrong(5)));

    expect(error.code).toBe("usage");
    expect(error.message).toContain('a kickoff of agent "Writer": its options must be an object');
  });
});

describe.each(kinds)("an abort of a %s", (kind) => {
  it.each([
    [new Error("why"), ": why"],
    ["too dear", ": too dear"],
    [undefined, ""],
  ])("brings its reason into the run's error: %s", async (reason, said) => {
    const abort = new AbortController();
    abort.abort(reason);
    const error = await failureOf(made[kind].kickoff({ signal: abort.signal }) as never); // `as`: only its failure is looked at

    expect(error.code).toBe("run/cancelled");
    expect(error.message).toMatch(new RegExp(`the run was cancelled by its caller${said}$`));
  });
});
