import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import type { ModelRequest } from "../../../src/inference/model/model.ts";
import { estimatePrompt, estimateTokens } from "../../../src/inference/model/tokens.ts";
import { agent } from "../../../src/orchestration/crew/agent.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { analyse, analyst, call, CONTEXT, RECORD, run, searchThenSay } from "./input-scene.ts";
import { customerRecord } from "./record.ts";
import { errorOf, eventsOf, only, promptOf, scene } from "./scenario.ts";

const TEXTS = { name: "analyse", description: "{record}", expectedOutput: "An amount" } as const;
const namesOf = ({ tools = [] }: ModelRequest): readonly string[] => tools.map(({ name }) => name);
const resultOf = (request: ModelRequest | undefined): Record<string, unknown> =>
  JSON.parse(request?.messages.at(-1)?.content ?? "{}") as Record<string, unknown>;

describe("an input that is short", () => {
  it("is pasted, and there is no tool to read it", async () => {
    const { model, events } = await run(() => "ok", { record: "The deductible is 450 euros." });

    expect(promptOf(model.requests[0])).toContain("Record: The deductible is 450 euros.");
    expect(model.requests[0]?.tools ?? []).toEqual([]);
    expect(only(events, "input-read")).toEqual([]);
  });

  it("is one that has no more tokens than inlineTokens says", async () => {
    const record = "word ".repeat(500);
    const [pasted, kept] = [
      await run(() => "ok", { record, inlineTokens: estimateTokens(record) }),
      await run(() => "ok", { record, inlineTokens: estimateTokens(record) - 1 }),
    ];

    expect(promptOf(pasted.model.requests[0])).toContain(record);
    expect(promptOf(kept.model.requests[0])).not.toContain(record);
  });
});

