import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import type { Guardrail } from "../../../src/orchestration/crew/guardrail.ts";
import type { Script, ScriptedReply } from "../../../src/test/scripted-model.ts";
import { costing, errorOf, eventsOf, job, only, promptOf, scene, worker } from "./scenario.ts";

const NO = '{"ok": false, "reason": "too dry"}';
const YES = '{"ok": true}';

/** Answers of the agent and of the judge, in order. */
const scripts = (work: readonly ScriptedReply[], verdicts: readonly ScriptedReply[]): Script => {
  const [ours, theirs] = [[...work], [...verdicts]];
  return ({ hints }) =>
    (hints.purpose === "guardrail" ? theirs.shift() : ours.shift()) ?? "nothing left";
};

const judged = (script: Script, guardrail: Guardrail | readonly Guardrail[], options = {}) => {
  const { bosun, model } = scene(script, options);
  return { model, bosun, made: crew({ name: "c", tasks: [job("a", { guardrail })], bosun }) };
};

describe("a guardrail in words", () => {
  it("lets a model judge the answer by them", async () => {
    const { made, model } = judged(scripts(["a joke"], [YES]), "It is funny.");

    const result = await made.kickoff();

    expect(result.raw).toBe("a joke");
    const [, asked] = model.requests;
    expect(promptOf(asked)).toContain("It is funny.");
    expect(promptOf(asked)).toContain("a joke");
    expect(asked?.hints).toMatchObject({
      purpose: "guardrail",
      path: ["task:a", "turn:1", "guardrail:0", "turn:1"],
    });
    expect(asked?.settings).toMatchObject({ temperature: 0 });
    expect(asked?.output?.name).toBe("bosun_verdict");
  });

  it("sends the judge's reason back to the agent, and asks the judge about each new answer", async () => {
    const { made, model } = judged(scripts(["dry", "funny"], [NO, YES]), "It is funny.");

    const { events } = await eventsOf(made.stream());

    expect(only(events, "guardrail-end")).toMatchObject([
      { status: "refused", reason: "too dry" },
      { status: "passed" },
    ]);
    expect(model.requests[2]?.messages.at(-1)?.content).toContain("too dry");
    expect(promptOf(model.requests[3])).toContain("funny");
  });

  it("fails the task with the judge's last reason", async () => {
    const { made } = judged(({ hints }) => (hints.purpose === "guardrail" ? NO : "dry"), "Funny.");

    const error = await errorOf(made.kickoff());

    expect(error).toMatchObject({ code: "task/guardrail", details: { reason: "too dry" } });
  });

  it("stands as it is: a name in braces asks for no input", async () => {
    const { bosun, model } = scene(scripts(["x"], [YES]));
    const guardrail = "It is JSON like {name}.";

    await crew({ name: "c", tasks: [job("a", { guardrail })], bosun }).kickoff();

    expect(promptOf(model.requests[1])).toContain("It is JSON like {name}.");
  });

  it("is judged by the agent's own model, or by the one that it names", async () => {
    const own = scene(scripts(["x"], [YES])).model;
    const other = scene(() => YES).model;
    const models = { own, other };
    const { bosun } = scene([], { models });
    const agent = worker("A", { model: "own" });
    const run = async (guardrail: Guardrail): Promise<unknown> =>
      crew({ name: "c", tasks: [job("a", { agent, guardrail })], bosun }).kickoff();

    await run("Good.");
    const before = [own.requests.length, other.requests.length];
    await run({ judge: "Good.", model: "other" });

    expect(before).toEqual([2, 0]);
    expect([own.requests.length, other.requests.length]).toEqual([3, 1]);
  });

  it("stands among functions, in their order, and costs nothing when one before it refuses", async () => {
    const { made, model } = judged(scripts(["x", "an apple"], [YES]), [
      ({ raw }) => (raw.includes("apple") ? { ok: true } : { ok: false, reason: "no apple" }),
      "Good.",
    ]);

    await made.kickoff();

    expect(model.requests.map(({ hints }) => hints.purpose)).toEqual(["work", "work", "guardrail"]);
  });
});

describe("a judge's answer", () => {
  it("that is no verdict is asked for once more, with what is wrong", async () => {
    const { made, model } = judged(scripts(["x"], ["It is fine!", YES]), "Good.");

    const result = await made.kickoff();

    expect(result.raw).toBe("x");
    expect(model.requests[2]?.messages.slice(2)).toMatchObject([
      { role: "assistant", content: "It is fine!" },
      { role: "user", content: expect.stringContaining("does not fit the output format") },
    ]);
  });

  it("that is none again fails the task: nothing passes unjudged", async () => {
    const { made, model } = judged(scripts(["x"], ["fine", '{"ok": "yes"}', YES]), "Good.");

    const error = await errorOf(made.kickoff());

    expect(error.code).toBe("task/guardrail-failed");
    expect(error.message).toMatch(/gave no verdict/);
    expect(model.requests).toHaveLength(3);
  });

  it("that does not come keeps its model error, which no retry of the task repeats (M5)", async () => {
    const down = new BosunError("model/bad-request", "judge down");
    const { bosun, model } = scene(({ hints }) => (hints.purpose === "guardrail" ? down : "x"));
    const tasks = [job("a", { guardrail: "Good.", onError: "retry", retries: 3 })];

    const { events, error } = await eventsOf(crew({ name: "c", tasks, bosun }).stream());

    expect(error).toMatchObject({ code: "model/bad-request" });
    expect(model.requests).toHaveLength(2);
    expect(only(events, "task-end")).toMatchObject([{ status: "failed", raw: "x" }]);
  });
});

describe("what judges cost", () => {
  it("is counted apart from the work, and in the task's and the run's sum (C2)", async () => {
    const { made } = judged(
      scripts(
        [
          { text: "a", usage: costing(10) },
          { text: "b", usage: costing(20) },
        ],
        [
          { text: NO, usage: costing(100) },
          { text: YES, usage: costing(200) },
        ],
      ),
      "Good.",
    );

    const result = await made.kickoff();

    expect(result.purposes).toMatchObject({
      work: { calls: 2, usage: { input: { total: 30 } } },
      guardrail: { calls: 2, usage: { input: { total: 300 } } },
    });
    expect(result.agents).toMatchObject({
      "agent of a": { usage: { input: { total: 30 } } },
      "Guardrail judge": { usage: { input: { total: 300 } } },
    });
    expect(result.usage.input.total).toBe(330);
    expect(result.tasks.a.usage.input.total).toBe(330);
  });
});
