import { describe, expect, it } from "vitest";
import { createBosun } from "../../../src/bosun.ts";
import { createVirtualClock } from "../../../src/clock.ts";
import { crew } from "../../../src/crew.ts";
import type { Model, ModelRequest } from "../../../src/inference/model/model.ts";
import type { TokenCountFunction } from "../../../src/inference/model/token-count.ts";
import { estimatePrompt } from "../../../src/inference/model/tokens.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { scriptedModel, type Script } from "../../../src/test/scripted-model.ts";
import {
  byTask,
  costing,
  errorOf,
  eventsOf,
  job,
  only,
  promptOf,
  QUICK,
  requestsOf,
  scene,
  worker,
} from "./scenario.ts";

const CONTEXT = 4_096;
const ROOM = CONTEXT - 1_024;
const words = (tokens: number): string => "word".repeat(tokens);

/** A model whose server counts `factor` tokens where the estimate has one; `countTokens` says the same when `isExact`. */
function served(script: Script, options: { readonly factor: number; readonly isExact: boolean }) {
  const clock = createVirtualClock();
  const counts: number[] = [];
  const real = ({ messages, tools }: Pick<ModelRequest, "messages" | "tools">): number =>
    Math.ceil(estimatePrompt(messages, tools) * options.factor);
  const inner = scriptedModel(
    async (request, index) => {
      const reply = typeof script === "function" ? await script(request, index) : "";
      return typeof reply === "string" ? { text: reply, usage: costing(real(request)) } : reply;
    },
    { clock, contextTokens: CONTEXT },
  );
  const countTokens: TokenCountFunction = async (ask) => {
    counts.push(real(ask));
    return counts.at(-1);
  };
  const model: Model = {
    call: inner.call.bind(inner),
    contextTokens: inner.contextTokens.bind(inner),
    ...(options.isExact ? { countTokens: async (ask, signal) => countTokens(ask, signal) } : {}),
  };
  const bosun = createBosun({ data: false, env: {}, clock, model, retry: QUICK });
  return { bosun, requests: inner.requests, counts, real };
}

describe("the count before a call", () => {
  it("is not asked for where the estimate is far from the limit", async () => {
    const { bosun, counts } = served(() => "ok", { factor: 1, isExact: true });

    await crew({ name: "c", tasks: [job("a")], bosun }).kickoff();

    expect(counts).toEqual([]);
  });

  it("cuts nothing that fits exactly, though the estimate and its margin say that it does not", async () => {
    const { bosun, requests, counts } = served(byTask({ long: words(2_900), short: "ok" }), {
      factor: 0.9,
      isExact: true,
    });

    const { events } = await eventsOf(
      crew({ name: "c", tasks: [job("long"), job("short")], bosun }).stream(),
    );

    expect(only(events, "context-trim")).toEqual([]);
    expect(counts).toHaveLength(1);
    expect(promptOf(requests[1])).toContain(words(2_900));
  });

  it("cuts what the estimate would have let through", async () => {
    const { bosun, requests, real } = served(byTask({ long: words(2_400), short: "ok" }), {
      factor: 1.5,
      isExact: true,
    });

    const { events, error } = await eventsOf(
      crew({ name: "c", tasks: [job("long"), job("short")], bosun }).stream(),
    );

    expect(error).toBeUndefined();
    expect(only(events, "context-trim")).toHaveLength(1);
    const sent = requests[1];
    expect(sent && real(sent)).toBeLessThanOrEqual(ROOM);
    expect(sent && real(sent)).toBeGreaterThan(ROOM * 0.85);
  });

  it("is refused in the server's tokens when no cut is enough", async () => {
    const { bosun, requests } = served(() => "ok", { factor: 1.5, isExact: true });
    const big = tool({
      name: "big",
      description: words(2_100),
      parameters: { type: "object" },
      run: () => "",
    });

    const error = await errorOf(
      crew({
        name: "c",
        tasks: [job("a", { agent: worker("A", { tools: [big] }) })],
        bosun,
      }).kickoff(),
    );

    expect(error.code).toBe("model/context-length");
    expect(Number(error.details?.["promptTokens"])).toBeGreaterThan(3_100);
    expect(requests).toEqual([]);
  });

  it("is learned from replies where nobody can count: dense text is cut in time", async () => {
    const dense = words(2_000);
    const { bosun, requests, real } = served(byTask({ long: dense, short: "ok" }), {
      factor: 1.5,
      isExact: false,
    });
    const made = crew({ name: "c", tasks: [job("long"), job("short")], bosun });

    for (let run = 0; run < 8; run++) await made.kickoff();

    const shorts = requests.filter(({ hints }) => hints.path[0] === "task:short").map(real);
    expect(shorts[0]).toBeGreaterThan(2_900); // nothing was known: 2,000 words of 1.5 tokens just fit
    expect(Math.max(...shorts.slice(4))).toBeLessThanOrEqual(ROOM);
  });

  it("can be the user's own", async () => {
    const asked: unknown[] = [];
    const { bosun, model } = scene(byTask({ long: words(2_500), short: "ok" }), {
      contextTokens: CONTEXT,
      countTokens: ({ models, messages }) => {
        asked.push(models[0]);
        return estimatePrompt(messages) * 2;
      },
    });

    const { events } = await eventsOf(
      crew({ name: "c", tasks: [job("long"), job("short")], bosun }).stream(),
    );

    expect(asked.length).toBeGreaterThan(0);
    expect(only(events, "context-trim")).toMatchObject([{ part: "context:long", how: "cut" }]);
    const [sent] = requestsOf(model, "short");
    expect(2 * estimatePrompt(sent?.messages ?? [])).toBeLessThanOrEqual(ROOM);
  });
});

