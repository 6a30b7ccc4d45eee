import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { type GuardedAnswer, type Guardrail } from "../../../src/orchestration/crew/guardrail.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import type { Script } from "../../../src/test/scripted-model.ts";
import { errorOf, eventsOf, gate, job, only, scene, settle, worker } from "./scenario.ts";

const must =
  (word: string, seen: string[] = []): Guardrail =>
  ({ raw }) => {
    seen.push(raw);
    return raw.includes(word) ? { ok: true } : { ok: false, reason: `say ${word}` };
  };

const add =
  (letter: string): Guardrail =>
  ({ raw }) => ({ ok: true, raw: raw + letter });

const guarded = (script: Script, options: Parameters<typeof job>[1]) => {
  const { bosun, model, clock } = scene(script);
  return { model, clock, made: crew({ name: "c", tasks: [job("a", options)], bosun }) };
};

describe("a guardrail", () => {
  it("lets an answer through that it accepts, without a further call", async () => {
    const { made, model } = guarded(["an apple"], { guardrail: must("apple") });

    const { events } = await eventsOf(made.stream());

    expect(model.requests).toHaveLength(1);
    expect(only(events, "guardrail-end")).toMatchObject([
      { task: "a", agent: "agent of a", guardrail: 1, status: "passed" },
    ]);
    expect(only(events, "run-end")).toMatchObject([{ status: "done", raw: "an apple" }]);
  });

  it("sends its reason back to the agent, in the same conversation", async () => {
    const { made, model } = guarded(["a pear", "an apple"], { guardrail: must("apple") });

    const result = await made.kickoff();

    expect(result.raw).toBe("an apple");
    expect(model.requests[1]?.messages.slice(2)).toMatchObject([
      { role: "assistant", content: "a pear" },
      { role: "user", content: expect.stringContaining("say apple") },
    ]);
    expect(result.tasks.a.attempts).toBe(1);
  });

  it("refuses at most 1 + guardrailRetries answers; the last reason and answer are in the error", async () => {
    const { made, model } = guarded(["one", "two", "three", "four"], {
      guardrail: ({ raw }) => ({ ok: false, reason: `not ${raw}` }),
      guardrailRetries: 2,
    });

    const error = await errorOf(made.kickoff());

    expect(error).toMatchObject({ code: "task/guardrail", details: { reason: "not three" } });
    expect(error.message).toMatch(/refused after 2 retries: not three/);
    expect(model.requests).toHaveLength(3);
    expect(partialResult(error)?.tasks["a"]).toMatchObject({ status: "failed", raw: "three" });
  });

  it.each([
    [undefined, 4],
    [0, 1],
  ])("with guardrailRetries %s asks for %i answers", async (guardrailRetries, calls) => {
    const { made, model } = guarded(() => "x", { guardrail: must("apple"), guardrailRetries });

    await errorOf(made.kickoff());

    expect(model.requests).toHaveLength(calls);
  });

  it("has all of its retries in each run: nothing is used up by an earlier one", async () => {
    const answers = ["x", "x", "x", "an apple"];
    const { made } = guarded((_, index) => answers[index % 4] ?? "", {
      guardrail: must("apple"),
      guardrailRetries: 3,
    });

    const raws: string[] = [];
    for (let run = 0; run < 20; run++) raws.push((await made.kickoff()).raw);

    expect(new Set(raws)).toEqual(new Set(["an apple"]));
  });

  it("sees the task, the agent, the text and the run's inputs", async () => {
    const seen: GuardedAnswer[] = [];
    const { bosun } = scene(() => "x");
    const made = crew({
      name: "c",
      tasks: [
        task({
          name: "a",
          description: "About {topic}",
          expectedOutput: "e",
          agent: worker("A"),
          guardrail: (answer) => {
            seen.push(answer);
            return { ok: true };
          },
        }),
      ],
      bosun,
    });

    await made.kickoff({ inputs: { topic: "whales" } });

    expect(seen).toEqual([
      { task: "a", agent: "A", raw: "x", output: "x", inputs: { topic: "whales" } },
    ]);
  });

  it("may be async, and is waited for", async () => {
    const opened = gate();
    const { made } = guarded(["x"], {
      guardrail: async () => {
        await opened.promise;
        return { ok: true, raw: "y" };
      },
    });

    const running = made.kickoff();
    await settle();
    opened.resolve();

    expect((await running).raw).toBe("y");
  });

  it("that changes the answer changes the task's output, and what later tasks see", async () => {
    const { bosun, model } = scene(() => "  x ");
    const made = crew({
      name: "c",
      tasks: [job("a", { guardrail: ({ raw }) => ({ ok: true, raw: raw.trim() }) }), job("b")],
      bosun,
    });

    const { events } = await eventsOf(made.stream());

    expect(only(events, "guardrail-end")).toMatchObject([{ status: "changed" }]);
    expect(only(events, "task-end")[0]?.raw).toBe("x");
    expect(model.requests[1]?.messages[1]?.content).toContain("## a\nx\n");
  });

  it("may not answer for itself: what is no verdict fails the task and is not let through", async () => {
    for (const returned of [undefined, null, true, "ok", {}, { ok: "yes" }, { ok: true, raw: 1 }]) {
      const { made, model } = guarded(() => "x", { guardrail: (() => returned) as never });

      const error = await errorOf(made.kickoff());

      expect(error.code, JSON.stringify(returned)).toBe("task/guardrail-failed");
      expect(error.message).toContain("it must return { ok: true, raw? } or");
      expect(model.requests).toHaveLength(1);
    }
  });

  it("that refuses without a reason says so to the agent", async () => {
    const { made, model } = guarded(["x", "y"], {
      guardrail: (({ raw }: GuardedAnswer) => ({ ok: raw === "y" })) as never,
    });

    await made.kickoff();

    expect(model.requests[1]?.messages.at(-1)?.content).toContain("no reason was given");
  });

  it.each([
    [
      "at once",
      () => {
        throw new Error("the checker is broken");
      },
    ],
    ["later", () => Promise.reject(new Error("the checker is broken"))],
  ])(
    "that throws %s fails the task without another call; its answer is kept",
    async (_, guardrail) => {
      const { made, model } = guarded(() => "an answer", { guardrail });

      const { events, error } = await eventsOf(made.stream());

      expect(error).toMatchObject({ code: "task/guardrail-failed" });
      expect(model.requests).toHaveLength(1);
      expect(only(events, "guardrail-end")).toMatchObject([
        { status: "failed", reason: "the checker is broken" },
      ]);
      expect(only(events, "task-end")).toMatchObject([{ status: "failed", raw: "an answer" }]);
    },
  );

  it("that never returns ends with the task's time", async () => {
    const { bosun, clock } = scene(() => "x");
    const never = new Promise<never>(() => undefined);
    const tasks = [job("a", { guardrail: () => never, timeoutMs: 1_000 })];

    const running = errorOf(crew({ name: "c", tasks, bosun }).kickoff());
    await settle();
    await clock.advance(1_100);

    expect((await running).code).toBe("task/timed-out");
  });
});

