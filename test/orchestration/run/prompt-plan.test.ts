import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { endpoint } from "../../../src/inference/model/endpoint.ts";
import type { Crew } from "../../../src/orchestration/crew/crew.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { costing, errorOf, eventsOf, job, only, scene, worker } from "./scenario.ts";
import { randomRun } from "./random-run.ts";

const preview = async (
  made: Crew,
  options: Parameters<typeof scene>[1] = {},
  inputs: Record<string, string> = {},
) => {
  const { bosun, model } = scene(() => "never called", options);
  const plan = await bosun.preview(made, { inputs });
  expect(model.requests).toEqual([]);
  return plan;
};

const sumOf = (parts: readonly { readonly tokens: number }[] = []): number =>
  parts.reduce((sum, { tokens }) => sum + tokens, 0);

describe("a preview", () => {
  it("tells each task's prompt by part, as the run then sends it", async () => {
    const { bosun } = scene(() => ({ text: "x".repeat(400), usage: costing(1) }));
    const made = crew({ name: "c", tasks: [job("a", { maxTokens: 100 }), job("b")], bosun });

    const plan = await bosun.preview(made, { inputs: {} });
    const { events } = await eventsOf(made.stream({ showPrompts: true }));

    const [first, second] = plan.tasks;
    const [sentFirst, sentSecond] = only(events, "model-prompt");
    expect(first?.parts).toEqual(sentFirst?.parts.map(({ part, tokens }) => ({ part, tokens })));
    expect(first?.promptTokens).toBe(sumOf(sentFirst?.parts));
    expect(second?.parts.map(({ part }) => part)).toEqual(["system", "task", "context:a"]);
    // What was expected of a's answer is what its answer came to: 400 characters are 100 tokens.
    const off = Math.abs((second?.promptTokens ?? 0) - sumOf(sentSecond?.parts));
    expect(off).toBeLessThanOrEqual(2);
  });

  it("counts inputs apart from the texts that name them, and what is shown of those that are not pasted", async () => {
    const reading = task({
      name: "read",
      description: "Read {text}",
      expectedOutput: "A text",
      agent: worker("w"),
    });
    const made = crew({ name: "c", tasks: [reading] });

    const short = await preview(made, {}, { text: "word ".repeat(400) });
    const long = await preview(made, {}, { text: "word ".repeat(4_000) });

    const shown = [short, long].map(
      ({ tasks }) => tasks[0]?.parts.find(({ part }) => part === "inputs")?.tokens ?? 0,
    );
    expect(short.inputs).toEqual([{ name: "text", tokens: 500, isLarge: false }]);
    expect(long.inputs).toEqual([{ name: "text", tokens: 5_000, isLarge: true }]);
    expect(shown[0]).toBeGreaterThanOrEqual(498);
    expect(shown[0]).toBeLessThanOrEqual(500);
    expect(shown[1]).toBeLessThan(1_500);
    // Only who has tools to search and read an input takes further turns.
    expect(long.calls.most).toBeGreaterThan(short.calls.most);
    expect(short.notKnown).toEqual([]);
    expect(long.notKnown).toEqual(["tools' results and the further turns that read them (read)"]);
  });

  it("says what fits, what will be cut, and what is too long, with numbers", async () => {
    const tasks = [
      job("short", { maxTokens: 400 }),
      job("seeing", { maxTokens: 400 }),
      task({
        name: "long",
        description: "word ".repeat(1_000),
        expectedOutput: "A text",
        agent: worker("w", { maxTokens: 100 }),
        context: [],
      }),
    ];

    const plan = await preview(crew({ name: "c", tasks }), { contextTokens: 800 });

    expect(plan.tasks.map(({ fit }) => fit)).toEqual([
      { type: "fits", contextTokens: 800, leftTokens: expect.any(Number) },
      { type: "cut", contextTokens: 800, cutTokens: expect.any(Number) },
      { type: "too-long", contextTokens: 800, excessTokens: expect.any(Number) },
    ]);
    expect(plan.isFit).toBe(false);
  });

  it("says too long exactly where the run then refuses the call", async () => {
    for (const words of [200, 240, 244, 246, 248, 250, 252, 256, 300]) {
      const { bosun } = scene(() => "x", { contextTokens: 500 });
      const agent = worker("w", { maxTokens: 100 });
      const tasks = [
        task({ name: "t", description: "word ".repeat(words), expectedOutput: "A text", agent }),
      ];
      const made = crew({ name: "c", tasks, bosun });

      const { isFit } = await bosun.preview(made, { inputs: {} });
      const sent = await made.kickoff({ inputs: {} }).then(
        () => true,
        (error: unknown) => !String(error).includes("too many after every cut"),
      );

      expect(isFit, `${words} words`).toBe(sent);
    }
  });

  it("finds the widest moment, and the KV cache that it needs of a model of the catalogue", async () => {
    const model = endpoint({ url: "http://h/v1", model: "Qwen/Qwen3-8B", maxModelLen: 8_192 });
    const of = (name: string, maxTokens: number, context: ReturnType<typeof job>[] = []) =>
      job(name, { agent: worker(name, { model }), maxTokens, context });
    const first = of("first", 10);
    const tasks = [first, of("left", 1_000, [first]), of("right", 1_000, [first])];

    const { widest } = await preview(crew({ name: "c", tasks, process: "parallel" }));

    expect(widest.tasks).toEqual(["left", "right"]);
    expect(widest.tokens).toBeGreaterThan(2_000);
    expect(widest.kv).toEqual([
      // 2 × 36 layers × 8 KV heads × 128 × 2 bytes
      { model: "Qwen/Qwen3-8B at h", tokens: widest.tokens, bytes: widest.tokens * 147_456 },
    ]);
  });

  it("estimates the cost where every model has a price, and else names those that have none", async () => {
    const usdPerMillionTokens = { input: 1_000_000, output: 0 };
    const priced = endpoint({ url: "http://h/v1", maxModelLen: 8_192, usdPerMillionTokens });
    const agent = worker("w", { model: priced, maxTokens: 10 });

    const known = await preview(crew({ name: "c", tasks: [job("a", { agent })] }));
    const unknown = await preview(crew({ name: "c", tasks: [job("a", { agent }), job("b")] }));

    expect(known.cost).toMatchObject({ type: "estimated", amount: known.tasks[0]?.promptTokens });
    expect(unknown.cost).toEqual({ type: "unknown", models: ["given"] });
  });

  it("is no fit when the least of it would pass tokensPerRun", async () => {
    const made = crew({ name: "c", tasks: [job("a")], limits: { tokensPerRun: 10 } });

    const plan = await preview(made);

    expect(plan.limits).toEqual({ tokensPerRun: 10, usdPerRun: undefined });
    expect(plan.isFit).toBe(false);
  });

  it("fails as the run would: without an input, without a price", async () => {
    const { bosun } = scene(() => "x");
    const asking = task({ name: "a", description: "{x}", expectedOutput: "e", agent: worker("w") });
    const made = crew({ name: "c", tasks: [job("a")], limits: { usdPerRun: 1 } });

    const missing = await errorOf(
      bosun.preview(crew({ name: "c", tasks: [asking] }), { inputs: {} }),
    );
    const unpriced = await errorOf(bosun.preview(made, { inputs: {} }));

    expect([missing.code, unpriced.code]).toEqual(["crew/input-missing", "config/invalid"]);
  });

  it("says in words what no number can hold", async () => {
    const agent = worker("lead", { allowDelegation: true });
    const made = crew({
      name: "c",
      tasks: [job("a", { agent, guardrail: "is short", when: () => true })],
      agents: [worker("other")],
      planning: true,
    });

    const { notKnown } = await preview(made);

    expect(notKnown.join("\n")).toMatch(/given away.*mended.*judges.*plan.*condition/s);
  });
});

