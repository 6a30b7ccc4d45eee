import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../../src/json.ts";
import { createVirtualClock } from "../../../../src/clock.ts";
import { isBosunError } from "../../../../src/error.ts";
import { createExtractive } from "../../../../src/inference/local/extractive/extractive.ts";
import { MARKER } from "../../../../src/inference/local/extractive/own-line.ts";
import { estimatePrompt, estimateTokens } from "../../../../src/inference/model/tokens.ts";
import {
  agentMessages,
  ALL_RESULTS,
  eventsOf,
  replyTo,
  requestOf,
  SEARCH,
  searchTurn,
} from "./chat.ts";

const MESSAGES = [
  ...agentMessages({ task: "Research the KV cache and its blocks", expected: "A report" }),
  ...searchTurn("kv cache", ALL_RESULTS),
];

describe("a call to the extractive model", () => {
  it("starts, streams the text in groups of words, and ends with the whole", async () => {
    const events = await eventsOf(requestOf(MESSAGES));

    expect(events[0]).toEqual({
      type: "start",
      endpoint: "embedded",
      model: "extractive",
      attempt: 1,
    });
    const end = events.at(-1);
    const deltas = events
      .slice(1, -1)
      .map((event) => (event.type === "text-delta" ? event.text : "?"));
    expect(deltas.length).toBeGreaterThan(10);
    expect(end).toMatchObject({
      type: "end",
      text: deltas.join(""),
      finish: { unified: "stop" },
      endpoint: "embedded",
      model: "extractive",
    });
  });

  it("counts its tokens and says that they are estimated", async () => {
    const reply = await replyTo(MESSAGES, { tools: [SEARCH] });

    expect(reply.usage.source).toBe("estimated");
    expect(reply.usage.input.total).toBeGreaterThanOrEqual(estimatePrompt(MESSAGES, [SEARCH]));
    expect(reply.usage.output.total).toBe(estimateTokens(reply.text));
  });

  it("takes its times from the clock that it is given", async () => {
    const reply = await replyTo(MESSAGES, {}, { clock: createVirtualClock() });

    expect(reply.timings).toEqual({ queueMs: 0, firstTokenMs: 0, totalMs: 0 });
  });

  it("gives only its end when no stream is wanted", async () => {
    const events = await eventsOf(requestOf(MESSAGES, { stream: false }));

    expect(events.map((event) => event.type)).toEqual(["start", "end"]);
  });

  it("is cut at maxTokens and says so", async () => {
    const reply = await replyTo(MESSAGES, { settings: { maxTokens: 10 } });

    expect(reply.finish).toEqual({ unified: "length", raw: "length" });
    expect(reply.usage.output.total).toBeLessThanOrEqual(10);
  });

  it("is planned to fit maxTokens when there is room for a sentence", async () => {
    const reply = await replyTo(MESSAGES, { settings: { maxTokens: 80 } });

    expect(reply.finish.unified).toBe("stop");
    expect(reply.usage.output.total).toBeLessThanOrEqual(80);
    expect(reply.text).toMatch(/\]$/);
  });

  it("ends before the first of its stop texts", async () => {
    const reply = await replyTo(MESSAGES, { settings: { stop: ["never there", " network"] } });

    expect(reply.text).toBe("*model: extractive (no neural");
    expect(reply.finish.unified).toBe("stop");
  });

  it("stops between two deltas when its signal aborts, and the error carries what was said", async () => {
    const controller = new AbortController();
    let text = "";

    const call = async (): Promise<void> => {
      for await (const event of createExtractive().call(requestOf(MESSAGES), controller.signal)) {
        if (event.type !== "text-delta") continue;
        text += event.text;
        controller.abort(new Error("enough"));
      }
    };

    const error = await call().catch((reason: unknown) => reason);
    expect(isBosunError(error) && error.code).toBe("model/cancelled");
    expect(isBosunError(error) && error.details).toMatchObject({
      text,
      usage: { source: "estimated" },
    });
    expect(text.match(/\S+/g)).toHaveLength(4);
  });

  it("does not begin when its signal is aborted already", async () => {
    const stream = createExtractive().call(requestOf(MESSAGES), AbortSignal.abort());

    await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: "model/cancelled",
    });
  });
});

describe("the context of the extractive model", () => {
  it("is 32,768 tokens unless it is set", async () => {
    const signal = new AbortController().signal;

    expect(await createExtractive().contextTokens(["extractive"], signal)).toBe(32_768);
    expect(
      await createExtractive({ contextTokens: 1_000 }).contextTokens(["extractive"], signal),
    ).toBe(1_000);
  });

  it("refuses a longer prompt with both numbers", async () => {
    const long = agentMessages({ task: "word ".repeat(40_000) });

    await expect(replyTo(long)).rejects.toMatchObject({
      code: "model/context-length",
      details: { contextTokens: 32_768, promptTokens: estimatePrompt(long) },
    });
  });

  it("bounds the answer by the room that the prompt leaves", async () => {
    const promptTokens = estimatePrompt(MESSAGES);

    const reply = await replyTo(MESSAGES, {}, { contextTokens: promptTokens + 12 });

    expect(reply.usage.output.total).toBeLessThanOrEqual(12);
    expect(reply.finish.unified).toBe("length");
  });
});

