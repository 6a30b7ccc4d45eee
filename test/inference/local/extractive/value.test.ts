import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { JsonObject } from "../../../../src/json.ts";
import { toJsonSchema, validate } from "../../../../src/schema.ts";
import { agentMessages, ALL_RESULTS, filled, found, replyTo, searchTurn } from "./chat.ts";

const OFFER = JSON.stringify({ offer: { price: 1.49, currency: "EUR", gpu: "L40S", spot: true } });
const TASK = { task: "Report on the offer" };

function object(properties: JsonObject, required = Object.keys(properties)): JsonObject {
  return { type: "object", properties, required, additionalProperties: false };
}

function said(...sentences: readonly string[]): string {
  return found({ source: "notes.md", section: "Notes", text: sentences.join(" ") });
}

async function textFor(schema: JsonObject, results: string): Promise<string> {
  const messages = [...agentMessages(TASK), ...searchTurn("offer", results)];
  return (await replyTo(messages, { output: { name: "x", schema } })).text;
}

describe("a value", () => {
  it("is what a tool gives under the same name, of its own type", async () => {
    const schema = await toJsonSchema(
      z.object({
        price: z.number(),
        currency: z.enum(["EUR", "USD"]),
        gpu: z.string(),
        spot: z.boolean(),
      }),
    );

    expect(await filled(schema, TASK, OFFER)).toEqual({
      price: 1.49,
      currency: "EUR",
      gpu: "L40S",
      spot: true,
    });
  });

  it("is what stands behind its label in a text, without the unit where a number is asked for", async () => {
    const text = "Price: 1.49 USD per hour\n- **Memory size**: 48GB\nRegion: europe\nSpot: no\n";
    const schema = object({
      price_usd: { type: "number" },
      memorySize: { type: "integer" },
      region: { enum: ["us", "europe"] },
      isSpot: { type: "boolean" },
    });

    expect(await filled(schema, TASK, text)).toEqual({
      price_usd: 1.49,
      memorySize: 48,
      region: "europe",
      isSpot: false,
    });
  });

  it.each([
    [
      "a list of objects",
      JSON.stringify([
        { gpu: "L40S", price: 1.5 },
        { gpu: "H100", price: 3 },
      ]),
    ],
    ["a table", "| GPU | Price |\n|---|---|\n| L40S | 1.5 |\n| H100 | 3 |"],
    ["groups of labelled lines", "GPU: L40S\nPrice: 1.5\n\nGPU: H100\nPrice: 3"],
  ])("is one of many in %s, each with what stands beside it", async (_, results) => {
    const item = object({ gpu: { type: "string" }, price: { type: "number" } });

    const value = await filled(object({ offers: { type: "array", items: item } }), TASK, results);

    expect(value).toEqual({
      offers: [
        { gpu: "L40S", price: 1.5 },
        { gpu: "H100", price: 3 },
      ],
    });
  });

  it.each<[string, JsonObject, string, unknown]>([
    ["a date", { type: "string", format: "date" }, "It ends on 2026-03-14.", "2026-03-14"],
    ["an address", { type: "string", format: "email" }, "Ask ada@example.org.", "ada@example.org"],
    [
      "a link",
      { type: "string", format: "uri" },
      "See https://example.org/a for more.",
      "https://example.org/a",
    ],
    ["a code", { type: "string", pattern: "^[A-Z]{2}-\\d+$" }, "The code is AB-17 here.", "AB-17"],
    [
      "a version",
      { type: "string", pattern: "^v\\d+\\.\\d+(?:\\.\\d+)?$" },
      "It came with v0.9.2.",
      "v0.9.2",
    ],
    ["a number with a unit", { type: "number" }, "The value is 12ms on each card.", 12],
    ["a number with thousands", { type: "integer" }, "The value was 18,000 in March.", 18_000],
  ])("is the piece of a sentence that fits: %s", async (_, node, sentence, expected) => {
    const results = said("The offer stands.", sentence);

    expect(await filled(object({ value: node }), TASK, results)).toEqual({ value: expected });
  });

  it("fits the formats of zod, whose patterns are long", async () => {
    const schema = await toJsonSchema(z.object({ mail: z.email(), day: z.iso.date() }));
    const results = said("Write to ada@example.org before 2026-03-14 about the offer.");

    expect(await filled(schema, TASK, results)).toEqual({
      mail: "ada@example.org",
      day: "2026-03-14",
    });
  });

  it("comes from the task itself when a chat message holds what is to be extracted", async () => {
    const content = "Extract the order. Order: 17 widgets\nMail: bob@example.org";
    const schema = object({
      order: { type: "integer" },
      mail: { type: "string", format: "email" },
    });

    const reply = await replyTo([{ role: "user", content }], { output: { name: "x", schema } });

    expect(JSON.parse(reply.text)).toEqual({ order: 17, mail: "bob@example.org" });
  });

  it.each<[string, boolean | undefined]>([
    ["The licence is valid in Europe.", true],
    ["The licence is not valid in Europe.", false],
    ["The licence is invalid in Europe.", false],
    ["The offer is not cheap, but the licence is valid.", true],
    ["Is the licence valid in Europe?", undefined],
    ["The offer ends if the licence is valid.", undefined],
    ["The licence may be valid in Europe.", undefined],
    ["The offer is cheap in Europe.", undefined],
  ])("that is yes or no follows the sentence: %s", async (sentence, expected) => {
    const schema = object({ isValid: { type: "boolean" } }, []);

    const value = await filled(schema, TASK, said("The offer stands here.", sentence));

    expect(value).toEqual(expected === undefined ? {} : { isValid: expected });
  });

  it.each<[string, string | undefined]>([
    ["The risk is high on the L40S.", "high"],
    ["The risk is low, medium or high.", undefined],
    ["Is the risk high on the L40S?", undefined],
    ["The offer has a high price.", undefined],
  ])("that nobody requires is an option only where a sentence says so: %s", async (text, risk) => {
    const schema = object({ risk: { enum: ["low", "medium", "high"] } }, []);

    const value = await filled(schema, TASK, said("The offer stands here.", text));

    expect(value).toEqual(risk === undefined ? {} : { risk });
  });

  it("is left out, null or an empty list where no source says it and the schema allows that", async () => {
    const schema = object(
      {
        price: { type: "number" },
        owner: { anyOf: [{ type: "string", format: "email" }, { type: "null" }] },
        dates: { type: "array", items: { type: "string", format: "date" } },
        links: { type: "array", items: { type: "string", format: "uri" } },
      },
      ["owner", "dates"],
    );

    expect(await filled(schema, TASK, said("The offer stands."))).toEqual({
      owner: null,
      dates: [],
    });
  });

  it("is the default of the schema only where the sources say nothing", async () => {
    const schema = object({
      gpu: { type: "string", default: "any", maxLength: 5 },
      price: { type: "number", default: 9 },
      spot: { type: "boolean", default: true },
    });

    expect(await filled(schema, TASK, said("The offer stands."))).toEqual({
      gpu: "any",
      price: 9,
      spot: true,
    });
    expect(await filled(schema, TASK, "GPU: L40S\nPrice: 2\nSpot: no")).toEqual({
      gpu: "L40S",
      price: 2,
      spot: false,
    });
  });

  it("takes the alternative that can be filled", async () => {
    const schema = object({
      when: { anyOf: [{ type: "string", format: "date" }, { const: "unknown" }] },
      price: {
        oneOf: [{ type: "integer" }, { type: "string", format: "email" }, { const: false }],
      },
    });

    expect(await filled(schema, TASK, said("The offer stands."))).toEqual({
      when: "unknown",
      price: false,
    });
  });

  it("of a list's item never comes from another item", async () => {
    const results = JSON.stringify([{ gpu: "L40S", price: 1.5 }, { gpu: "H100" }]);
    const item = object({ gpu: { type: "string" }, price: { type: "number" } }, ["gpu"]);

    expect(await filled(object({ offers: { type: "array", items: item } }), TASK, results)).toEqual(
      {
        offers: [{ gpu: "L40S", price: 1.5 }, { gpu: "H100" }],
      },
    );
  });
});