describe("the calls of a preview", () => {
  it("are what the loops' bounds allow", async () => {
    const made = crew({
      name: "c",
      planning: true,
      tasks: [
        job("plain"),
        job("checked", { guardrail: "is short", guardrailRetries: 2 }),
        job("maybe", { when: () => true, onError: "retry", retries: 2 }),
      ],
    });

    const { tasks, calls } = await preview(made);

    expect(tasks.map((one) => one.calls)).toEqual([
      { least: 1, most: 2 }, // an empty answer is asked for again
      { least: 2, most: 1 + 3 + 4 * 2 }, // one and three mended, each judged with one repeated question
      { least: 0, most: 6 },
    ]);
    expect(calls).toEqual({ least: 1 + 3, most: 2 + 2 + 12 + 6 });
  });

  it("count work that is given away as deep as it may be", async () => {
    const lead = worker("lead", { allowDelegation: true, maxIterations: 2 });
    const made = crew({
      name: "c",
      tasks: [job("a", { agent: lead })],
      agents: [worker("helper")],
      maxDelegations: 3,
      maxDelegationDepth: 1,
    });

    const { calls } = await preview(made);

    expect(calls).toEqual({ least: 1, most: 2 + 1 + 1 + 3 * (1 + 1) });
  });

  it("hold in random runs that are done", async () => {
    for (let seed = 1; seed <= 150; seed++) {
      const { crew: made, bosun } = randomRun(seed);
      const { calls } = await bosun.preview(made, { inputs: {} });

      const result = await made.kickoff().catch(() => undefined);
      if (result?.status !== "done") continue;

      const counted = Object.values(result.agents).reduce((sum, agent) => sum + agent.calls, 0);
      expect(counted, `seed ${seed}`).toBeGreaterThanOrEqual(calls.least);
      expect(counted, `seed ${seed}`).toBeLessThanOrEqual(calls.most);
    }
  });
});
