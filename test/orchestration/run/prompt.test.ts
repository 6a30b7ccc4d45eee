import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import { agent } from "../../../src/orchestration/crew/agent.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { estimatePrompt } from "../../../src/inference/model/tokens.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { byTask, eventsOf, job, only, requestsOf, scene, worker } from "./scenario.ts";

const look = tool({
  name: "look",
  description: "Looks",
  parameters: z.object({ at: z.string() }),
  run: () => "seen",
});

describe("the prompts of a run", () => {
  it("are the same for two tasks of one agent up to the text of the task", async () => {
    const shared = worker("Writer", { backstory: "A long story.", tools: [look] });
    const facts = job("facts");
    const tasks = [
      facts,
      job("one", { agent: shared, context: [facts] }),
      job("two", { agent: shared, context: [facts] }),
    ];
    const { bosun, model } = scene(() => "the facts");

    await crew({ name: "c", tasks, process: "parallel", bosun }).kickoff();

    const [one, two] = ["one", "two"].map((name) => requestsOf(model, name)[0]);
    const bytes = [one, two].map((request) =>
      [
        JSON.stringify(request?.tools),
        ...(request?.messages ?? []).map(({ content }) => content),
      ].join("\n"),
    );
    const [a = "", b = ""] = bytes;
    let common = 0;
    while (common < a.length && a[common] === b[common]) common++;
    expect(a.slice(0, common)).toContain("the facts");
    expect(a.slice(common)).toMatch(/^one/);
    expect(b.slice(common)).toMatch(/^two/);
  });

  it("only grow at their end from turn to turn", async () => {
    const { bosun, model } = scene([
      { calls: [{ tool: "look", arguments: { at: "x" } }] },
      { calls: [{ tool: "look", arguments: { at: "y" } }] },
      "done",
    ]);

    await crew({
      name: "c",
      tasks: [job("a", { agent: worker("A", { tools: [look] }) })],
      bosun,
    }).kickoff();

    for (let n = 1; n < model.requests.length; n++) {
      const before = model.requests[n - 1]?.messages ?? [];
      expect(model.requests[n]?.messages.slice(0, before.length)).toEqual(before);
      expect(model.requests[n]?.tools).toEqual(model.requests[0]?.tools);
    }
  });

  it("have their placeholders filled: role, goal, backstory, description, expected output", async () => {
    const filled = agent({
      role: "{field} analyst",
      goal: "Know {field}",
      backstory: "Of {house}",
    });
    const asked = task({
      name: "t",
      description: "On {topic}",
      expectedOutput: "{n} facts",
      agent: filled,
    });
    const { bosun, model } = scene(() => "x");

    await crew({ name: "c", tasks: [asked], bosun }).kickoff({
      inputs: { field: "GPU", house: "{topic}", topic: ["a", { b: 1 }], n: 3 },
    });

    const said = model.requests[0]?.messages.map(({ content }) => content).join("\n");
    expect(said).toContain("GPU analyst");
    expect(said).toContain("Know GPU");
    expect(said).toContain("Of {topic}");
    expect(said).toContain('On ["a",{"b":1}]');
    expect(said).toContain("3 facts");
  });

  it("leave braces alone that are no placeholders", async () => {
    const text: string = 'Answer as {"a": 1} or {} or { x: [1, 2] }';
    const { bosun, model } = scene(() => "x");

    const odd = task({ name: "t", description: text, expectedOutput: "e", agent: worker("A") });
    await crew({ name: "c", tasks: [odd], bosun }).kickoff({ inputs: {} });

    expect(model.requests[0]?.messages[1]?.content).toContain('{"a": 1} or {} or { x: [1, 2] }');
  });

  it("show each call's parts only when asked", async () => {
    const { bosun } = scene(() => "x");
    const one = crew({ name: "c", tasks: [job("a")], bosun });

    const silent = await eventsOf(one.stream());
    const shown = await eventsOf(one.stream({ showPrompts: true }));

    expect(only(silent.events, "model-prompt")).toEqual([]);
    expect(only(shown.events, "model-prompt")).toHaveLength(1);
  });

  it("have parts whose sizes sum to the whole prompt's", async () => {
    const { bosun, model } = scene(
      byTask({
        facts: "some facts ".repeat(50),
        more: "more facts ".repeat(20),
        t: [{ calls: [{ tool: "look", arguments: { at: "x" } }] }, "done"],
      }),
    );
    const tasks = [job("facts"), job("more"), job("t", { agent: worker("A", { tools: [look] }) })];

    const { events } = await eventsOf(
      crew({ name: "c", tasks, bosun }).stream({ showPrompts: true }),
    );

    const prompts = only(events, "model-prompt");
    expect(prompts).toHaveLength(4);
    for (const [index, { parts }] of prompts.entries()) {
      const request = model.requests[index];
      const whole = estimatePrompt(request?.messages ?? [], request?.tools);
      const sum = parts.reduce((total, { tokens }) => total + tokens, 0);
      // Each part is rounded up by itself: at most one token a part.
      expect(
        Math.abs(sum - whole),
        `call ${index}: parts ${sum}, whole ${whole}`,
      ).toBeLessThanOrEqual(parts.length);
    }
    expect(prompts.at(-1)?.parts.map(({ part }) => part)).toEqual([
      "system",
      "tool:look",
      "context:facts",
      "context:more",
      "task",
      "turn:0:assistant",
      "turn:1:tool",
    ]);
  });

  it("carry the settings of the agent, over which those of the task win", async () => {
    const { bosun, model } = scene(() => "x");
    const tuned = worker("A", { temperature: 0.1, seed: 7, stop: ["END"], maxTokens: 100 });

    await crew({
      name: "c",
      tasks: [job("a", { agent: tuned, temperature: 0, maxTokens: 50 })],
      bosun,
    }).kickoff();

    expect(model.requests[0]?.settings).toMatchObject({
      temperature: 0,
      seed: 7,
      stop: ["END"],
      maxTokens: 50,
    });
  });
});