describe("the work of one call", () => {
  const sentences = Array.from(
    { length: 2_500 },
    (_, index) =>
      `The cache of server ${index} keeps ${index * 7} blocks for tenant ${index % 97} of region ${index % 13}.`,
  );
  const prose = sentences.join(" ").slice(0, 200_000);

  it("is bounded for a system prompt of blank lines and a task of one word", async () => {
    const messages = [
      { role: "system", content: `${"\n".repeat(100_000)}You are ${" ".repeat(50_000)}x` },
      { role: "user", content: `# Task\nFind ${"1,1-".repeat(1_990)} and ${"a@".repeat(5_000)}` },
    ] as const;
    const needy = {
      ...SEARCH,
      name: "search_mail",
      parameters: {
        type: "object",
        properties: {
          path: { type: "string" },
          to: { type: "string" },
          expression: { type: "string" },
        },
        required: ["path", "to", "expression"],
      },
    };

    const reply = await replyTo(
      messages,
      { tools: [needy], toolChoice: "required" },
      { contextTokens: 262_144 },
    );

    expect(reply.calls).toHaveLength(1);
  });

  it.each([
    ["prose", prose],
    ["dots", ". ".repeat(100_000)],
    ["brackets", "a. [".repeat(50_000)],
    ["one word", "a".repeat(200_000)],
    ["headings", "## a\n".repeat(40_000)],
    ["pipes", "|".repeat(200_000)],
    ["spaces", `${" ".repeat(199_999)}x`],
    ["open braces", `{${"{".repeat(199_999)}`],
    ["identifiers", "a_1-B".repeat(40_000)],
    ["numbers", "1,000".repeat(40_000)],
    ["end marks", `${"!".repeat(199_999)}x`],
    ["citations", `${"[ab] ".repeat(40_000)}x`],
    ["a heading of spaces", `# ${" ".repeat(199_997)}x`],
    ["a heading of hashes", `# ${"#".repeat(199_997)}x`],
    ["quotes", "> ".repeat(100_000)],
    ["blank lines", `${"\n".repeat(199_999)}x`],
    ["a statement without an end", `The cache keeps blocks ${"a-b_c".repeat(39_000)}`],
  ])("is bounded for 200,000 characters of %s", async (_, text) => {
    const messages = agentMessages({
      role: "Reviewer",
      context: { research: text, write: text.slice(0, 20_000) },
      task: "Review 500 words about the cache",
      expected: "A report",
    });

    // Work that grows with the square of the length took 12 to 30 s here, and the runner's time-out is 5 s.
    const reply = await replyTo(messages, {}, { contextTokens: 262_144 });

    expect(reply.text.split("\n")[0]).toBe(MARKER);
  });

  it.each([
    ["prose", prose],
    ["labels", "Key: value\n".repeat(18_000)],
    ["cells", "| a | b | c |\n".repeat(15_000)],
    ["records", JSON.stringify(Array.from({ length: 8_000 }, (_, id) => ({ id, key: "a" })))],
    ["colons", "A: ".repeat(66_000)],
    ["one word", "a".repeat(200_000)],
    ["numbers", "1,000 ".repeat(33_000)],
    ["addresses", "a@b.".repeat(50_000)],
  ])("is bounded for a schema with patterns over 200,000 characters of %s", async (_, text) => {
    const schema: JsonObject = {
      type: "object",
      properties: {
        key: { type: "string", pattern: "^a?a?a?a?a*b$" },
        code: { type: "string", pattern: "^[A-Z]+-\\d+$" },
        hostile: { type: "string", pattern: "^(a+)+$" },
        mail: { type: "string", format: "email" },
        count: { type: "integer", minimum: 5_000_000 },
        isKey: { type: "boolean" },
        level: { enum: ["low", "high"] },
        list: { type: "array", items: { type: "string", pattern: "^z\\w*z$" } },
      },
      required: ["key", "code", "hostile", "mail", "count", "isKey", "level", "list"],
    };
    const messages = agentMessages({ context: { research: text }, task: "Find the key" });

    const reply = await replyTo(
      messages,
      { output: { name: "x", schema } },
      { contextTokens: 262_144 },
    );

    expect(reply.text).toMatch(/^Nothing in the sources fills: /);
  });
});