describe("the room", () => {
  it("keeps free what the answer may take: an answer as long as the context leaves none", async () => {
    const { bosun, model } = scene(() => "x", { contextTokens: 2_000 });

    const error = await errorOf(
      crew({ name: "c", tasks: [job("a", { maxTokens: 2_000 })], bosun }).kickoff(),
    );

    expect(error.code).toBe("model/context-length");
    expect(error.message).toMatch(/its answer up to 2000, but the model's context is 2000/);
    expect(model.requests).toEqual([]);
  });

  it.each([true, { budgetTokens: 4_000 }])(
    "keeps thinking free beside maxTokens: %j",
    async (thinking) => {
      const { bosun, model } = scene(byTask({ long: words(3_000), short: "ok" }), {
        contextTokens: 8_192,
      });
      const made = crew({
        name: "c",
        tasks: [job("long"), job("short", { thinking, maxTokens: 2_000 })],
        bosun,
      });

      await made.kickoff();

      const [sent] = requestsOf(model, "short");
      const budget = thinking === true ? 4_096 : 4_000;
      expect(estimatePrompt(sent?.messages ?? [])).toBeLessThanOrEqual(8_192 - 2_000 - budget);
      expect(sent?.settings).toMatchObject({ maxTokens: 2_000, thinking });
    },
  );
});

describe('fit: "summary"', () => {
  const LONG = Array.from({ length: 1_000 }, (_, n) => `Finding ${n}: nothing of note.`).join("\n");
  const answers: Script = ({ hints }) => {
    if (hints.purpose === "summary") return `Short: ${hints.path.at(-1)}.`;
    return hints.path[0] === "task:long" ? LONG : "ok";
  };

  it("has long outputs of earlier tasks summarised, and their tail too", async () => {
    const { bosun, model } = scene(answers, { contextTokens: CONTEXT });
    const made = crew({ name: "c", tasks: [job("long"), job("short")], fit: "summary", bosun });

    const { events, error } = await eventsOf(made.stream());

    expect(error).toBeUndefined();
    const summaries = model.requests.filter(({ hints }) => hints.purpose === "summary");
    expect(summaries.length).toBeGreaterThan(1);
    expect(summaries[0]?.hints.path).toEqual(["task:short", "turn:1", "context:long", "summary:1"]);
    expect(promptOf(summaries.at(-1))).toContain("Finding 999");
    expect(promptOf(model.requests.at(-1))).toContain("## long\nShort: summary:1.");
    const [trim] = only(events, "context-trim");
    expect(trim).toMatchObject({ part: "context:long", how: "summary" });
    expect(trim?.tokensAfter).toBeLessThan(trim?.tokensBefore ?? 0);
  });

  it("makes a summary once, however many turns its task takes", async () => {
    const look = tool({
      name: "look",
      description: "Looks",
      parameters: { type: "object" },
      run: () => "seen",
    });
    let turns = 0;
    const { bosun, model } = scene(
      (request, index) =>
        request.hints.path[0] === "task:short" && request.hints.purpose === "work" && turns++ < 3
          ? { calls: [{ tool: "look", arguments: {} }] }
          : typeof answers === "function"
            ? answers(request, index)
            : "",
      { contextTokens: CONTEXT },
    );
    const short = job("short", { agent: worker("S", { tools: [look] }) });

    const result = await crew({
      name: "c",
      tasks: [job("long"), short],
      fit: "summary",
      bosun,
    }).kickoff();

    const summaries = model.requests.filter(({ hints }) => hints.purpose === "summary");
    expect(new Set(summaries.map(({ hints }) => hints.path[1]))).toEqual(new Set(["turn:1"]));
    expect(result.purposes.summary?.calls).toBe(summaries.length);
    expect(requestsOf(model, "short").at(-1)?.messages[1]?.content).toContain("Short: summary:1.");
  });

  it("is a task's own word, over the crew's", async () => {
    const { bosun, model } = scene(answers, { contextTokens: CONTEXT });

    await crew({
      name: "c",
      tasks: [job("long"), job("short", { fit: "cut" })],
      fit: "summary",
      bosun,
    }).kickoff();

    expect(model.requests.some(({ hints }) => hints.purpose === "summary")).toBe(false);
  });

  it("still fits when a model's summaries are as long as what they are of (M1)", async () => {
    const { bosun, model } = scene(
      ({ hints }) => (hints.path[0] === "task:short" && hints.purpose === "work" ? "ok" : LONG),
      { contextTokens: CONTEXT },
    );

    const result = await crew({
      name: "c",
      tasks: [job("long"), job("short")],
      fit: "summary",
      bosun,
    }).kickoff();

    expect(result.status).toBe("done");
    expect(
      Math.max(...model.requests.map(({ messages }) => estimatePrompt(messages))),
    ).toBeLessThanOrEqual(ROOM);
    expect(model.requests.length).toBeLessThan(20);
  });
});
