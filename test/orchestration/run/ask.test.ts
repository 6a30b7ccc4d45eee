import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import type { Decision, Question } from "../../../src/orchestration/tool/approval.ts";
import { startedRun } from "./ask-scene.ts";
import { errorOf, eventsOf, job, only, scene, settle, thrownBy, worker } from "./scenario.ts";

const reviewed = (script: Parameters<typeof scene>[0], options: Parameters<typeof job>[1] = {}) => {
  const { bosun, model, clock } = scene(script);
  const tasks = [job("a", { humanInput: true, ...options })];
  return { bosun, model, clock, made: crew({ name: "c", tasks, bosun }) };
};

describe("a task with humanInput", () => {
  it("asks a person about its answer, and takes it when they approve", async () => {
    const asked: Question[] = [];
    const { made } = reviewed(["the answer"]);

    const result = await made.kickoff({
      runId: "r",
      onAsk: (question) => {
        asked.push(question);
        return { ok: true };
      },
    });

    expect(result.raw).toBe("the answer");
    expect(asked).toEqual([
      {
        runId: "r",
        name: "task:a/turn:1/review:1/ask",
        agent: "agent of a",
        task: "a",
        timeoutMs: 3_600_000,
        onTimeout: "reject",
        subject: "answer",
        text: "the answer",
      },
    ]);
  });

  it("takes what the person writes instead", async () => {
    const { made, model } = reviewed(["the answer"]);

    const { events } = await eventsOf(
      made.stream({ onAsk: () => ({ ok: true, edit: "my answer" }) }),
    );

    expect(only(events, "run-end")).toMatchObject([{ status: "done", raw: "my answer" }]);
    expect(only(events, "ask-end")).toMatchObject([{ answer: "edited", by: "person" }]);
    expect(model.requests).toHaveLength(1);
  });

  it("sends a rejection back to the agent with its reason, and asks about each new answer", async () => {
    const { made, model } = reviewed(["dull", "bright"]);

    const { events } = await eventsOf(
      made.stream({
        onAsk: (question) =>
          question.subject === "answer" && question.text === "dull"
            ? { ok: false, reason: "too dull" }
            : { ok: true },
      }),
    );

    expect(model.requests[1]?.messages.at(-1)?.content).toContain("too dull");
    expect(only(events, "ask-end")).toMatchObject([
      { answer: "rejected", by: "person", reason: "too dull" },
      { answer: "approved", by: "person" },
    ]);
    expect(only(events, "run-end")).toMatchObject([{ raw: "bright" }]);
  });

  it("fails after eleven rejections: even a person does not go on for ever", async () => {
    const { made, model } = reviewed(() => "dull");

    const error = await errorOf(made.kickoff({ onAsk: () => ({ ok: false, reason: "no" }) }));

    expect(error).toMatchObject({ code: "task/rejected", details: { reason: "no" } });
    expect(partialResult(error)?.tasks["a"]?.raw).toBe("dull");
    expect(model.requests).toHaveLength(11);
  });

  it("asks only about answers that pass the guardrails", async () => {
    const asked: string[] = [];
    const { made } = reviewed(["pear", "apple"], {
      guardrail: ({ raw }) => (raw === "apple" ? { ok: true } : { ok: false, reason: "r" }),
    });

    await made.kickoff({
      onAsk: (question) => {
        if (question.subject === "answer") asked.push(question.text);
        return { ok: true };
      },
    });

    expect(asked).toEqual(["apple"]);
  });

  it("with false asks nobody", async () => {
    const { made } = reviewed(["x"], { humanInput: false });

    const { events } = await eventsOf(made.stream());

    expect(only(events, "ask-start")).toEqual([]);
  });

  it("asks again about an edit that does not fit the task's schema, and says why", async () => {
    const { bosun } = scene(['{"n": 1}']);
    const schema = z.object({ n: z.number() });
    const one = task({
      name: "a",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      output: schema,
      humanInput: true,
    });
    const shown: unknown[] = [];
    const edits: Decision[] = [
      { ok: true, edit: "seven" },
      { ok: true, edit: { n: 7 } },
    ];

    const result = await crew({ name: "c", tasks: [one], bosun }).kickoff({
      onAsk: (question) => {
        if (question.subject === "answer") shown.push([question.text, question.issues?.length]);
        return edits.shift();
      },
    });

    expect(result.tasks.a.output).toEqual({ n: 7 });
    // What is shown is what an approval would let through: never the text that does not fit.
    expect(shown).toEqual([
      ['{"n":1}', undefined],
      ['{"n":1}', 1],
    ]);
  });

  it("lets an approval after an edit that does not fit take the answer that was shown", async () => {
    const { bosun } = scene(['{"n": 1}']);
    const one = task({
      name: "a",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      output: z.object({ n: z.number() }),
      humanInput: true,
    });
    const decisions: Decision[] = [{ ok: true, edit: "seven" }, { ok: true }];

    const made = crew({ name: "c", tasks: [one], bosun });
    const result = await made.kickoff({ onAsk: () => decisions.shift() });

    expect(result.tasks.a.output).toEqual({ n: 1 });
  });

  it.each<[string, unknown]>([
    ["a text", "yes"],
    ["an unknown option", { timeout: 3 }],
    ["no time", { timeoutMs: 0 }],
    ["an unknown default", { onTimeout: "maybe" }],
  ])("refuses %s", (_, humanInput) => {
    expect(thrownBy(() => job("a", { humanInput: humanInput as true })).code).toBe("crew/invalid");
  });
});

