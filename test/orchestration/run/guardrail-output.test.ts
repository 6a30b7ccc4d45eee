import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import { type Guardrail, maxWords } from "../../../src/orchestration/crew/guardrail.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import type { Script } from "../../../src/test/scripted-model.ts";
import { errorOf, job, scene, thrownBy, worker } from "./scenario.ts";

const must =
  (word: string, seen: string[] = []): Guardrail =>
  ({ raw }) => {
    seen.push(raw);
    return raw.includes(word) ? { ok: true } : { ok: false, reason: `say ${word}` };
  };

const guarded = (script: Script, options: Parameters<typeof job>[1]) => {
  const { bosun, model, clock } = scene(script);
  return { model, clock, made: crew({ name: "c", tasks: [job("a", options)], bosun }) };
};

describe("a guardrail of a task with a schema", () => {
  const schema = z.object({ n: z.coerce.number() });
  const typed = (script: Script, guardrail: Guardrail) => {
    const { bosun, model } = scene(script);
    const one = task({
      name: "a",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      output: schema,
      guardrail,
    });
    return { model, made: crew({ name: "c", tasks: [one], bosun }) };
  };

  it("sees the validated output, and only answers that fit", async () => {
    const seen: unknown[] = [];
    const { made, model } = typed(["no JSON", '{"n":"7"}'], ({ output }) => {
      seen.push(output);
      return { ok: true };
    });

    const result = await made.kickoff();

    expect(seen).toEqual([{ n: 7 }]);
    expect(result.tasks.a.output).toEqual({ n: 7 });
    expect(model.requests).toHaveLength(2);
  });

  it("may change the answer to another that fits", async () => {
    const { made } = typed(['{"n":1}'], () => ({ ok: true, raw: 'It is {"n": 2}.' }));

    const result = await made.kickoff();

    expect(result.tasks.a).toMatchObject({ output: { n: 2 }, raw: '{"n":2}' });
  });

  it("fails the task when it changes the answer to one that does not fit", async () => {
    const { made } = typed(['{"n":1}'], () => ({ ok: true, raw: '{"m":2}' }));

    const error = await errorOf(made.kickoff());

    expect(error.code).toBe("task/guardrail-failed");
    expect(error.message).toMatch(/does not fit the task's schema/);
  });

  it("has its new answers checked against the schema again", async () => {
    const { made, model } = typed(['{"n":1}', "two", '{"n":2}'], ({ output }) =>
      (output as { n: number }).n > 1 ? { ok: true } : { ok: false, reason: "more" },
    );

    const result = await made.kickoff();

    expect(result.tasks.a.output).toEqual({ n: 2 });
    expect(model.requests).toHaveLength(3);
  });
});

describe("a guardrail of a task whose answer is a tool's result", () => {
  it("checks that result, and the agent can call the tool again", async () => {
    const results = ["a pear", "an apple"];
    const fetch = tool({
      name: "fetch",
      description: "d",
      parameters: {},
      resultAsAnswer: true,
      run: () => results.shift(),
    });
    const call = { calls: [{ tool: "fetch", arguments: {} }] };
    const { made, model } = guarded([call, call], { guardrail: must("apple"), tools: [fetch] });

    const result = await made.kickoff();

    expect(result.raw).toBe("an apple");
    expect(model.requests).toHaveLength(2);
  });
});

describe("maxWords", () => {
  it("counts words, whatever is between them", async () => {
    const { made, model } = guarded(["one  two\nthree", "one two"], { guardrail: maxWords(2) });

    expect((await made.kickoff()).raw).toBe("one two");
    expect(model.requests[1]?.messages.at(-1)?.content).toContain(
      "The answer has 3 words; at most 2 are allowed.",
    );
  });
});

describe("guardrails that would do nothing", () => {
  it.each<[string, object]>([
    ["guardrailRetries without a guardrail", { guardrailRetries: 2 }],
    ["no guardrails", { guardrail: [] }],
    ["no words", { guardrail: " " }],
    ["a judge without criteria", { guardrail: { model: "m" } }],
    ["a judge with an unknown option", { guardrail: { judge: "j", strict: true } }],
    ["17 of them", { guardrail: Array.from({ length: 17 }, () => "x") }],
    ["retries that are no number", { guardrail: "x", guardrailRetries: -1 }],
  ])("are refused: %s", (_, options) => {
    expect(thrownBy(() => job("a", options)).code).toBe("crew/invalid");
  });
});