describe("an input that is too long", () => {
  it("is shown by its size, its outline and its head, with the tools that read it", async () => {
    const { model } = await run(() => "ok");

    const prompt = promptOf(model.requests[0]);
    expect(prompt).toContain(`about ${estimateTokens(RECORD)} tokens`);
    expect(prompt).toContain(`${RECORD.length} characters, ${RECORD.split("\n").length} lines`);
    expect(prompt).toContain("1 Customer 4711");
    expect(prompt).toContain("Ann Lee, customer since 2011");
    expect(namesOf(model.requests[0] ?? ({} as ModelRequest))).toEqual([
      "search_input",
      "read_input",
    ]);
    expect(estimateTokens(prompt)).toBeLessThan(1_000);
  });

  it("is searched: the passage that answers comes back with its lines", async () => {
    const { model, error } = await run(searchThenSay);

    const results = resultOf(model.requests[1])["results"];
    expect(error).toBeUndefined();
    expect(JSON.stringify(results)).toContain("450 euros");
    expect(Array.isArray(results) && results[0]).toMatchObject({
      section: "Correspondence of 2013",
      lines: expect.stringMatching(/^\d+-\d+$/) as string,
    });
  });

  it("is read by lines and by passages, in bounded pieces that say where to go on", async () => {
    const { model } = await run((_, index) => {
      if (index === 0) return call("read_input", { input: "record", from: 100 });
      if (index === 1) return call("read_input", { passage: 3 });
      return index === 2 ? call("read_input", { from: 5, to: 6 }) : "done";
    });

    const [first, second, third] = model.requests.slice(1).map(resultOf);
    expect(first).toMatchObject({ input: "record", of: RECORD.split("\n").length });
    expect(estimateTokens(String(first?.["text"]))).toBeLessThanOrEqual(1_000);
    expect(first?.["lines"]).toBe(`100-${Number(first?.["next"]) - 1}`);
    expect(second?.["lines"]).toMatch(/^\d+-\d+$/);
    expect(third?.["text"]).toBe(RECORD.split("\n").slice(4, 6).join("\n"));
  });

  it("tells the model what is wrong with a call, and goes on", async () => {
    const { model, error } = await run((_, index) => {
      if (index === 0) return call("read_input", { from: 1_000_000 });
      if (index === 1) return call("read_input", { passage: 99_999 });
      return index === 2 ? call("search_input", { input: "other", query: "x" }) : "done";
    });

    expect(error).toBeUndefined();
    expect(model.requests[1]?.messages.at(-1)?.content).toMatch(/ends with line/);
    expect(model.requests[2]?.messages.at(-1)?.content).toMatch(/no passage 99999/);
    expect(model.requests[3]?.messages.at(-1)?.content).toMatch(/input/);
  });

  it("is reported with what of it was not read, in the result and by an event", async () => {
    const { events, result } = await run(searchThenSay);

    const done = await result();
    const [unread] = done.tasks.analyse.unread;
    const [read] = only(events, "input-read");
    expect(unread).toMatchObject({ input: "record", tokens: estimateTokens(RECORD) });
    expect(unread?.readTokens).toBeGreaterThan(100);
    expect(unread?.readTokens).toBeLessThan(3_000);
    expect(read).toMatchObject({ input: "record", characters: RECORD.length });
    const types = events.map(({ type }) => type);
    expect(types.indexOf("input-read")).toBeLessThan(types.indexOf("task-end"));
  });

  it("ends well at 200,000 tokens in a context of 8,192, and is reported also when the task fails", async () => {
    const record = customerRecord(200_000);

    const { model, error } = await run(searchThenSay, { record });
    const failed = await run((_, index) => (index === 0 ? call("read_input", {}) : ""), { record });

    expect(error).toBeUndefined();
    expect(model.requests[1]?.messages.at(-1)?.content).toContain("450 euros");
    const sizes = model.requests.map(({ messages, tools }) => estimatePrompt(messages, tools));
    expect(Math.max(...sizes)).toBeLessThan(CONTEXT - 2_048);
    expect(only(failed.events, "task-end")[0]?.status).toBe("failed");
    expect(partialResult(failed.error)?.tasks["analyse"]?.unread).toMatchObject([
      { input: "record", tokens: estimateTokens(record) },
    ]);
  });

  it("is read anew by each attempt: what the one before has read does not count", async () => {
    const again = task({ ...TEXTS, agent: analyst, onError: "retry" });
    const { bosun } = scene(
      (_, index) =>
        [call("read_input", { from: 1 }), "", "", call("read_input", { from: 200, to: 201 })][
          index
        ] ?? "450 euros",
      { contextTokens: CONTEXT },
    );

    const made = crew({ name: "c", tasks: [again], bosun });
    const result = await made.kickoff({ inputs: { record: RECORD } });

    expect(result.tasks.analyse.attempts).toBe(2);
    const [unread] = result.tasks.analyse.unread;
    expect(unread?.readTokens).toBeLessThan(400); // the head, and two lines
  });

  it("is not reported when all of it was read", async () => {
    const record = "A line of some words that says little.\n".repeat(80);
    const { bosun } = scene(
      (_, index) => (index < 2 ? call("read_input", { from: 1 + index * 60 }) : "ok"),
      {
        contextTokens: CONTEXT,
      },
    );

    const result = await crew({ name: "c", tasks: [analyse], bosun, inlineTokens: 500 }).kickoff({
      inputs: { record },
    });

    expect(result.tasks.analyse.unread).toEqual([]);
  });

  it("is not taken for read where a result had to be cut before the model saw it", async () => {
    const reads = Array.from({ length: 12 }, (_, n) => ({
      tool: "read_input",
      arguments: { from: 1 + n * 20 },
    }));
    const { events, model } = await run((_, index) => (index === 0 ? { calls: reads } : "ok"));

    const cut = only(events, "context-trim").filter(({ part }) => part.startsWith("turn:"));
    expect(cut.length).toBeGreaterThan(3);
    expect(estimatePrompt(model.requests[1]?.messages ?? [])).toBeLessThan(CONTEXT - 2_048);
    const characters = (only(events, "input-read")[0]?.ranges ?? []).reduce(
      (sum, [from, to]) => sum + to - from,
      0,
    );
    const shown = model.requests[1]?.messages.reduce((sum, { content }) => sum + content.length, 0);
    expect(characters).toBeLessThanOrEqual(shown ?? 0);
  });

  it("is read as lines of JSON when it is an object", async () => {
    const claims = Array.from({ length: 400 }, (_, id) => ({ id, amount: id * 10, note: "open" }));
    const { bosun, model } = scene(
      (_, index) => (index === 0 ? call("read_input", { from: 1, to: 5 }) : "ok"),
      { contextTokens: CONTEXT },
    );

    await crew({ name: "c", tasks: [analyse], bosun }).kickoff({
      inputs: { record: { customer: "Ann", claims } },
    });

    expect(promptOf(model.requests[0])).toContain("claims");
    expect(resultOf(model.requests[1])["text"]).toContain('  "customer": "Ann",\n  "claims": [');
  });

  it("gives tools to no task that does not have it", async () => {
    const other = task({
      name: "other",
      description: "Say hello",
      expectedOutput: "x",
      agent: analyst,
    });
    const { bosun, model } = scene(() => "ok", { contextTokens: CONTEXT });

    await crew({ name: "c", tasks: [other, analyse], bosun }).kickoff({
      inputs: { record: RECORD },
    });

    expect(model.requests[0]?.tools ?? []).toEqual([]);
    expect(model.requests[1]?.tools).toHaveLength(2);
  });

  it("is shown to the task whose agent has its placeholder, and only named in the agent's own text", async () => {
    const keeper = agent({ role: "Keeper", goal: "Know {record}" });
    const ask = task({ name: "ask", description: "Answer", expectedOutput: "x", agent: keeper });
    const { bosun, model } = scene(() => "ok", { contextTokens: CONTEXT });

    await crew({ name: "c", tasks: [ask], bosun }).kickoff({ inputs: { record: RECORD } });

    expect(model.requests[0]?.messages[0]?.content).toMatch(
      /Goal: Know \(the input "record", about \d+ tokens\)/,
    );
    expect(promptOf(model.requests[0])).toContain("Customer 4711");
  });

  it("can be read by the coworkers of its task, and what they read counts for the task", async () => {
    const clerk = agent({ role: "Clerk", goal: "Read" });
    const { bosun, model } = scene(
      (request) => {
        const { length } = request.messages;
        if (request.messages[0]?.content.startsWith("You are Clerk"))
          return length === 2 ? call("search_input", { query: "deductible water" }) : "450 euros";
        return length === 2
          ? call("delegate_work", { coworker: "Clerk", task: "Find the deductible", context: "" })
          : "450";
      },
      { contextTokens: CONTEXT },
    );
    const lone = task({
      name: "analyse",
      description: "Deductible? {record}",
      expectedOutput: "x",
    });

    const made = crew({
      name: "c",
      process: "hierarchical",
      agents: [clerk],
      tasks: [lone],
      bosun,
    });
    const { events, error } = await eventsOf(made.stream({ inputs: { record: RECORD } }));

    expect(error).toBeUndefined();
    const asked = model.requests.find(({ messages }) =>
      messages[0]?.content.startsWith("You are Clerk"),
    );
    expect(promptOf(asked)).toContain('The input "record" is too long');
    expect(only(events, "input-read").map(({ agent: who }) => who)).toEqual([
      "Clerk",
      expect.any(String),
    ]);
  });

  it("makes the plan's prompt no longer", async () => {
    const { bosun, model } = scene(
      (request) => (request.hints.purpose === "plan" ? '{"plans":[]}' : "ok"),
      { contextTokens: CONTEXT },
    );

    await crew({ name: "c", tasks: [analyse], planning: true, bosun }).kickoff({
      inputs: { record: RECORD },
    });

    expect(estimatePrompt(model.requests[0]?.messages ?? [])).toBeLessThan(600);
  });

  it("needs the names of its tools for itself", async () => {
    const own = tool({
      name: "read_input",
      description: "x",
      parameters: { type: "object" },
      run: () => "",
    });
    const reader = agent({ role: "Reader", goal: "x", tools: [own] });
    const { bosun, model } = scene(() => "ok");
    const made = crew({
      name: "c",
      tasks: [task({ name: "t", description: "{record}", expectedOutput: "x", agent: reader })],
      bosun,
    });

    const error = await errorOf(made.kickoff({ inputs: { record: RECORD } }));

    expect(error.code).toBe("crew/duplicate-name");
    expect(model.requests).toEqual([]);
    expect((await made.kickoff({ inputs: { record: "short" } })).status).toBe("done");
  });
});