describe("an onAsk handler", () => {
  it("that throws leaves the question to its default at once: the model is not asked for another answer", async () => {
    const { made, model } = reviewed(["x", "y"]);

    const error = await errorOf(
      made.kickoff({
        onAsk: () => {
          throw new Error("the chat is down");
        },
      }),
    );

    expect(error.code).toBe("task/unanswered");
    expect(error.message).toContain("the chat is down");
    expect(model.requests).toHaveLength(1);
  });

  it.each([true, "ok", {}, { ok: "yes" }, { ok: true, edit: () => 1 }, { nobody: "asleep" }])(
    "that returns no decision (%j) leaves it to its default",
    async (returned) => {
      const { made } = reviewed(["x"]);

      const { events, error } = await eventsOf(
        made.stream({ onAsk: () => returned as unknown as Decision }),
      );

      expect(only(events, "ask-end")).toMatchObject([{ answer: "rejected", by: "nobody" }]);
      expect(error).toMatchObject({ code: "task/unanswered" });
    },
  );

  it("that returns nothing leaves the question to somebody else", async () => {
    const { bosun, made } = reviewed(["x"]);
    const { run, open } = await startedRun(bosun, made, { onAsk: () => undefined });

    const [name = ""] = open();
    const isTaken = run.answer(name, { ok: true });

    expect(isTaken).toBe(true);
    expect((await run.ended).status).toBe("done");
  });

  it("has its signal aborted when somebody else has answered, and when the run ends", async () => {
    const signals: AbortSignal[] = [];
    const { bosun, made } = reviewed(["x", "y"]);
    const { run, open } = await startedRun(bosun, made, {
      onAsk: (_, { signal }) => void signals.push(signal),
    });

    run.answer(open()[0] ?? "", { ok: false, reason: "no" });
    await settle();
    const afterAnswer = signals.map(({ aborted }) => aborted);
    run.cancel("enough");
    await run.ended;
    await settle();

    expect(afterAnswer).toEqual([true, false]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it("is asked about several questions at once, each under its own name", async () => {
    const { bosun } = scene((request) => `answer of ${request.hints.path[0]}`);
    const tasks = [job("a", { humanInput: true }), job("b", { humanInput: true })];
    const made = crew({ name: "c", tasks, process: "parallel", bosun });
    const { run, open } = await startedRun(bosun, made);

    const names = open();
    run.answer(names[1] ?? "", { ok: true, edit: "edited b" });
    run.answer(names[0] ?? "", { ok: true });
    const state = await run.ended;

    expect(new Set(names).size).toBe(2);
    expect(state.tasks).toMatchObject({ a: { raw: "answer of task:a" }, b: { raw: "edited b" } });
  });
});

describe("StartedRun.answer", () => {
  it("is true for the first answer, and false for every later one", async () => {
    const { bosun, made } = reviewed(["x"]);
    const { run, open } = await startedRun(bosun, made);
    const [name = ""] = open();

    const first = run.answer(name, { ok: true, edit: "first" });
    const second = run.answer(name, { ok: true, edit: "second" });
    const { raw } = await run.ended;

    expect([first, second, run.answer(name, { ok: true })]).toEqual([true, false, false]);
    expect(raw).toBe("first");
  });

  it("takes no answer to what has not been asked: nobody approves unseen", async () => {
    const { bosun, made } = reviewed(["x"]);
    const { run, open } = await startedRun(bosun, made, {
      onAsk: () => undefined,
    });

    const wrong = run.answer(`${open()[0]}!`, { ok: true });
    const right = [
      run.answer(open()[0] ?? "", { ok: true, edit: "mine" }),
      run.answer(open()[0] ?? "", { ok: true, edit: "again" }),
    ];

    expect(wrong).toBe(false);
    expect(right).toEqual([true, false]);
    expect((await run.ended).raw).toBe("mine");
  });

  it.each([
    undefined,
    null,
    true,
    "yes",
    {},
    { ok: 1 },
    { ok: true, edit: 1n },
    { ok: true, edit: () => 1 },
  ])("refuses what is no decision: %s", async (decision) => {
    const { bosun, made } = reviewed(["x"]);
    const { run, open } = await startedRun(bosun, made);

    const error = thrownBy(() => run.answer(open()[0] ?? "", decision as never));
    run.cancel("done");

    expect(error.code).toBe("usage");
    expect((await run.ended).status).toBe("cancelled");
  });
});
