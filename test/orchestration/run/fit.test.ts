import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import { estimatePrompt, estimateTokens } from "../../../src/inference/model/tokens.ts";
import { applyFit, cutMiddle, planFit } from "../../../src/orchestration/run/fit.ts";
import { type Conversation, toMessages } from "../../../src/orchestration/run/prompt.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import {
  byTask,
  errorOf,
  eventsOf,
  job,
  only,
  scene,
  seeded,
  thrownBy,
  worker,
} from "./scenario.ts";

const words = (tokens: number): string => "word".repeat(tokens);
const talk = (options: Partial<Conversation>): Conversation => ({
  system: "You are A.",
  sections: [],
  task: "# Task\nDo it",
  turns: [],
  ...options,
});
const turn = (n: number, tokens: number) =>
  [
    { role: "assistant", content: "", calls: [{ id: `${n}`, tool: "look", arguments: "{}" }] },
    { role: "tool", callId: `${n}`, tool: "look", content: words(tokens) },
  ] as const;

/** Tokens of a conversation that was cut to fit; undefined when no cut is enough. */
function fittedTokens(
  conversation: Conversation,
  room: Parameters<typeof planFit>[2],
): number | undefined {
  try {
    return estimatePrompt(toMessages(applyFit(conversation, planFit(conversation, [], room))));
  } catch (error) {
    if (error instanceof BosunError && error.code === "model/context-length") return undefined;
    throw error;
  }
}

describe("cutMiddle", () => {
  it("never leaves half a character", () => {
    for (let tokens = 64; tokens < 128; tokens++)
      expect(
        cutMiddle(`${"x".repeat(tokens % 3)}${"🚢".repeat(2_000)}`, tokens).isWellFormed(),
      ).toBe(true);
  });
});

describe("planFit", () => {
  it("cuts nothing when the context is unknown, however long the prompt is", () => {
    const cuts = planFit(talk({ sections: [{ name: "a", text: words(1_000_000) }] }), [], {
      contextTokens: undefined,
      reservedTokens: 2_000,
    });

    expect(cuts).toEqual([]);
  });

  it("cuts nothing that fits", () => {
    const cuts = planFit(talk({ sections: [{ name: "a", text: words(100) }] }), [], {
      contextTokens: 4_000,
      reservedTokens: 1_000,
    });

    expect(cuts).toEqual([]);
  });

  it("cuts the oldest tool results first, and the newest never", () => {
    const conversation = talk({
      sections: [{ name: "big", text: words(500) }],
      turns: [...turn(1, 300), ...turn(2, 900), ...turn(3, 800)],
    });

    const cuts = planFit(conversation, [], { contextTokens: 3_000, reservedTokens: 500 });

    expect(cuts.map(({ part }) => part)).toEqual(["turn:1:tool", "turn:3:tool"]);
    expect(cuts[0]).toEqual({ part: "turn:1:tool", tokensBefore: 300, tokensAfter: 64 });
  });

  it("cuts the largest sections when the tool results are not enough", () => {
    const conversation = talk({
      sections: [
        { name: "small", text: words(100) },
        { name: "large", text: words(2_000) },
        { name: "middle", text: words(500) },
      ],
      turns: [...turn(1, 300), ...turn(2, 10)],
    });

    const cuts = planFit(conversation, [], { contextTokens: 1_600, reservedTokens: 500 });

    expect(cuts.map(({ part }) => part)).toEqual(["turn:1:tool", "context:large"]);
  });

  it("refuses what cannot fit, with the numbers", () => {
    const error = thrownBy(() =>
      planFit(talk({ task: words(5_000) }), [], { contextTokens: 4_096, reservedTokens: 1_024 }),
    );

    expect(error.code).toBe("model/context-length");
    expect(error.details).toMatchObject({ contextTokens: 4_096, reservedTokens: 1_024 });
    expect(error.message).toMatch(/4096/);
    expect(error.message).toMatch(/maxTokens/);
  });

  it("refuses an answer that is longer than the whole context", () => {
    const error = thrownBy(() =>
      planFit(talk({}), [], { contextTokens: 1_000, reservedTokens: 2_000 }),
    );

    expect(error.code).toBe("model/context-length");
  });
});