describe("several guardrails", () => {
  it("are asked in order; the first that refuses ends the round", async () => {
    const seen: string[] = [];
    const { made } = guarded(["x", "apple", "apple pear"], {
      guardrail: [must("apple"), must("pear", seen)],
    });

    const { events } = await eventsOf(made.stream());

    expect(
      only(events, "guardrail-end").map(({ guardrail, status }) => `${guardrail} ${status}`),
    ).toEqual(["1 refused", "1 passed", "2 refused", "1 passed", "2 passed"]);
    expect(seen).toEqual(["apple", "apple pear"]);
  });

  it("share the task's retries", async () => {
    const answers = ["x", "apple", "x", "apple"];
    const { made, model } = guarded(answers, {
      guardrail: [must("apple"), must("pear")],
      guardrailRetries: 3,
    });

    const error = await errorOf(made.kickoff());

    expect(error.message).toContain("say pear");
    expect(model.requests).toHaveLength(4);
  });

  it("see what those before them made of the answer", async () => {
    const { made } = guarded(["x"], { guardrail: [add("a"), add("b"), add("c")] });

    expect((await made.kickoff()).raw).toBe("xabc");
  });

  it("start from the agent's own new answer after a refusal, not from a changed one", async () => {
    const { made } = guarded(["x", "apple"], {
      guardrail: [({ raw }) => ({ ok: true, raw: `${raw}!` }), must("apple")],
    });

    expect((await made.kickoff()).raw).toBe("apple!");
  });
});
