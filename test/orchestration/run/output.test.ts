import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { checkOutput, findJson } from "../../../src/orchestration/run/output.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { errorOf, scene, worker } from "./scenario.ts";

const Facts = z.object({ topic: z.string(), count: z.number().int() });
const look = tool({
  name: "look",
  description: "Looks",
  parameters: z.object({}),
  run: () => "seen",
});

const typed = (tools = [] as readonly (typeof look)[]) =>
  task({
    name: "facts",
    description: "d",
    expectedOutput: "e",
    agent: worker("Analyst", { tools }),
    output: Facts,
  });

describe("a task with a schema", () => {
  it("gives its output validated, and its raw as JSON text", async () => {
    const { bosun } = scene(['{"topic":"blocks","count":3}']);

    const { tasks } = await crew({ name: "c", tasks: [typed()], bosun }).kickoff();

    expect(tasks.facts.output).toEqual({ topic: "blocks", count: 3 });
    expect(JSON.parse(tasks.facts.raw)).toEqual({ topic: "blocks", count: 3 });
  });

  it("gives the output side of a schema that transforms, and shows the model the input side", async () => {
    const schema = z.object({
      n: z.string().transform((text) => text.length),
      d: z.number().default(7),
    });
    const job = task({
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      output: schema,
    });
    const { bosun, model } = scene(['{"n":"four"}']);

    const { tasks } = await crew({ name: "c", tasks: [job], bosun }).kickoff();

    expect(tasks.t.output).toEqual({ n: 4, d: 7 });
    expect(model.requests[0]?.output?.schema).toMatchObject({
      properties: { n: { type: "string" } },
      required: ["n"],
    });
  });

  it("asks the server for the format when no tools are offered", async () => {
    const { bosun, model } = scene(['{"topic":"x","count":1}']);

    await crew({ name: "c", tasks: [typed()], bosun }).kickoff();

    expect(model.requests[0]?.output?.name).toBe("facts");
    expect(model.requests[0]?.output?.schema).toMatchObject({ type: "object" });
  });

  it("does not ask for the format while tools are offered, but says it in the prompt", async () => {
    const { bosun, model } = scene([
      { calls: [{ tool: "look", arguments: {} }] },
      '{"topic":"x","count":1}',
    ]);

    const { tasks } = await crew({ name: "c", tasks: [typed([look])], bosun }).kickoff();

    expect(model.requests.map(({ output }) => output)).toEqual([undefined, undefined]);
    expect(model.requests[0]?.messages[1]?.content).toContain('"topic"');
    expect(tasks.facts.output.topic).toBe("x");
  });

  it("asks for the format in the last call and in a repair, which have no tools", async () => {
    const agent = worker("Analyst", { tools: [look], maxIterations: 1 });
    const job = task({
      name: "facts",
      description: "d",
      expectedOutput: "e",
      agent,
      output: Facts,
    });
    const { bosun, model } = scene([
      { calls: [{ tool: "look", arguments: {} }] },
      "no JSON",
      '{"topic":"x","count":1}',
    ]);

    await crew({ name: "c", tasks: [job], bosun }).kickoff();

    expect(model.requests.map(({ output }) => output !== undefined)).toEqual([false, true, true]);
  });

  it("sends an answer that does not fit back with its issues", async () => {
    const { bosun, model } = scene(['{"topic":"x","count":"three"}', '{"topic":"x","count":3}']);

    const { tasks } = await crew({ name: "c", tasks: [typed()], bosun }).kickoff();

    expect(tasks.facts.output.count).toBe(3);
    const [, repair] = model.requests;
    expect(repair?.hints.purpose).toBe("repair");
    expect(repair?.messages.at(-2)).toMatchObject({
      role: "assistant",
      content: '{"topic":"x","count":"three"}',
    });
    expect(repair?.messages.at(-1)?.content).toMatch(/value\/count/);
  });

  it("ends in task/output-invalid after two repairs, with the issues and the text", async () => {
    const { bosun, model } = scene(() => '{"topic":"x"}');

    const error = await errorOf(crew({ name: "c", tasks: [typed()], bosun }).kickoff());

    expect(error.code).toBe("task/output-invalid");
    expect(error.message).toMatch(/facts.*Analyst.*count/s);
    expect(model.requests).toHaveLength(3);
  });

  it("says that the answer was cut when it was", async () => {
    const { bosun } = scene(() => ({ text: '{"topic":"x', finish: "length" }));

    const error = await errorOf(crew({ name: "c", tasks: [typed()], bosun }).kickoff());

    expect(error.message).toContain("maxTokens");
  });

  it("reads JSON out of code fences and of prose around it", async () => {
    const answers = [
      '```json\n{"topic":"fence","count":1}\n```',
      'Sure!\n```\n{"topic":"fence","count":1}\n```\nAnything else?',
      'Here it is: {"topic":"fence","count":1}. Good luck.',
    ];
    for (const answer of answers) {
      const { bosun, model } = scene([answer]);
      const { tasks } = await crew({ name: "c", tasks: [typed()], bosun }).kickoff();
      expect(tasks.facts.output.topic).toBe("fence");
      expect(model.requests).toHaveLength(1);
    }
  });

  it("validates a tool's result that is the answer", async () => {
    const final = tool({
      name: "final",
      description: "Answers",
      parameters: z.object({}),
      run: () => "no facts at all",
      resultAsAnswer: true,
    });
    const job = task({
      name: "facts",
      description: "d",
      expectedOutput: "e",
      agent: worker("A", { tools: [final] }),
      output: Facts,
    });
    const { bosun } = scene((_request, index) =>
      index === 0 ? { calls: [{ tool: "final", arguments: {} }] } : "still no facts",
    );

    const outcome = await crew({ name: "c", tasks: [job], bosun })
      .kickoff()
      .then(
        ({ tasks }) => tasks.facts.status,
        (error: unknown) => error,
      );

    expect(outcome).toMatchObject({ code: "task/output-invalid" });
  });

  it("takes a tool's JSON result that is the answer and fits", async () => {
    const final = tool({
      name: "final",
      description: "Answers",
      parameters: z.object({}),
      run: () => ({ topic: "tool", count: 2 }),
      resultAsAnswer: true,
    });
    const job = task({
      name: "facts",
      description: "d",
      expectedOutput: "e",
      agent: worker("A", { tools: [final] }),
      output: Facts,
    });
    const { bosun } = scene([{ calls: [{ tool: "final", arguments: {} }] }]);

    const { tasks } = await crew({ name: "c", tasks: [job], bosun }).kickoff();

    expect(tasks.facts.output).toEqual({ topic: "tool", count: 2 });
  });

  it("may be described by JSON Schema", async () => {
    const job = task({
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      output: { type: "array", items: { type: "integer" }, minItems: 2 },
    });
    const { bosun, model } = scene(["[1]", "[1, 2]"]);

    const { tasks } = await crew({ name: "c", tasks: [job], bosun }).kickoff();

    expect(tasks.t.output).toEqual([1, 2]);
    expect(model.requests).toHaveLength(2);
  });
});