describe("applyFit", () => {
  it("keeps the head and the tail of what it cuts and says how much is missing", () => {
    const text = `BEGIN ${words(1_000)} END`;
    const conversation = talk({ sections: [{ name: "a", text }] });

    const fitted = applyFit(conversation, [
      { part: "context:a", tokensBefore: 1_003, tokensAfter: 100 },
    ]);

    const [section] = fitted.sections;
    expect(section?.text).toMatch(/^BEGIN .*\d+ characters left out.* END$/s);
    expect(estimateTokens(section?.text ?? "")).toBeLessThanOrEqual(100);
  });

  it("makes every conversation fit that planFit accepts, whatever its texts are made of (M1)", () => {
    const random = seeded(7);
    const alphabets = ["word ", "字", "é", "🙂", "\n", "x"];
    const text = (): string => {
      let made = "";
      for (let part = 0; part < 4; part++)
        made += (alphabets[Math.floor(random() * alphabets.length)] ?? "").repeat(
          Math.floor(random() * 3_000),
        );
      return made;
    };
    let fitted = 0;
    for (let round = 0; round < 400; round++) {
      const conversation = talk({
        sections: Array.from({ length: Math.floor(random() * 4) }, (_, n) => ({
          name: `s${n}`,
          text: text(),
        })),
        turns: Array.from({ length: Math.floor(random() * 4) }, (_, n) => [
          turn(n, 0)[0],
          { ...turn(n, 0)[1], content: text() },
        ]).flat(),
      });
      const room = { contextTokens: 2_000 + Math.floor(random() * 20_000), reservedTokens: 500 };
      const promptTokens = fittedTokens(conversation, room);
      if (promptTokens !== undefined) fitted++;
      expect((promptTokens ?? 0) + room.reservedTokens, `round ${round}`).toBeLessThanOrEqual(
        room.contextTokens,
      );
    }
    expect(fitted).toBeGreaterThan(50);
  });
});

describe("the fit in a run", () => {
  it("is told by an event with the tokens before and after, before the call", async () => {
    const { bosun, model } = scene(byTask({ long: words(5_000), short: "ok" }), {
      contextTokens: 2_000,
    });

    const { events } = await eventsOf(
      crew({ name: "c", tasks: [job("long"), job("short")], bosun }).stream(),
    );

    const [trim] = only(events, "context-trim");
    expect(trim).toMatchObject({
      part: "context:long",
      tokensBefore: 5_000,
      path: ["task:short", "turn:1"],
    });
    expect(trim?.tokensAfter).toBeLessThan(2_000);
    const types = events.filter(({ path }) => path[0] === "task:short").map(({ type }) => type);
    expect(types.indexOf("context-trim")).toBeLessThan(types.indexOf("model-start"));
    expect(estimatePrompt(model.requests[1]?.messages ?? [])).toBeLessThan(2_000);
  });

  it("cuts nothing when nobody knows the context", async () => {
    const { bosun, model } = scene(byTask({ long: words(50_000), short: "ok" }));

    const { events } = await eventsOf(
      crew({ name: "c", tasks: [job("long"), job("short")], bosun }).stream(),
    );

    expect(only(events, "context-trim")).toEqual([]);
    expect(model.requests[1]?.messages[1]?.content).toContain(words(50_000));
  });

  it("ends in model/context-length before any call for what cannot fit", async () => {
    const { bosun, model } = scene(() => "x", { contextTokens: 256 });
    const big = tool({
      name: "big",
      description: words(1_000),
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
    expect(error.message).toMatch(/\b256\b/);
    expect(model.requests).toHaveLength(0);
  });

  it("reserves what a task asks for: maxTokens and thinking", async () => {
    const { bosun, model } = scene(() => "x", { contextTokens: 4_000 });

    const error = await errorOf(
      crew({
        name: "c",
        tasks: [job("a", { maxTokens: 1_000, thinking: { budgetTokens: 3_000 } })],
        bosun,
      }).kickoff(),
    );

    expect(error.code).toBe("model/context-length");
    expect(model.requests).toHaveLength(0);
  });

  it("cuts old tool results over many turns and keeps the newest whole", async () => {
    let n = 0;
    const chatty = tool({
      name: "chatty",
      description: "Says a lot",
      parameters: { type: "object" },
      run: () => `${words(400)} result ${++n}`,
    });
    const { bosun, model } = scene(
      (_request, index) => (index < 8 ? { calls: [{ tool: "chatty", arguments: {} }] } : "done"),
      { contextTokens: 2_400 },
    );

    const result = await crew({
      name: "c",
      tasks: [job("a", { agent: worker("A", { tools: [chatty] }) })],
      bosun,
    }).kickoff();

    expect(result.raw).toBe("done");
    for (const [index, request] of model.requests.entries()) {
      const newest = index === 0 ? "" : `${words(400)} result ${index}`;
      expect(estimatePrompt(request.messages, request.tools)).toBeLessThan(2_400);
      expect(request.messages.at(-1)?.content.endsWith(newest)).toBe(true);
    }
  });
});
