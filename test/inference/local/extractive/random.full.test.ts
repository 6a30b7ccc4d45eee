// Schemas as odd as they get, against sources that hold much, little and nothing. An answer fits its schema or is a refusal in words.

import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../../src/json.ts";
import { validate } from "../../../../src/schema.ts";
import { agentMessages, ALL_RESULTS, found, replyTo, searchTurn } from "./chat.ts";
import { createRandom, randomSchema } from "./random-schema.ts";
import { RICH_RESULTS } from "./rich-sources.ts";
import { untraced } from "./trace.ts";

/** 100 answers take two seconds on a free machine. */
const TIMEOUT_MS = 30_000;
const REFUSAL = /^Nothing in the sources fills: .+\.$/;
const TASK = "Research the KV cache";
/** Cited for what stands in no document. */
const TOOL = "search_docs";

async function textOf(schema: JsonObject, results: readonly string[]): Promise<string> {
  const messages = [
    ...agentMessages({ task: TASK }),
    ...results.flatMap((text, at) => searchTurn("kv cache", text, { id: `call_1_${at + 1}` })),
  ];
  return (await replyTo(messages, { output: { name: "facts", schema } })).text;
}

type Outcome = { readonly filled: number; readonly problems: readonly string[] };

/** Answers to 100 schemas: how many are filled, and whatever is wrong with one of them. */
async function fillAll(seed: number, results: readonly string[]): Promise<Outcome> {
  const random = createRandom(seed);
  const problems: string[] = [];
  let filled = 0;
  for (let count = 0; count < 100; count++) {
    const schema = randomSchema(random);
    const text = await textOf(schema, results);
    if (REFUSAL.test(text)) continue;
    const value: unknown = JSON.parse(text);
    const checked = await validate(schema, value);
    if (checked.type === "invalid") problems.push(...checked.issues, JSON.stringify(schema), text);
    problems.push(...untraced(value, schema, [TASK, TOOL, ...results]));
    filled++;
  }
  return { filled, problems };
}

describe("100 schemas made from a seed", () => {
  it.each([1, 2, 3, 4])(
    "are mostly filled from rich sources, and no value stands anywhere but in them or in the schema (seed %i)",
    async (seed) => {
      const { filled, problems } = await fillAll(seed, RICH_RESULTS);

      expect(problems).toEqual([]);
      // Measured over 40 seeds: 56 to 74, 64 on average. The others ask for what no source says, such as a number between -14 and -13.
      expect(filled).toBeGreaterThanOrEqual(54);
    },
    TIMEOUT_MS,
  );

  it.each([1, 2, 3, 4])(
    "are filled or refused in words from sources that hold little (seed %i)",
    async (seed) => {
      const { filled, problems } = await fillAll(seed, [ALL_RESULTS]);

      expect(problems).toEqual([]);
      expect(filled).toBeGreaterThan(15);
    },
    TIMEOUT_MS,
  );

  it("are filled without sources only with what the schema itself states", async () => {
    const { filled, problems } = await fillAll(5, [found()]);

    expect(problems).toEqual([]);
    expect(filled).toBeGreaterThan(0);
  });
});