describe("findJson", () => {
  it("takes a whole text that is JSON, whatever it is", () => {
    expect(['{"a":1}', "[1]", "3", '"x"', "true"].map(findJson)).toEqual([
      { a: 1 },
      [1],
      3,
      "x",
      true,
    ]);
  });

  it("finds an object after a bracketed citation", () => {
    expect(findJson('As [1] says: {"a":1}')).toEqual({ a: 1 });
  });

  it("finds the JSON fence among several", () => {
    const text = '```text\nnot this\n```\nand\n```json\n{"a":{"b":"```"}}\n```';
    expect(findJson(text)).toEqual({ a: { b: "```" } });
  });

  it("finds nothing in prose", () => {
    expect(findJson("no braces here")).toBeUndefined();
    expect(findJson("a } before a {")).toBeUndefined();
  });

  it.each([
    ["newlines after a fence", "```json" + "\n".repeat(1_000_000)],
    ["a value that is too deep to be stored", "[".repeat(20_000) + "]".repeat(20_000)],
  ])("finds nothing in %s", (_what, text) => {
    expect(findJson(text)).toBeUndefined();
  });

  it("ends on a long text without JSON in little time", () => {
    const began = process.hrtime.bigint();
    findJson("{[".repeat(200_000));
    findJson("```".repeat(200_000));
    expect(Number(process.hrtime.bigint() - began) / 1e6).toBeLessThan(1_000);
  });
});

describe("checkOutput", () => {
  it("never rejects for a wrong answer", async () => {
    const wrong = ["", "null", "[]", "{}", '{"topic":1,"count":{}}', "\u0000"];
    const checks = await Promise.all(wrong.map((text) => checkOutput(text, Facts)));
    expect(checks.every(({ type }) => type === "invalid")).toBe(true);
  });
});
