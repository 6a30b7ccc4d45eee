import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import type { Model } from "../../../src/inference/model/model.ts";
import {
  createTokenCounter,
  type TokenCountFunction,
} from "../../../src/inference/model/token-count.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";

const ASK = { models: ["small"], messages: [{ role: "user", content: "hello" }] } as const;
const { signal } = new AbortController();

/** A counter in virtual time, and how often it was asked. */
function counter(count: TokenCountFunction | undefined, own?: TokenCountFunction) {
  const clock = createVirtualClock({ auto: true });
  let asked = 0;
  const countTokens: Model["countTokens"] =
    count && (async (ask, aborted) => (asked++, await count(ask, aborted)));
  const model: Model = { ...scriptedModel([]), ...(countTokens ? { countTokens } : {}) };
  const tokens = createTokenCounter({ model, clock, own });
  return { clock, tokens, asked: () => asked };
}

describe("a token counter", () => {
  it("asks the model", async () => {
    const { tokens } = counter(async ({ messages }) => messages.length * 7);

    expect(await tokens.count(ASK, signal)).toBe(7);
  });

  it("asks the caller's own tokenizer first, and the model about what that one does not know", async () => {
    const { tokens, asked } = counter(
      () => 7,
      ({ models }) => (models[0] === "small" ? 5 : undefined),
    );

    expect(await tokens.count(ASK, signal)).toBe(5);
    expect(asked()).toBe(0);
    expect(await tokens.count({ ...ASK, models: ["large"] }, signal)).toBe(7);
  });

  it("knows nothing where nobody can count", async () => {
    expect(await counter(undefined).tokens.count(ASK, signal)).toBeUndefined();
  });

  it("waits two seconds at most, and then leaves the model alone for a minute", async () => {
    const { tokens, clock, asked } = counter(() => new Promise(() => {}));

    expect(await tokens.count(ASK, signal)).toBeUndefined();
    expect(clock.now()).toBe(2_000);
    expect(await tokens.count(ASK, signal)).toBeUndefined();
    expect(asked()).toBe(1);
    await clock.sleep(60_000, signal);
    await tokens.count(ASK, signal);
    expect(asked()).toBe(2);
  });

  it.each<[string, TokenCountFunction]>([
    ["fails", () => Promise.reject(new Error("no route"))],
    ["says what is no count", () => -1],
    ["cannot tell", () => undefined],
  ])("is no error when the model %s", async (_, count) => {
    const { tokens } = counter(count);

    expect(await tokens.count(ASK, signal)).toBeUndefined();
  });

  it("ends with the run", async () => {
    const { tokens } = counter(() => new Promise(() => {}));
    const abort = new AbortController();
    const work = tokens.count(ASK, abort.signal);

    abort.abort(new Error("cancelled"));

    await expect(work).rejects.toThrow("cancelled");
  });
});
