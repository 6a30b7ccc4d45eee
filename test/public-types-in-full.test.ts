// What compiles and what does not, of crews in full. `tsc` checks this file; the functions are never called.

import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { agent, crew, maxWords, task } from "../src/index.ts";
import type { Json } from "../src/json.ts";

const plain = agent({ role: "Analyst", goal: "Find facts" });
const asking = agent({ role: "{field} analyst", goal: "Find facts" });

describe("a task with a condition", () => {
  it("may have no output, also with a schema", async () => {
    const base = { description: "d", expectedOutput: "e", agent: plain } as const;
    const text = task({
      name: "text",
      ...base,
      when: ({ tasks, inputs }) => tasks["a"]?.status === "done" && "x" in inputs,
    });
    const typed = task({
      name: "typed",
      ...base,
      output: z.object({ n: z.number() }),
      when: async ({ tasks }) => tasks["text"]?.output !== undefined,
    });
    const always = task({ name: "always", ...base });
    const made = crew({ name: "c", tasks: [text, typed, always] });
    const never = async (): Promise<void> => {
      const { tasks } = await made.kickoff();
      expectTypeOf(tasks.text.output).toEqualTypeOf<string | undefined>();
      expectTypeOf(tasks.typed.output).toEqualTypeOf<{ n: number } | undefined>();
      expectTypeOf(tasks.always.output).toEqualTypeOf<string>();
    };
    expect(never).toBeTypeOf("function");
  });
});

const kickOffAlone = (): unknown[] => [
  plain.kickoff("About {anything}"),
  asking.kickoff("Why?", { inputs: { field: "x" } }),
  // @ts-expect-error -- the agent's own placeholder
  asking.kickoff("Why?"),
  // @ts-expect-error -- an input that the agent does not have
  asking.kickoff("Why?", { inputs: { other: "x" } }),
];

const answerTyped = async (): Promise<void> => {
  const one = await plain.kickoff("Why?");
  const two = await plain.kickoff("Why?", { output: z.object({ n: z.number() }) });
  expectTypeOf(one.tasks.answer.output).toEqualTypeOf<string>();
  expectTypeOf(two.tasks.answer.output).toEqualTypeOf<{ n: number }>();
};

describe("an agent that kicks off alone", () => {
  it("needs the inputs of its own texts, and none for the message", () => {
    expect(kickOffAlone).toBeTypeOf("function");
  });

  it("has an output typed by its schema", () => {
    expect(answerTyped).toBeTypeOf("function");
  });
});

describe("guardrails, people and hooks", () => {
  it("are typed by what they get and may return", () => {
    const base = { name: "t", description: "d", expectedOutput: "e", agent: plain } as const;
    const never = (): unknown[] => [
      task({ ...base, guardrail: [maxWords(5), "criteria", { judge: "criteria" }] }),
      task({ ...base, guardrail: ({ raw }) => ({ ok: raw.length > 5, reason: "short" }) }),
      // @ts-expect-error -- no verdict
      task({ ...base, guardrail: ({ raw }) => raw.length > 5 }),
      // @ts-expect-error -- an unknown default
      task({ ...base, humanInput: { onTimeout: "ask" } }),
      crew({
        name: "c",
        tasks: [task(base)],
        hooks: {
          beforeToolCall: ({ tool, arguments: text }) =>
            tool === "x" ? { block: text } : undefined,
          afterKickoff: { run: ({ raw }) => ({ raw: raw.trim() }), failClosed: true },
          onTask: async ({ status }) => void status,
        },
      }),
      // @ts-expect-error -- a hook that may not change that
      crew({ name: "c", tasks: [task(base)], hooks: { onStep: () => ({ text: "x" }) } }),
      // @ts-expect-error -- an unknown hook
      crew({ name: "c", tasks: [task(base)], hooks: { beforeTask: () => undefined } }),
    ];
    expect(never).toBeTypeOf("function");
  });

  it("take a question with its subject's own fields, and give a decision", () => {
    const made = crew({
      name: "c",
      tasks: [task({ name: "t", description: "d", expectedOutput: "e", agent: plain })],
    });
    const never = (): unknown =>
      made.kickoff({
        session: { id: "s", maxTokens: 500 },
        onAsk: (question, { signal }) => {
          if (signal.aborted) return undefined;
          if (question.subject === "tool") {
            expectTypeOf(question.arguments).toExtend<{
              readonly [key: string]: Json | undefined;
            }>();
            return { ok: true, edit: { to: "x" } };
          }
          return question.text === "" ? { ok: false, reason: "empty" } : { ok: true };
        },
      });
    expect(never).toBeTypeOf("function");
  });
});
