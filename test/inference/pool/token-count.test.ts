import { describe, expect, it } from "vitest";
import { nameOf } from "../../../src/inference/model/endpoint.ts";
import type { Model } from "../../../src/inference/model/model.ts";
import { countTokens } from "../../../src/inference/pool/token-count.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";

const { signal } = new AbortController();
const counting = (tokens: number | undefined): Model => ({
  ...scriptedModel([]),
  countTokens: async () => tokens,
});
const MODELS: Readonly<Record<string, Model>> = {
  five: counting(5),
  nine: counting(9),
  silent: counting(undefined),
  unable: scriptedModel([]),
};

const count = (...models: readonly string[]): Promise<number | undefined> =>
  countTokens((ref) => MODELS[nameOf(ref)] ?? scriptedModel([]), { models, messages: [] }, signal);

describe("countTokens", () => {
  it("takes the largest count of a call's models", async () => {
    expect(await count("five", "nine")).toBe(9);
  });

  it("does not know a count when one of the models cannot tell", async () => {
    expect(await count("five", "silent")).toBeUndefined();
    expect(await count("five", "unable")).toBeUndefined();
    expect(await count()).toBeUndefined();
  });
});
