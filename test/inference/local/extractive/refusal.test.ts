import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { JsonObject } from "../../../../src/json.ts";
import { toJsonSchema } from "../../../../src/schema.ts";
import { agentMessages, ALL_RESULTS, found, replyTo, searchTurn } from "./chat.ts";

const REFUSAL = /^Nothing in the sources fills: .+\.$/;

/** What is answered for the schema, be it JSON or a refusal. */
async function textOf(schema: JsonObject, results: string = ALL_RESULTS): Promise<string> {
  const messages = [
    ...agentMessages({ task: "Research the KV cache" }),
    ...searchTurn("kv cache", results),
  ];
  return (await replyTo(messages, { output: { name: "facts", schema } })).text;
}

describe("a schema that the sources do not fill", () => {
  it.each<[string, JsonObject]>([
    [
      "a tuple",
      {
        type: "array",
        prefixItems: [{ type: "string" }, { type: "integer" }],
        items: false,
        minItems: 2,
      },
    ],
    [
      "contains",
      { type: "array", items: { type: "integer" }, contains: { minimum: 50 }, minItems: 2 },
    ],
    ["decimals in steps", { type: "number", multipleOf: 0.1, minimum: 0.3, maximum: 0.5 }],
    [
      "names that every object has",
      JSON.parse(
        '{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"integer"},"toString":{"type":"string","format":"constructor"}},"required":["__proto__","constructor","toString","valueOf"],"minProperties":5}',
      ) as JsonObject, // a literal cannot hold "__proto__"
    ],
    ["an open interval", { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 }],
  ])("is refused in words rather than made up for %s", async (_, schema) => {
    expect(await textOf(schema)).toMatch(REFUSAL);
  });

  it("names each required value that the sources do not hold, and makes up none", async () => {
    const schema = await toJsonSchema(
      z.object({ price: z.number().min(1), currency: z.enum(["EUR", "USD"]) }),
    );

    const reply = await replyTo(
      [
        ...agentMessages({ task: "Find the price of the KV cache" }),
        ...searchTurn("price", "Error: database is down"),
      ],
      { output: { name: "price", schema } },
    );

    expect(reply.text).toBe("Nothing in the sources fills: price, currency.");
    expect(reply.finish.unified).toBe("stop");
  });

  it.each<[string, JsonObject]>([
    ["a text", { type: "string" }],
    ["a text of a format", { type: "string", format: "date" }],
    ["a text of a pattern", { type: "string", pattern: "^[A-Z]{2}$" }],
    ["a number", { type: "number" }],
    ["a truth value", { type: "boolean" }],
    ["a list that may not be empty", { type: "array", items: { type: "string" }, minItems: 1 }],
  ])("is refused in words for %s when there are no sources", async (_, schema) => {
    expect(await textOf(schema, found())).toBe("Nothing in the sources fills: the answer.");
  });

  it.each<[string, JsonObject, unknown]>([
    ["a constant", { const: "fixed" }, "fixed"],
    ["an enum of one value", { enum: ["only"] }, "only"],
    ["a default text", { type: "string", default: "none given" }, "none given"],
    ["a default number", { type: "integer", default: 3 }, 3],
    ["a default option", { enum: ["low", "high"], default: "low" }, "low"],
    ["null where it is allowed", { type: ["string", "null"] }, null],
    ["an empty list", { type: "array", items: { type: "string" } }, []],
  ])("is filled with what it states itself: %s", async (_, schema, value) => {
    expect(JSON.parse(await textOf(schema, found()))).toEqual(value);
  });

  it("leaves out what is optional and empties lists when there are no sources", async () => {
    const schema = {
      type: "object",
      properties: { note: { type: "string" }, facts: { type: "array", items: { type: "string" } } },
      required: ["facts"],
    };

    expect(JSON.parse(await textOf(schema, found()))).toEqual({ facts: [] });
  });
});
