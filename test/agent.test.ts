import { describe, expect, it } from "vitest";
import { z } from "zod";
import { agent, crewOfAgent } from "../src/agent.ts";
import { crew } from "../src/crew.ts";
import { partialResult } from "../src/orchestration/run/result.ts";
import { task } from "../src/orchestration/crew/task.ts";
import { tool } from "../src/orchestration/tool/tool.ts";
import type { Script } from "../src/test/scripted-model.ts";
import {
  errorOf,
  eventsOf,
  only,
  promptOf,
  scene,
  thrownBy,
  worker,
} from "./orchestration/run/scenario.ts";

const alone = (script: Script) => {
  const { bosun, model, clock } = scene(script);
  return {
    bosun,
    model,
    clock,
    made: agent({ role: "Guide", goal: "Guide", backstory: "Old", bosun }),
  };
};

describe("an agent that kicks off alone", () => {
  it("answers a message, as the task `answer`", async () => {
    const { made, model } = alone(["left"]);

    const result = await made.kickoff("Where to?");

    expect(result).toMatchObject({
      status: "done",
      raw: "left",
      tasks: { answer: { output: "left", agent: "Guide", status: "done" } },
    });
    expect(model.requests[0]?.messages).toMatchObject([
      { role: "system", content: "You are Guide.\nGoal: Guide\nOld" },
      { role: "user", content: expect.stringContaining("# Task\nWhere to?\n") },
    ]);
  });

  it("yields its events, and leaving the loop cancels its run", async () => {
    const { made } = alone(["left", "right"]);

    const { events } = await eventsOf(made.stream("Where to?"));
    for await (const event of made.stream("And now?")) if (event.type === "model-start") break;

    expect(only(events, "run-start")).toMatchObject([
      { crew: "Guide", tasks: [{ name: "answer" }] },
    ]);
    expect(only(events, "run-end")).toMatchObject([{ status: "done", raw: "left" }]);
  });

  it("gives a typed output where it is asked for one", async () => {
    const { made } = alone(['{"steps": 3}']);

    const result = await made.kickoff("How far?", { output: z.object({ steps: z.number() }) });

    const { steps } = result.tasks.answer.output;
    expect(steps).toBe(3);
  });

  it("obeys a guardrail, an expected output and a time limit", async () => {
    const { made, model } = alone(["no", "yes please"]);

    const result = await made.kickoff("Ready?", {
      expectedOutput: "A polite yes",
      guardrail: ({ raw }) =>
        raw.includes("please") ? { ok: true } : { ok: false, reason: "rude" },
      timeoutMs: 1_000,
    });

    expect(result.raw).toBe("yes please");
    expect(promptOf(model.requests[0])).toContain("A polite yes");
  });

  it("uses its tools", async () => {
    const { bosun } = scene([{ calls: [{ tool: "look", arguments: {} }] }, "I saw it"]);
    const look = tool({ name: "look", description: "d", parameters: {}, run: () => "it" });

    const result = await agent({ role: "R", goal: "g", tools: [look], bosun }).kickoff("Look");

    expect(result.raw).toBe("I saw it");
  });

  it("takes its message as it is: braces in it ask for nothing", async () => {
    const { made, model } = alone(() => "x");

    await made.kickoff('What is {"a": {b}} and {message}?');

    expect(promptOf(model.requests[0])).toContain('What is {"a": {b}} and {message}?');
  });

  it("has the placeholders of its own texts filled, and misses those that are not given", async () => {
    const { bosun, model } = scene(() => "x");
    const expert = agent({ role: "{topic} expert", goal: "Know {topic}", bosun });

    const result = await expert.kickoff("Hello", { inputs: { topic: "Whale" } });
    const error = await errorOf(expert.kickoff("Hello", {} as never));

    expect(model.requests[0]?.messages[0]?.content).toContain("You are Whale expert.");
    expect(Object.keys(result.agents)).toEqual(["Whale expert"]);
    expect(error.code).toBe("crew/input-missing");
  });

  it("takes hooks, a person, tools and a number of retries, as a task does", async () => {
    const { made } = alone([{ calls: [{ tool: "look", arguments: {} }] }, "dull", "an apple"]);
    const look = tool({ name: "look", description: "d", parameters: {}, run: () => "it" });
    const seen: string[] = [];

    const result = await made.kickoff("Look", {
      tools: [look],
      guardrail: ({ raw }) => (raw === "dull" ? { ok: false, reason: "dull" } : { ok: true }),
      guardrailRetries: 1,
      humanInput: true,
      hooks: { onStep: ({ turn }) => void seen.push(`turn ${turn}`) },
      onAsk: (question) => {
        seen.push(question.subject);
        return { ok: true, edit: "two apples" };
      },
    });

    expect(result.raw).toBe("two apples");
    expect(seen).toEqual(["turn 1", "turn 2", "turn 3", "answer"]);
  });

  it("takes its expected output as it is: braces in it ask for nothing", async () => {
    const { made, model } = alone(() => "x");

    await made.kickoff("m", { expectedOutput: 'JSON: {"a": {b}}' });

    expect(promptOf(model.requests[0])).toContain('# Expected output\nJSON: {"a": {b}}');
  });

  it.each(["message", "expectedOutput"])("refuses an input that is its own: %s", async (name) => {
    const { bosun, model } = scene(() => "x");
    const asking = agent({ role: `{${name}} expert`, goal: "g", bosun });

    const error = await errorOf(
      asking.kickoff("m", { expectedOutput: "e", inputs: { [name]: "mine" } as never }),
    );

    expect(error.code).toBe("usage");
    expect(model.requests).toEqual([]);
  });

  it("talks in a session", async () => {
    const { made, model } = alone((_, index) => `answer ${index}`);

    await made.kickoff("My name is Ann.", { session: "ann" });
    await made.kickoff("Who am I?", { session: "ann" });

    expect(promptOf(model.requests[1])).toContain("User: My name is Ann.\nAnswer: answer 0");
  });

  it("throws for an end that is not done, with what there was", async () => {
    const { made } = alone(() => "");

    const error = await errorOf(made.kickoff("Hello"));

    expect(error.code).toBe("agent/empty-answer");
    expect(partialResult(error)).toMatchObject({
      status: "failed",
      tasks: { answer: { status: "failed" } },
    });
  });

  it("is cancelled by a signal", async () => {
    const controller = new AbortController();
    const { made } = alone(() => {
      controller.abort();
      return "x";
    });

    expect((await errorOf(made.kickoff("Hello", { signal: controller.signal }))).code).toBe(
      "run/cancelled",
    );
  });

  it("works at once for any number of runs, and in a crew", async () => {
    const { bosun, model } = scene(
      (request) => promptOf(request).match(/Say (\w)/)?.[1] ?? "in a crew",
    );
    const made = agent({ role: "Echo", goal: "g", bosun });
    const one = task({ name: "t", description: "d", expectedOutput: "e", agent: made });

    const results = await Promise.all([
      ...["a", "b", "c"].map((letter) => made.kickoff(`Say ${letter}`)),
      crew({ name: "c", tasks: [one], bosun }).kickoff(),
    ]);

    expect(results.map(({ raw }) => raw)).toEqual(["a", "b", "c", "in a crew"]);
    expect(model.requests).toHaveLength(4);
    expect(new Set(results.map(({ runId }) => runId)).size).toBe(4);
  });

  it.each([
    ["an unknown option", { retries: 3 }],
    ["no time", { timeoutMs: 0 }],
    ["no schema", { output: "json" }],
  ])("refuses %s", async (_, options) => {
    const { made, model } = alone(() => "x");

    const error = await errorOf(made.kickoff("m", options as never));

    expect(error.code).toBe("crew/invalid");
    expect(model.requests).toEqual([]);
  });

  it.each(["", "  ", undefined, 7])("refuses a message that is none: %j", async (message) => {
    const { made, model } = alone(() => "x");

    const error = await errorOf(made.kickoff(message as string));

    expect(error.code).toBe("usage");
    expect(model.requests).toEqual([]);
  });
});

describe("an agent's own crew", () => {
  it.each([
    ["Research analyst", "Research-analyst"],
    ["  (R&D) ", "R-D"],
    ["分析师", "agent"],
    ["42", "agent"],
    ["a".repeat(80), "a".repeat(64)],
  ])("is called as the agent is, in letters that a name may have: %j", (role, name) => {
    expect(crewOfAgent(worker(role)).name).toBe(name);
  });
});

describe("an agent with options that would do nothing", () => {
  it("is refused", () => {
    expect(
      thrownBy(() => agent({ role: "R", goal: "g", bosun: undefined, verbose: true } as never))
        .code,
    ).toBe("crew/invalid");
  });
});

describe("an input of an agent's kickoff", () => {
  it("is refused under the kickoff's own names: one would take the other's place", async () => {
    const { bosun } = scene(() => "x");
    const asked = agent({ role: "About {message}", goal: "Answer", bosun });

    const error = await errorOf(asked.kickoff("Why?", { inputs: { message: "mine" } }));

    expect(error).toMatchObject({ code: "usage" });
    expect(error.message).toContain('the input "message"');
  });
});
