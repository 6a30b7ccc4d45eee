import type { LanguageModelV4 } from "@ai-sdk/provider";
import { describe, expect, it } from "vitest";
import { fromAiSdk, toAiSdk } from "../../../../src/ai-sdk.ts";
import { createBosun } from "../../../../src/bosun.ts";
import { createVirtualClock } from "../../../../src/clock.ts";
import { BosunError } from "../../../../src/error.ts";
import { agent, crew, task } from "../../../../src/index.ts";
import type { ModelEvent } from "../../../../src/inference/model/model.ts";
import { scriptedModel } from "../../../../src/test/scripted-model.ts";
import { apiError, failure, FINISH, listen, REQUEST, said, sdkModel } from "./sdk-model.ts";

/** What events tell besides where and when: the usage's raw form says that it is an estimate. */
function told(events: readonly ModelEvent[]): readonly unknown[] {
  return events.slice(1).map((event) => {
    if (event.type !== "end") return event;
    const { timings: _timings, endpoint: _endpoint, usage, ...rest } = event;
    const { raw: _raw, ...counted } = usage;
    return { ...rest, usage: counted };
  });
}

describe("fromAiSdk", () => {
  it("refuses what is no model of specification v2 to v4, and says what it takes", () => {
    const wrong: readonly unknown[] = [
      "openai/gpt-5",
      undefined,
      {},
      { ...sdkModel(), specificationVersion: "v9" },
      { specificationVersion: "v4" },
    ];

    for (const model of wrong)
      expect(() => fromAiSdk(model as LanguageModelV4)).toThrow(
        expect.objectContaining({
          code: "config/invalid",
          message: expect.stringContaining("v2, v3 or v4"),
        }),
      );
  });

  it("refuses options that it does not know or that are wrong", () => {
    const invalid = expect.objectContaining({ code: "config/invalid" });

    // @ts-expect-error -- no such option
    expect(() => fromAiSdk(sdkModel(), { retries: 3 })).toThrow(invalid);
    expect(() => fromAiSdk(sdkModel(), { contextTokens: 0 })).toThrow(invalid);
    expect(() => fromAiSdk(sdkModel(), { timeouts: { totalMs: -1 } })).toThrow(invalid);
  });

  it("knows the context that it is told, and none else", async () => {
    const { signal } = new AbortController();

    expect(await fromAiSdk(sdkModel()).contextTokens(["m"], signal)).toBeUndefined();
    expect(await fromAiSdk(sdkModel(), { contextTokens: 9 }).contextTokens([], signal)).toBe(9);
  });

  it("gives back, through toAiSdk, the events of the Model that it came from", async () => {
    const answer = {
      deltas: ["Hel", "lo"],
      reasoning: "Hm.",
      calls: [{ tool: "weather", arguments: { city: "Oslo" } }],
    };
    const direct = await listen(scriptedModel([answer]));
    const inner = scriptedModel([answer]);

    const events = await listen(fromAiSdk(toAiSdk(inner)), {
      ...REQUEST,
      settings: { maxTokens: 5, extraBody: { top_k: 1 } },
    });

    expect(told(events)).toEqual(told(direct));
    expect(inner.requests[0]).toMatchObject({
      messages: REQUEST.messages,
      settings: { maxTokens: 5, extraBody: { top_k: 1 } },
    });
  });

  it("lets a Bosun error through that a Model under toAiSdk throws", async () => {
    const thrown = new BosunError("model/overloaded", "full", { retryable: true });

    const error = await failure(listen(fromAiSdk(toAiSdk(scriptedModel([thrown])))));

    expect(error).toMatchObject({ code: "model/overloaded", retryable: true });
  });
});

describe("a crew whose models come from the AI SDK", () => {
  const analyst = agent({ role: "Analyst", goal: "Find facts", model: "fast" });
  const note = task({
    name: "note",
    description: "On {topic}",
    expectedOutput: "A line",
    agent: analyst,
  });
  const notes = crew({ name: "notes", tasks: [note] });

  it("runs, with the pool repeating what may pass", async () => {
    const clock = createVirtualClock();
    const sdk = sdkModel([apiError(503, "busy")], [said("A fact."), FINISH]);
    const bosun = createBosun({
      data: false,
      env: {},
      clock,
      models: { fast: fromAiSdk(sdk, { clock, contextTokens: 8_000 }) },
    });

    const run = await bosun.start(notes, { inputs: { topic: "tea" } });
    const state = await run.ended;
    await bosun.close();

    expect(state).toMatchObject({ status: "done", usage: { input: { total: 12 } } });
    expect(sdk.asked).toHaveLength(2);
    expect(sdk.asked[1]?.maxOutputTokens).toBeGreaterThan(0);
  });
});
