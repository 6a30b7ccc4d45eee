// What compiles and what does not, of a flow's inputs and of those of the crews in it. `tsc` checks this file; the functions are never
// called.

import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { type FlowInputs, flow, type FlowContext, start } from "../../src/flow.ts";
import { agent, crew, task } from "../../src/index.ts";
import type { JsonObject } from "../../src/json.ts";
import { type Crew, defineCrew } from "../../src/orchestration/crew/crew.ts";

const steps = { begin: start(() => null) };
const State = z.object({
  id: z.string(),
  total: z.number().default(0),
  items: z.array(z.string()).optional(),
});

describe("the inputs of a flow's kickoff", () => {
  it("are fields of its initial state, each of them optional", () => {
    const made = flow("f", { initial: { topic: "ships", words: 0, tags: ["a"] } }, steps);
    const never = (): unknown[] => [
      made.kickoff(),
      made.kickoff({ inputs: {} }),
      made.kickoff({ inputs: undefined }),
      made.kickoff({ inputs: { topic: "tides" } }),
      made.kickoff({ inputs: { topic: "tides", words: 5, tags: [] } }),
      made.stream({ inputs: { words: 5 } }),
      made.kickoffForEach([{ words: 5 }, { topic: "x" }]),
      // @ts-expect-error -- a text for a number
      made.kickoff({ inputs: { words: "five" } }),
      // @ts-expect-error -- numbers for texts
      made.kickoff({ inputs: { tags: [1] } }),
      // @ts-expect-error -- no field of the state
      made.kickoff({ inputs: { toopic: "x" } }),
      // @ts-expect-error -- one more than the state's fields
      made.kickoff({ inputs: { topic: "x", other: 1 } }),
      // @ts-expect-error -- a text for a number in a stream
      made.stream({ inputs: { words: "five" } }),
      // @ts-expect-error -- a text for a number in an item
      made.kickoffForEach([{ words: "five" }]),
      // @ts-expect-error -- no field of the state in an item
      made.kickoffForEach([{ topic: "x", other: 1 }]),
    ];
    expect(never).toBeTypeOf("function");
  });

  it("are fields of its schema, also those that must be there at last", () => {
    const made = flow("f", { state: State }, steps);
    const mixed = flow("f", { state: State, initial: { id: "a" } }, steps);
    const never = (): unknown[] => [
      made.kickoff({ inputs: { id: "a" } }),
      made.kickoff({ inputs: { id: "a", total: 1, items: ["x"] } }),
      mixed.kickoff({ inputs: { total: 1 } }),
      // @ts-expect-error -- a number for a text
      made.kickoff({ inputs: { id: 5 } }),
      // @ts-expect-error -- no field of the state
      made.kickoff({ inputs: { id: "a", totl: 1 } }),
      // @ts-expect-error -- no field of the state
      mixed.kickoff({ inputs: { totl: 1 } }),
    ];
    expect(never).toBeTypeOf("function");
  });

  it("are any JSON object where the state has no type", () => {
    const made = flow("f", {}, steps);
    const ofJson = flow("f", { state: { type: "object" } }, steps);
    const never = (): unknown[] => [
      made.kickoff({ inputs: { anything: [1, null], other: { deep: true } } }),
      made.kickoffForEach([{ anything: null }]),
      ofJson.kickoff({ inputs: { anything: 1 } }),
      // @ts-expect-error -- no JSON
      made.kickoff({ inputs: { when: new Date() } }),
    ];
    expectTypeOf<FlowInputs<JsonObject>>().toEqualTypeOf<JsonObject>();
    expect(never).toBeTypeOf("function");
  });

  it("give each result of kickoffForEach its item", () => {
    const made = flow("f", { initial: { n: 0 } }, steps);
    type Item = Awaited<ReturnType<typeof made.kickoffForEach>>[number]["item"];

    expectTypeOf<Item>().toEqualTypeOf<{ readonly n?: number }>();
  });
});

const plain = agent({ role: "Analyst", goal: "Find facts" });
const base = { expectedOutput: "e", agent: plain } as const;
const about = crew({
  name: "about",
  tasks: [task({ name: "one", description: "On {topic} in {words} words", ...base })],
});
const silent = crew({ name: "silent", tasks: [task({ name: "one", description: "d", ...base })] });
const helper = agent({ role: "Helper of {team}", goal: "g" });
const boss = agent({ role: "Boss of {place}", goal: "g" });
const managed = crew({
  name: "managed",
  tasks: [task({ name: "one", description: "{topic}", expectedOutput: "e" })],
  agents: [helper],
  manager: boss,
  process: "hierarchical",
});

const runAsking = ({ run }: FlowContext): unknown[] => [
  run(about, { topic: "x", words: 5 }),
  run(about, { topic: "x", words: 5 }, { key: "first" }),
  run(managed, { topic: "x", team: "blue", place: "here" }),
  // @ts-expect-error -- no inputs
  run(about),
  // @ts-expect-error -- a missing one
  run(about, { topic: "x" }),
  // @ts-expect-error -- a wrong name
  run(about, { topic: "x", word: 5 }),
  // @ts-expect-error -- one more
  run(about, { topic: "x", words: 5, other: 1 }),
  // @ts-expect-error -- a value that no prompt can hold
  run(about, { topic: "x", words: null }),
  // @ts-expect-error -- that of an agent who only gets delegated work is missing
  run(managed, { topic: "x", place: "here" }),
  // @ts-expect-error -- the manager's is missing
  run(managed, { topic: "x", team: "blue" }),
];

const runSilent = ({ run }: FlowContext): unknown[] => [
  run(silent),
  run(silent, {}, { key: "again" }),
  // @ts-expect-error -- nobody asks for it
  run(silent, { topic: "x" }),
];

const runTyped = async ({ run }: FlowContext): Promise<void> => {
  const { tasks } = await run(about, { topic: "x", words: 5 });
  expectTypeOf<keyof typeof tasks>().toEqualTypeOf<"one">();
};

describe("the inputs of a crew in a flow", () => {
  it("are the placeholders of its texts", () => {
    expect(runAsking).toBeTypeOf("function");
  });

  it("may be left out when no text asks for one, and then none is taken", () => {
    expect(runSilent).toBeTypeOf("function");
  });

  it("are any for a crew whose texts are known only at run time", () => {
    const text: string = ["On", "{topic}"].join(" ");
    const late = crew({ name: "c", tasks: [task({ name: "one", description: text, ...base })] });
    const general: Crew = defineCrew({ name: "c", tasks: late.tasks });
    const never = ({ run }: FlowContext): unknown[] => [
      run(late, { anything: 1 }),
      run(late),
      run(general, { anything: [null] }),
      run(general),
    ];
    expect(never).toBeTypeOf("function");
  });

  it("leave the result's tasks typed by their names", () => {
    expect(runTyped).toBeTypeOf("function");
  });
});
