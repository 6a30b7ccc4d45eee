// What compiles and what does not. `tsc` checks this file: an expected error that does not come is an error itself. Nothing here
// runs a crew; the functions are never called.

import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { agent, crew, type CrewInputs, type InputValue, task, tool } from "../src/index.ts";
import { partialResult, type RunEvent, type RunResult } from "../src/index.ts";
import type { Json } from "../src/json.ts";

const plain = agent({ role: "Analyst", goal: "Find facts" });
const asking = agent({
  role: "{field} analyst",
  goal: "Know {field} of {place}",
  backstory: "Since { year }",
});

describe("the inputs of a kickoff", () => {
  it("are the placeholders of the tasks' texts", () => {
    const one = task({
      name: "one",
      description: "On {topic}",
      expectedOutput: "{words} words",
      agent: plain,
    });
    const made = crew({ name: "c", tasks: [one] });

    expectTypeOf<CrewInputs<(typeof made)["tasks"]>>().toEqualTypeOf<{
      readonly topic: InputValue;
      readonly words: InputValue;
    }>();
    const never = (): unknown[] => [
      made.kickoff({ inputs: { topic: "x", words: 5 } }),
      made.stream({ inputs: { topic: ["a"], words: { min: 1 } } }),
      made.kickoffForEach([{ topic: "x", words: 5 }]),
      // @ts-expect-error -- no inputs
      made.kickoff(),
      // @ts-expect-error -- a missing key
      made.kickoff({ inputs: { topic: "x" } }),
      // @ts-expect-error -- an extra key
      made.kickoff({ inputs: { topic: "x", words: 5, other: 1 } }),
      // @ts-expect-error -- a value that no prompt can hold
      made.kickoff({ inputs: { topic: "x", words: undefined } }),
      // @ts-expect-error -- a missing key of a stream
      made.stream({ inputs: { words: 5 } }),
      // @ts-expect-error -- a missing key of an item
      made.kickoffForEach([{ topic: "x" }]),
    ];
    expect(never).toBeTypeOf("function");
  });

  it("are those of the agents too: of role, goal and backstory", () => {
    const one = task({ name: "one", description: "d", expectedOutput: "e", agent: asking });
    const made = crew({ name: "c", tasks: [one] });

    expectTypeOf<keyof CrewInputs<(typeof made)["tasks"]>>().toEqualTypeOf<
      "field" | "place" | "year"
    >();
  });

  it("are those of several tasks together", () => {
    const one = task({ name: "one", description: "{a}", expectedOutput: "e", agent: plain });
    const two = task({
      name: "two",
      description: "{b}",
      expectedOutput: "{a}",
      agent: asking,
      context: [one],
    });
    const made = crew({ name: "c", tasks: [one, two] });

    expectTypeOf<keyof CrewInputs<(typeof made)["tasks"]>>().toEqualTypeOf<
      "a" | "b" | "field" | "place" | "year"
    >();
  });

  it("are those of a task that stands in, and of its agent", () => {
    const standIn = task({ name: "s", description: "{inner}", expectedOutput: "e", agent: asking });
    const one = task({
      name: "one",
      description: "{outer}",
      expectedOutput: "e",
      agent: plain,
      onError: standIn,
    });
    const made = crew({ name: "c", tasks: [one] });

    expectTypeOf<keyof CrewInputs<(typeof made)["tasks"]>>().toEqualTypeOf<
      "outer" | "inner" | "field" | "place" | "year"
    >();
  });

  it("may be left out when no text asks for one, and then none is taken", () => {
    const one = task({
      name: "one",
      description: 'Answer {"a": 1} or {}',
      expectedOutput: "e",
      agent: plain,
    });
    const made = crew({ name: "c", tasks: [one] });

    const never = (): unknown[] => [
      made.kickoff(),
      made.kickoff({}),
      made.kickoff({ inputs: {} }),
      made.stream({ showPrompts: true }),
      // @ts-expect-error -- nobody asks for it
      made.kickoff({ inputs: { topic: "x" } }),
    ];
    expect(never).toBeTypeOf("function");
  });

  it("are any when the texts are known only at run time", () => {
    const text: string = ["On", "{topic}"].join(" ");
    const one = task({ name: "one", description: text, expectedOutput: "e", agent: plain });
    const made = crew({ name: "c", tasks: [one] });

    const never = (): unknown => made.kickoff({ inputs: { topic: "x", anything: 1 } });
    expect(never).toBeTypeOf("function");
  });

  it("may hold those of agents that tasks name by text", () => {
    const one = task({
      name: "one",
      description: "{topic}",
      expectedOutput: "e",
      agent: "Helper of {team}",
    });
    const helper = agent({ role: "Helper of {team}", goal: "g" });
    const made = crew({ name: "c", tasks: [one], agents: [helper] });

    const never = (): unknown => made.kickoff({ inputs: { topic: "x", team: "blue" } });
    expect(never).toBeTypeOf("function");
  });

  it("may hold those of agents that tasks name by text when nothing else asks", () => {
    const one = task({ name: "one", description: "d", expectedOutput: "e", agent: "helper" });
    const made = crew({
      name: "c",
      tasks: [one],
      agents: [agent({ name: "helper", role: "Of {team}", goal: "g" })],
    });

    const never = (): unknown => made.kickoff({ inputs: { team: "blue" } });
    expect(never).toBeTypeOf("function");
  });

  it("are those of an agent's own name too", () => {
    const named = agent({ role: "r", goal: "g", name: "{who}" });
    const one = task({ name: "one", description: "d", expectedOutput: "e", agent: named });
    const made = crew({ name: "c", tasks: [one] });

    expectTypeOf<keyof CrewInputs<(typeof made)["tasks"]>>().toEqualTypeOf<"who">();
  });

  it("are found where the run finds them: in nested braces, over lines, with spaces", () => {
    const one = task({
      name: "one",
      description: `JSON like {"topic": {topic}, "n": 1} and {
        spaced
      } and {{doubled}}`,
      expectedOutput: "{ trimmed }",
      agent: plain,
    });
    const made = crew({ name: "c", tasks: [one] });

    expectTypeOf<keyof CrewInputs<(typeof made)["tasks"]>>().toEqualTypeOf<
      "topic" | "spaced" | "doubled" | "trimmed"
    >();
  });

  it("are not what a run takes for something else: numbers, sums, alternatives", () => {
    const one = task({
      name: "one",
      description: "{1number}, {a+b}, {a|b}, {a/b}",
      expectedOutput: "{topic}",
      agent: plain,
    });
    const made = crew({ name: "c", tasks: [one] });

    expectTypeOf<keyof CrewInputs<(typeof made)["tasks"]>>().toEqualTypeOf<"topic">();
  });
});

