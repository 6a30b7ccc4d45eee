import { describe, expect, it } from "vitest";
import type { ModelEvent, ModelRequest, Reply } from "../../../src/inference/model/model.ts";
import { parseFault } from "../../../src/inference/twin/fault.ts";
import { createTwinModel } from "../../../src/inference/twin/model.ts";
import { type BenchOptions, createBench } from "./twin-bench.ts";

const REQUEST: ModelRequest = {
  models: ["small"],
  messages: [{ role: "user", content: "How many sailors?" }],
  settings: {},
  hints: { runId: "r", path: [], purpose: "work", remainingCalls: undefined },
};

async function call(
  options: BenchOptions,
  request: Partial<ModelRequest> = {},
  signal: AbortSignal = new AbortController().signal,
) {
  const bench = createBench(options);
  const events: ModelEvent[] = [];
  const model = createTwinModel(bench.twin);
  for await (const event of model.call({ ...REQUEST, ...request }, signal)) events.push(event);
  const reply = events.at(-1) as Reply; // `as`: A1, the last event is the end
  return { ...bench, events, reply };
}

describe("a twin as a Model", () => {
  it("takes exactly the time of the engine, on its clock", async () => {
    const { reply, clock } = await call(
      { replica: { queueMs: 5, prefillMs: 20, tokenMs: 10 } },
      { settings: { maxTokens: 8 } },
    );

    expect(reply.timings).toMatchObject({ firstTokenMs: 25, totalMs: 95 });
    expect(clock.now()).toBe(95);
  });

  it("says deltas in the engine's chunks, and the same text at its end", async () => {
    const { events, reply } = await call({
      script: [{ text: "There are twelve sailors aboard." }],
      replica: { chunk: 3 },
    });

    const deltas = events.filter(({ type }) => type === "text-delta");
    expect(deltas.map((delta) => "text" in delta && delta.text).join("")).toBe(reply.text);
    expect(reply.text).toBe("There are twelve sailors aboard.");
    expect(deltas.length).toBeLessThan(reply.usage.output.total);
    expect(reply.endpoint).toContain("simulated");
  });

  it("counts tokens as the server does, cached ones when it is told to", async () => {
    const { reply, replica } = await call({
      script: [{ text: "Twelve." }],
      enablePromptTokensDetails: true,
      enablePerRequestMetrics: true,
      replica: { cachedTokens: 4 },
    });

    const prompt = replica.requests[0]?.promptIds.length;
    expect(reply.usage).toMatchObject({
      input: { total: prompt, cached: 4 },
      output: { total: replica.requests[0]?.outputIds.length },
      source: "server",
    });
    expect(reply.timings.server).toMatchObject({ queue_time_ms: 5, time_to_first_token_ms: 25 });
  });

  it("calls tools and fills schemas", async () => {
    const tools = [{ name: "search", description: "", parameters: { type: "object" } }];
    const output = {
      name: "o",
      schema: { type: "object", required: ["a"], properties: { a: { type: "integer" } } },
    };

    const called = await call({}, { tools });
    const filled = await call({}, { output });

    expect(called.reply).toMatchObject({
      calls: [{ tool: "search", arguments: "{}" }],
      finish: { unified: "tool-calls" },
    });
    expect(JSON.parse(filled.reply.text)).toEqual({ a: expect.any(Number) });
  });

  it("refuses a prompt that is too long, with its numbers", async () => {
    await expect(call({ maxModelLen: 16 }, { settings: { maxTokens: 10 } })).rejects.toMatchObject({
      code: "model/context-length",
      details: { contextTokens: 16, outputTokens: 10, status: 400 },
    });
  });

  it("ends as cancelled with what had come when its signal aborts, and leaves nothing in the engine", async () => {
    const left = new AbortController();
    const bench = createBench();
    const model = createTwinModel(bench.twin);
    const hear = async (): Promise<void> => {
      for await (const event of model.call(REQUEST, left.signal))
        if (event.type === "text-delta") left.abort(new Error("enough"));
    };

    await expect(hear()).rejects.toMatchObject({
      code: "model/cancelled",
      details: { text: expect.stringMatching(/\S/), usage: { output: { total: 1 } } },
    });
    expect(bench.replica.open).toBe(0);
    expect(bench.twin.metrics()).toContain(
      'finished_reason="abort",engine="0",model_name="Qwen/Qwen3-8B"} 1.0',
    );
  });

  it("does not stop the engine's time when it is left early", async () => {
    const { twin, replica } = createBench();
    for await (const event of createTwinModel(twin).call(REQUEST, new AbortController().signal))
      if (event.type === "text-delta") break;

    expect(replica.open).toBe(0);
  });

  it.each([
    [
      "429; retry-after=2",
      { code: "model/rate-limited", retryable: true, details: { retryAfterMs: 2_000 } },
    ],
    ["500", { code: "model/server", retryable: true }],
    ["503", { code: "model/overloaded", retryable: true }],
    ["cut; after=3", { code: "model/cut", details: { usage: { output: { total: 3 } } } }],
    ["malformed", { code: "model/protocol" }],
    ["engine-death; after=2", { code: "model/server" }],
  ])("meets the fault %s as its error", async (text, error) => {
    await expect(call({ faults: [parseFault(text)] })).rejects.toMatchObject(error);
  });

  it("is slow, says a wrong reason, and squeezes the cache when told to", async () => {
    const slow = await call({ faults: [parseFault("slow; ms=3000")] });
    const wrong = await call({ faults: [parseFault("finish; reason=repetition")] });
    const squeezed = await call({ faults: [parseFault("kv-squeeze; share=0.5")] });

    expect(slow.reply.timings.firstTokenMs).toBe(3_025);
    expect(wrong.reply.finish).toEqual({ unified: "other", raw: "repetition" });
    expect(squeezed.replica.squeezes).toEqual([0.5, 0]);
  });

  it("is stuck until its caller leaves", async () => {
    const bench = createBench({ faults: [parseFault("stuck; after=2")] });
    const deadline = bench.clock.deadline(
      60_000,
      new AbortController().signal,
      () => new Error("late"),
    );
    const events: ModelEvent[] = [];
    const hear = async (): Promise<void> => {
      for await (const event of createTwinModel(bench.twin).call(REQUEST, deadline.signal))
        events.push(event);
    };

    await expect(hear()).rejects.toMatchObject({ code: "model/cancelled" });
    expect(events.filter(({ type }) => type === "text-delta")).toHaveLength(2);
    expect([bench.clock.now(), bench.replica.open]).toEqual([60_000, 0]);
  });
});
