import { describe, expect, it } from "vitest";
import type { ModelHints } from "../../../src/inference/model/model.ts";
import { createExpectedOutput } from "../../../src/inference/pool/expected-output.ts";

const hints = (fields: Partial<ModelHints> = {}): ModelHints => ({
  runId: "r",
  path: [],
  purpose: "work",
  remainingCalls: undefined,
  ...fields,
});

describe("the expected length of an answer", () => {
  it("is learned for each agent and task", () => {
    const expected = createExpectedOutput(0.6);
    const [terse, verbose] = [hints({ agent: "terse" }), hints({ agent: "verbose" })];
    for (let count = 1; count <= 10; count++) {
      expected.learn(terse, count);
      expected.learn(verbose, 1_000 + count);
    }

    expect(expected.tokens(terse, 4_096)).toBe(7);
    expect(expected.tokens(verbose, 4_096)).toBe(1_007);
    expect(expected.tokens(hints({ agent: "new" }), 4_096)).toBeGreaterThan(7);
  });

  it("is never more than the answer may have, and 512 before anything is known", () => {
    const expected = createExpectedOutput();

    expect(expected.tokens(hints(), 4_096)).toBe(512);
    expect(expected.tokens(hints(), 100)).toBe(100);
    expect(expected.tokens(hints({ expectedTokens: 50 }), 100)).toBe(50);
  });
});
