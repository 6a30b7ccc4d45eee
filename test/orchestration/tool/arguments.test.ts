import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Schema } from "../../../src/schema.ts";
import { readArguments, type ToolArguments } from "../../../src/orchestration/tool/arguments.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { failureOf } from "./failure.ts";

const SEARCH = {
  type: "object",
  properties: { query: { type: "string" }, limit: { type: "integer", minimum: 1, maximum: 20 } },
  required: ["query"],
  additionalProperties: false,
} as const;

function read(text: string, parameters: Schema = SEARCH): Promise<ToolArguments> {
  return readArguments(
    tool({ name: "search", description: "Searches.", parameters, run: () => null }),
    text,
  );
}

async function refusal(text: string, parameters: Schema = SEARCH): Promise<string> {
  const failure = await failureOf(() => read(text, parameters));
  expect(failure.code).toBe("tool/arguments");
  return failure.message;
}

describe("readArguments", () => {
  it.each([
    '{"query":"paged attention"}',
    '{"query":"paged attention",}',
    '```json\n{"query":"paged attention"}\n```',
    '```\n{"query":"paged attention",}\n```',
    JSON.stringify('{"query":"paged attention"}'),
    JSON.stringify('```json\n{"query":"paged attention"}\n```'),
    "{'query': 'paged attention'}",
  ])("understands %j", async (text) => {
    expect(await read(text)).toEqual({
      given: { query: "paged attention" },
      validated: { query: "paged attention" },
    });
  });

  it.each(["", "  \n", "{}", "null", "``````", '""'])("takes %j for no arguments", async (text) => {
    expect((await read(text, { type: "object", properties: {} })).given).toEqual({});
  });

  it("says at which position text is not JSON, and what the tool expects", async () => {
    const message = await refusal('{"query" "x"}');

    expect(message).toBe(
      'tool search: the arguments are not JSON at position 9, near "{\\"query\\" \\"x\\"}": expected \':\' after the key. Expected { query: string, limit?: integer 1..20 }',
    );
  });

  it("says that text was cut off", async () => {
    expect(await refusal('{"query":"a long te')).toContain("end too early, at position 19");
  });

  it.each([
    ["[1]", "a list"],
    ['"just text"', "a string"],
    ["42", "a number"],
  ])("refuses %j, which is no object", async (text, kind) => {
    expect(await refusal(text)).toContain(`must be a JSON object, got ${kind}`);
  });

  it("lists every issue with its place", async () => {
    const message = await refusal('{"limit":"many"}');

    expect(message).toContain("the arguments do not fit");
    expect(message).toContain("query");
    expect(message).toContain("value/limit");
  });

  it("drops extra keys where the schema forbids them", async () => {
    expect((await read('{"query":"x","thought":"I should search","toString":1}')).given).toEqual({
      query: "x",
    });
    expect(
      (await read('{"query":"x","thought":"!"}', z.strictObject({ query: z.string() }))).validated,
    ).toEqual({ query: "x" });
  });

  it("keeps extra keys where the schema allows them", async () => {
    expect((await read('{"a":1}', { type: "object", properties: {} })).given).toEqual({ a: 1 });
  });

  it("passes on what the schema makes of the arguments, and keeps what was given", async () => {
    const schema = z.object({
      day: z.string().transform((text) => text.length),
      limit: z.number().default(5),
    });

    expect(await read('{"day":"2026-01-01"}', schema)).toEqual({
      given: { day: "2026-01-01" },
      validated: { day: 10, limit: 5 },
    });
  });

  it("never lets a prototype key through", async () => {
    const { given } = await read(
      '{"__proto__":{"isAdmin":true},"query":"x","constructor":{"prototype":{"isAdmin":true}}}',
      { type: "object" },
    );

    expect(Object.keys(given)).toEqual(["query", "constructor"]);
    expect(Object.assign({}, given)).not.toHaveProperty("isAdmin");
  });

  it("refuses text beyond a megabyte", async () => {
    expect(await refusal(" ".repeat(1_048_577))).toContain("1048577 characters");
  });
});