describe("the outputs of a result", () => {
  const Facts = z.object({ facts: z.array(z.string()), at: z.string().transform(Number) });
  const typed = task({
    name: "typed",
    description: "d",
    expectedOutput: "e",
    agent: plain,
    output: Facts,
  });
  const text = task({ name: "text", description: "d", expectedOutput: "e", agent: plain });

  it("have the type of the schema's output side, by the task's name", () => {
    const made = crew({ name: "c", tasks: [typed, text] });
    type Tasks = Awaited<ReturnType<typeof made.kickoff>>["tasks"];

    expectTypeOf<keyof Tasks>().toEqualTypeOf<"typed" | "text">();
    expectTypeOf<Tasks["typed"]["output"]>().toEqualTypeOf<{ facts: string[]; at: number }>();
    expectTypeOf<Tasks["text"]["output"]>().toEqualTypeOf<string>();
    const never = async (): Promise<void> => {
      const { tasks } = await made.kickoff();
      // @ts-expect-error -- no such task
      void tasks.other;
      // @ts-expect-error -- no such field
      void tasks.typed.output.nothing;
    };
    expect(never).toBeTypeOf("function");
  });

  it("may be absent under the policy continue", () => {
    const made = crew({ name: "c", tasks: [typed, text], policy: "continue" });
    type Tasks = Awaited<ReturnType<typeof made.kickoff>>["tasks"];

    expectTypeOf<Tasks["typed"]["output"]>().toEqualTypeOf<
      { facts: string[]; at: number } | undefined
    >();
    expectTypeOf<Tasks["text"]["output"]>().toEqualTypeOf<string | undefined>();
  });

  it("may be absent for a task that takes a partial text", () => {
    const partial = task({
      name: "p",
      description: "d",
      expectedOutput: "e",
      agent: plain,
      output: Facts,
      onError: "partial",
    });
    const partialText = task({
      name: "q",
      description: "d",
      expectedOutput: "e",
      agent: plain,
      onError: "partial",
    });
    const made = crew({ name: "c", tasks: [partial, partialText] });
    type Tasks = Awaited<ReturnType<typeof made.kickoff>>["tasks"];

    expectTypeOf<Tasks["p"]["output"]>().toEqualTypeOf<
      { facts: string[]; at: number } | undefined
    >();
    expectTypeOf<Tasks["q"]["output"]>().toEqualTypeOf<string>();
  });

  it("are there under fail-fast, and with onError fail and retry", () => {
    const retried = task({
      name: "r",
      description: "d",
      expectedOutput: "e",
      agent: plain,
      output: Facts,
      onError: "retry",
      retries: 2,
    });
    const made = crew({ name: "c", tasks: [retried], policy: "fail-fast" });
    type Tasks = Awaited<ReturnType<typeof made.kickoff>>["tasks"];

    expectTypeOf<Tasks["r"]["output"]>().toEqualTypeOf<{ facts: string[]; at: number }>();
  });

  it("are of either type when another task may stand in", () => {
    const other = task({
      name: "s",
      description: "d",
      expectedOutput: "e",
      agent: plain,
      output: z.number(),
    });
    const one = task({
      name: "one",
      description: "d",
      expectedOutput: "e",
      agent: plain,
      onError: other,
    });
    const made = crew({ name: "c", tasks: [one] });
    type Tasks = Awaited<ReturnType<typeof made.kickoff>>["tasks"];

    expectTypeOf<Tasks["one"]["output"]>().toEqualTypeOf<string | number>();
  });

  it("are Json for a JSON Schema", () => {
    const one = task({
      name: "one",
      description: "d",
      expectedOutput: "e",
      agent: plain,
      output: { type: "array" },
    });
    const made = crew({ name: "c", tasks: [one] });
    type Tasks = Awaited<ReturnType<typeof made.kickoff>>["tasks"];

    expectTypeOf<Tasks["one"]["output"]>().toEqualTypeOf<Json>();
  });

  it("come with a stream's return and with each item of kickoffForEach", () => {
    const made = crew({ name: "c", tasks: [typed] });
    type Streamed =
      ReturnType<typeof made.stream> extends AsyncGenerator<infer Event, infer Result>
        ? [Event, Result]
        : never;
    type Item = Awaited<ReturnType<typeof made.kickoffForEach>>[number];

    expectTypeOf<Streamed[0]>().toEqualTypeOf<RunEvent>();
    expectTypeOf<Streamed[1]["tasks"]["typed"]["output"]["at"]>().toEqualTypeOf<number>();
    expectTypeOf<
      Extract<Item, { type: "done" }>["result"]["tasks"]["typed"]["output"]["at"]
    >().toEqualTypeOf<number>();
  });

  it("of a partial result are unknown", () => {
    expectTypeOf(partialResult).returns.toEqualTypeOf<RunResult | undefined>();
  });
});