describe("a text that is too short", () => {
  const short = said(
    "The offer stands for one whole year.",
    "Its price is fixed in euros.",
    "The seller keeps two cards ready.",
  );

  it("is extended with further sentences of the sources, each with its own source", async () => {
    const schema = object({ note: { type: "string", minLength: 100 } });

    const { note } = (await filled(schema, TASK, short)) as { readonly note: string };

    const sentences = note.split(/ ?\[notes\.md\] ?/).filter(Boolean);
    expect(note.length).toBeGreaterThanOrEqual(100);
    expect(new Set(sentences).size).toBe(sentences.length);
    for (const sentence of sentences) expect(short).toContain(sentence);
  });

  it("is refused when the sources say too little, and never padded", async () => {
    const schema = object({ note: { type: "string", minLength: 400 } });

    expect(await textFor(schema, short)).toBe("Nothing in the sources fills: note.");
  });

  it("may be exactly as long as whole words of a source allow", async () => {
    const schema = object({ note: { type: "string", minLength: 17, maxLength: 17 } });

    const value = await filled(schema, TASK, ALL_RESULTS);

    expect(await validate(schema, value)).toMatchObject({ type: "valid" });
    expect(ALL_RESULTS).toContain((value as { readonly note: string }).note);
  });
});

describe("a text that is too long", () => {
  it("is cut between words, and does not end with half a phrase", async () => {
    const schema = object({ note: { type: "string", maxLength: 26 } });
    const results = said("Every offer of the company is fixed until the end of the year.");

    expect(await filled(schema, TASK, results)).toEqual({ note: "Every offer of the company" });
    const shorter = object({ note: { type: "string", maxLength: 19 } });
    expect(await filled(shorter, TASK, results)).toEqual({ note: "Every offer" });
  });

  it("is refused rather than cut to a word that says nothing", async () => {
    const schema = object({ note: { type: "string", maxLength: 3 } });

    expect(await textFor(schema, said("The offer stands."))).toBe(
      "Nothing in the sources fills: note.",
    );
  });
});
