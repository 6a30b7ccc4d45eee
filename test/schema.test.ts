import { describe, expect, it } from "vitest";
import { z } from "zod";
import { isStandardSchema, type StandardSchema, toJsonSchema, validate } from "../src/schema.ts";
import { errorOf } from "./orchestration/run/scenario.ts";

/** A schema of a library that has no JSON Schema of its own. */
const foreign = (
  vendor: string,
  jsonSchema?: () => Record<string, unknown>,
): StandardSchema<string> => ({
  "~standard": {
    version: 1,
    vendor,
    validate: (value) =>
      typeof value === "string"
        ? { value }
        : { issues: [{ message: "Expected string", path: [{ key: "a" }, 0] }] },
    ...(jsonSchema ? { jsonSchema: { input: jsonSchema } } : {}),
  },
});

describe("toJsonSchema", () => {
  it("converts each schema object once", async () => {
    let conversions = 0;
    const schema = foreign("lib", () => ({ n: ++conversions }));

    const first = await toJsonSchema(schema);
    const again = await toJsonSchema(schema);

    expect(again).toBe(first);
    expect(conversions).toBe(1);
  });

  it("gives the input side of a zod schema, without its dialect", async () => {
    const schema = z.object({ n: z.string().transform(Number), d: z.number().default(1) });

    const json = await toJsonSchema(schema);

    expect(json).toMatchObject({
      type: "object",
      properties: { n: { type: "string" } },
      required: ["n"],
    });
    expect(json).not.toHaveProperty("$schema");
  });

  it("asks the schema itself when it can tell", async () => {
    const json = await toJsonSchema(foreign("own", () => ({ $schema: "x", type: "string" })));

    expect(json).toEqual({ type: "string" });
  });

  it("takes JSON Schema as it is", async () => {
    const schema = { type: "object", properties: {} };

    expect(await toJsonSchema(schema)).toBe(schema);
  });

  it("names the converter of a library that has one", async () => {
    const error = await errorOf(toJsonSchema(foreign("valibot")));

    expect(error.code).toBe("schema/no-converter");
    expect(error.message).toMatch(/valibot.*@valibot\/to-json-schema/s);
  });

  it("says for any other library what is missing", async () => {
    const error = await errorOf(toJsonSchema(foreign("unheard-of")));

    expect(error.code).toBe("schema/no-converter");
    expect(error.message).toMatch(/unheard-of.*JSON Schema/s);
  });

  it("says which part of a zod schema has no JSON form", async () => {
    const error = await errorOf(toJsonSchema(z.object({ when: z.date() })));

    expect(error.code).toBe("schema/no-converter");
    expect(error.message).toMatch(/Date/i);
  });

  it("says so when the schema's own converter throws", async () => {
    const error = await errorOf(
      toJsonSchema(
        foreign("own", () => {
          throw new Error("cannot");
        }),
      ),
    );

    expect(error).toMatchObject({ code: "schema/no-converter" });
    expect(error.cause).toBeInstanceOf(Error);
  });
});

describe("validate", () => {
  it("gives the output side of a schema that transforms", async () => {
    expect(await validate(z.string().transform(Number), "42")).toEqual({
      type: "valid",
      value: 42,
    });
  });

  it("waits for a schema that validates asynchronously", async () => {
    const taken = z.string().refine(async (name) => name !== "taken", "is taken");

    expect(await validate(taken, "taken")).toMatchObject({
      type: "invalid",
      issues: ["value: is taken"],
    });
    expect(await validate(taken, "free")).toEqual({ type: "valid", value: "free" });
  });

  it("says for each issue where it is, also in nested values", async () => {
    const schema = z.object({ list: z.array(z.object({ n: z.number() })) });

    const result = await validate(schema, { list: [{ n: 1 }, { n: "two" }] });

    expect(result).toMatchObject({
      type: "invalid",
      issues: [expect.stringMatching(/^value\/list\/1\/n: /)],
    });
  });

  it("reads paths of other libraries", async () => {
    expect(await validate(foreign("own"), 1)).toEqual({
      type: "invalid",
      issues: ["value/a/0: Expected string"],
    });
  });

  it("checks JSON Schema, and says only what is wrong at the leaves", async () => {
    const schema = {
      type: "object",
      properties: { a: { type: "object", properties: { n: { type: "integer" } } } },
    };

    const result = await validate(schema, { a: { n: "x" } });

    expect(result).toEqual({ type: "invalid", issues: [expect.stringMatching(/value\/a\/n/)] });
    expect(await validate(schema, { a: { n: 3 } })).toEqual({
      type: "valid",
      value: { a: { n: 3 } },
    });
  });

  it("reports at most ten issues", async () => {
    const schema = z.array(z.number());

    const result = await validate(
      schema,
      Array.from({ length: 500 }, () => "x"),
    );

    expect(result.type === "invalid" && result.issues).toHaveLength(10);
  });
});

describe("isStandardSchema", () => {
  it("takes objects and functions with the interface, and nothing else", () => {
    const callable = Object.assign(() => 1, foreign("arktype"));

    expect([z.string(), callable].map(isStandardSchema)).toEqual([true, true]);
    expect([null, undefined, {}, [], "x", 1, { type: "object" }].map(isStandardSchema)).toEqual(
      Array(7).fill(false),
    );
  });
});