const writeWrongly = (): unknown[] => [
  // @ts-expect-error -- an unknown option
  agent({ role: "r", goal: "g", rolle: "x" }),
  // @ts-expect-error -- a missing goal
  agent({ role: "r" }),
  // @ts-expect-error -- an empty list of models
  agent({ role: "r", goal: "g", model: [] }),
  // @ts-expect-error -- a task without an expected output
  task({ name: "t", description: "d", agent: plain }),
  // @ts-expect-error -- an unknown way to go on
  task({ name: "t", description: "d", expectedOutput: "e", agent: plain, onError: "explode" }),
  // @ts-expect-error -- an unknown process
  crew({ name: "c", tasks: [], process: "consensual" }),
  // @ts-expect-error -- a context that is no task
  task({ name: "t", description: "d", expectedOutput: "e", agent: plain, context: ["one"] }),
];

describe("what a user writes", () => {
  it("does not compile with what no version takes", () => {
    expect(writeWrongly).toBeTypeOf("function");
  });

  it("gives a tool's arguments the type of their schema", () => {
    const made = tool({
      name: "t",
      description: "d",
      parameters: z.object({ n: z.number(), s: z.string().default("x") }),
      run(args, context) {
        expectTypeOf(args).toEqualTypeOf<{ n: number; s: string }>();
        expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
        return args.n;
      },
    });

    expect(made.name).toBe("t");
  });
});
