import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { JsonObject } from "../../../../src/json.ts";
import { toJsonSchema, validate } from "../../../../src/schema.ts";
import {
  agentMessages,
  ALL_RESULTS,
  BLOCKS,
  CACHE,
  filled,
  found,
  PREEMPTION,
  replyTo,
  SEARCH,
  searchTurn,
} from "./chat.ts";

const FACTS = {
  type: "object",
  properties: {
    facts: {
      type: "array",
      minItems: 2,
      maxItems: 4,
      items: {
        type: "object",
        properties: { fact: { type: "string" }, source: { type: "string" } },
        required: ["fact", "source"],
        additionalProperties: false,
      },
    },
  },
  required: ["facts"],
  additionalProperties: false,
} satisfies JsonObject;

type Facts = { readonly facts: readonly { readonly fact: string; readonly source: string }[] };

describe("a filled schema", () => {
  it("holds sentences of the sources, each beside the source that it stands in", async () => {
    const { facts } = (await filled(FACTS)) as Facts;

    expect(facts.length).toBeGreaterThanOrEqual(2);
    for (const { fact, source } of facts) {
      const passages = [CACHE, BLOCKS, PREEMPTION].filter((passage) => passage.source === source);
      expect(passages.some((passage) => passage.text.includes(fact))).toBe(true);
    }
    expect(new Set(facts.map((one) => one.fact)).size).toBe(facts.length);
  });

  it("carries citations in its texts when it has no place for sources", async () => {
    const value = await filled({
      type: "object",
      properties: { facts: { type: "array", items: { type: "string" } } },
      required: ["facts"],
    });

    const { facts } = value as { readonly facts: readonly string[] };
    expect(facts.length).toBeGreaterThan(1);
    for (const fact of facts) expect(fact).toMatch(/\. \[docs\/[a-z-]+\.md\]$/);
  });

  it("never carries the line that marks a text as extractive", async () => {
    const reply = await replyTo(
      [...agentMessages({ task: "Research the KV cache" }), ...searchTurn("kv", ALL_RESULTS)],
      { output: { name: "x", schema: FACTS } },
    );

    expect(reply.text).not.toContain("no neural network");
    expect(reply.model).toBe("extractive");
  });

  it("has as many items as the task asks for", async () => {
    const schema = {
      type: "object",
      properties: { facts: { type: "array", items: { type: "string" } } },
      required: ["facts"],
    };

    const value = await filled(schema, { task: "Find 3 facts about the KV cache" });

    expect((value as { readonly facts: readonly string[] }).facts).toHaveLength(3);
  });

  it("holds numbers that stand in the text near the property's words, and only such as keep the bounds", async () => {
    const property = { type: "integer", description: "Tokens in one block" };

    const value = await filled({
      type: "object",
      properties: { blockTokens: property, gone: { ...property, maximum: 3 } },
      required: ["blockTokens"],
    });

    expect(value).toEqual({ blockTokens: 16 });
  });

  it("is null where nothing is known and null is allowed", async () => {
    const value = await filled(
      {
        type: "object",
        properties: {
          price: { type: ["number", "null"] },
          note: { anyOf: [{ type: "string" }, { type: "null" }] },
        },
        required: ["price", "note"],
      },
      { task: "Find prices" },
      found(),
    );

    expect(value).toEqual({ price: null, note: null });
  });

  it("chooses the option that the sources speak of", async () => {
    const value = await filled({
      type: "object",
      properties: { topic: { enum: ["pricing", "preemption", "weather"] } },
      required: ["topic"],
    });

    expect(value).toEqual({ topic: "preemption" });
  });

  it("keeps whole sentences where the length allows any of them", async () => {
    const value = await filled({
      type: "object",
      properties: { summary: { type: "string", maxLength: 120 } },
      required: ["summary"],
    });

    const { summary } = value as { readonly summary: string };
    expect(summary.length).toBeLessThanOrEqual(120);
    expect(summary).toMatch(/[.\]]$/);
  });

  it("is filled when a tool is offered too, after the tool has answered", async () => {
    const messages = agentMessages({ task: "Research the KV cache" });
    const request = { tools: [SEARCH], output: { name: "facts", schema: FACTS } };

    const first = await replyTo(messages, request);
    const second = await replyTo([...messages, ...searchTurn("KV cache", ALL_RESULTS)], request);

    expect(first.calls).toHaveLength(1);
    expect(await validate(FACTS, JSON.parse(second.text))).toMatchObject({ type: "valid" });
  });

  it("is taken from the prompt when the request itself states none", async () => {
    const expected = `Facts\n\n# Output format\nAnswer with JSON only. It must fit this JSON Schema:\n${JSON.stringify(FACTS)}`;

    const reply = await replyTo([
      ...agentMessages({ task: "Research the KV cache", expected }),
      ...searchTurn("KV cache", ALL_RESULTS),
    ]);

    expect(await validate(FACTS, JSON.parse(reply.text))).toMatchObject({ type: "valid" });
  });

  it("becomes shorter to fit maxTokens", async () => {
    const messages = [
      ...agentMessages({ task: "Research the KV cache" }),
      ...searchTurn("KV cache", ALL_RESULTS),
    ];
    const schema = {
      type: "object",
      properties: { facts: { type: "array", items: { type: "string" } } },
      required: ["facts"],
    };

    const reply = await replyTo(messages, {
      output: { name: "x", schema },
      settings: { maxTokens: 60 },
    });

    expect(reply.finish.unified).toBe("stop");
    expect(reply.usage.output.total).toBeLessThanOrEqual(60);
    expect(await validate(schema, JSON.parse(reply.text))).toMatchObject({ type: "valid" });
  });

  it.each<[string, JsonObject]>([
    ["an empty schema", {}],
    ["any object", { type: "object" }],
    [
      "a map of texts",
      { type: "object", additionalProperties: { type: "string" }, minProperties: 2 },
    ],
    ["a bare array", { type: "array", items: { type: "string" }, minItems: 3 }],
    ["a bare string", { type: "string", minLength: 10 }],
    [
      "a recursive definition",
      {
        $ref: "#/$defs/Node",
        $defs: {
          Node: {
            type: "object",
            properties: { name: { type: "string" }, next: { $ref: "#/$defs/Node" } },
            required: ["name"],
          },
        },
      },
    ],
    ["required names without a schema", { type: "object", required: ["a", "b"] }],
    [
      "dependent names",
      {
        type: "object",
        properties: { a: { type: "string" }, b: { type: "string" } },
        dependentRequired: { a: ["b", "c"] },
        required: ["a"],
      },
    ],
    [
      "more items than there are sentences",
      { type: "array", items: { type: "string" }, minItems: 40 },
    ],
    [
      "more distinct items than there are sentences",
      { type: "array", items: { type: "integer" }, uniqueItems: true, minItems: 1 },
    ],
    ["an exact length", { type: "string", minLength: 17, maxLength: 17 }],
  ])("is valid for %s", async (_, schema) => {
    expect(await validate(schema, await filled(schema))).toMatchObject({ type: "valid" });
  });

  it("is valid for a zod schema as a task has it", async () => {
    const schema = z.object({
      title: z.string().max(80),
      findings: z
        .array(
          z.object({
            claim: z.string(),
            source: z.string(),
            confidence: z.number().min(0).max(1),
            level: z.enum(["low", "high"]).optional(),
          }),
        )
        .min(1)
        .max(5),
      open: z.array(z.string()).optional(),
      date: z.iso.date().optional(),
      isComplete: z.boolean(),
      nested: z.object({ tokens: z.int().nonnegative(), note: z.string().nullable() }),
    });

    const value = await filled(await toJsonSchema(schema));

    expect(schema.safeParse(value).error?.issues ?? []).toEqual([]);
  });

  it.each<[string, JsonObject]>([
    ["bounds that exclude each other", { type: "integer", minimum: 5, maximum: 3 }],
    [
      "a reference into nowhere",
      { type: "object", properties: { a: { $ref: "#/$defs/Gone" } }, required: ["a"] },
    ],
    ["a pattern that is none", { type: "string", pattern: "([" }],
    [
      "more distinct values than there are",
      { type: "array", items: { type: "boolean" }, uniqueItems: true, minItems: 3 },
    ],
  ])("is refused with model/bad-request for %s", async (_, schema) => {
    await expect(filled(schema)).rejects.toMatchObject({ code: "model/bad-request" });
  });
});
