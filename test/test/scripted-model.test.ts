import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../src/clock.ts";
import { BosunError, detailOf } from "../../src/error.ts";
import type { Model, ModelEvent, ModelRequest } from "../../src/inference/model/model.ts";
import { scriptedModel } from "../../src/test/scripted-model.ts";

const NEVER = new AbortController().signal;

describe("scriptedModel", () => {
  it("gives the replies in order and remembers the requests", async () => {
    const model = scriptedModel(["first", { text: "second" }]);

    const one = await lastOf(model, ask("a"));
    const two = await lastOf(model, ask("b"));

    expect([one, two]).toMatchObject([
      { type: "end", text: "first", finish: { unified: "stop", raw: "stop" } },
      { type: "end", text: "second" },
    ]);
    expect(model.requests.map((request) => request.messages[0]?.content)).toEqual(["a", "b"]);
  });

  it("asks a function with the request and the call's number", async () => {
    const model = scriptedModel((request, index) => `${index}: ${request.messages[0]?.content}`);

    const texts = [await lastOf(model, ask("x")), await lastOf(model, ask("y"))];

    expect(texts).toMatchObject([{ text: "0: x" }, { text: "1: y" }]);
  });

  it("starts, thinks, speaks in the given pieces and ends", async () => {
    const model = scriptedModel([{ reasoning: "hm", deltas: ["Hel", "lo"] }], { name: "m" });

    const events = await eventsOf(model, ask("hi"));

    expect(events.slice(0, -1)).toEqual([
      { type: "start", endpoint: "scripted", model: "m", attempt: 1 },
      { type: "reasoning-delta", text: "hm" },
      { type: "text-delta", text: "Hel" },
      { type: "text-delta", text: "lo" },
    ]);
    expect(events.at(-1)).toMatchObject({
      type: "end",
      text: "Hello",
      reasoning: "hm",
      model: "m",
    });
  });

  it("calls tools, with arguments as JSON or as the text that is given", async () => {
    const calls = [
      { tool: "search", arguments: { query: "kv" } },
      { tool: "search", arguments: "{broken", id: "mine" },
    ];
    const model = scriptedModel([{ calls }]);

    const end = await lastOf(model, ask("go"));

    expect(end).toMatchObject({
      finish: { unified: "tool-calls", raw: "tool_calls" },
      calls: [
        { id: "call-1-1", tool: "search", arguments: '{"query":"kv"}' },
        { id: "mine", tool: "search", arguments: "{broken" },
      ],
    });
  });

  it("estimates the usage unless it is given", async () => {
    const usage = {
      input: { total: 7, cached: 3 },
      output: { total: 2, reasoning: undefined },
      source: "server",
    } as const;
    const model = scriptedModel(["eight ch", { text: "x", usage }]);

    const estimated = await lastOf(model, ask("four"));
    const given = await lastOf(model, ask("four"));

    expect(estimated).toMatchObject({
      usage: { source: "estimated", input: { total: 5 }, output: { total: 2 } },
    });
    expect(given).toMatchObject({ usage });
  });

  it("gives the end alone when no stream is asked for", async () => {
    const model = scriptedModel([{ deltas: ["a", "b"] }]);

    const events = await eventsOf(model, { ...ask("hi"), stream: false });

    expect(events).toMatchObject([{ type: "start" }, { type: "end", text: "ab" }]);
  });

  it("waits on the given clock", async () => {
    const clock = createVirtualClock();
    const model = scriptedModel([{ text: "late", delayMs: 60_000 }], { clock });

    const end = await lastOf(model, ask("hi"));

    expect(clock.now()).toBe(60_000);
    expect(end).toMatchObject({ timings: { queueMs: 0, firstTokenMs: 60_000, totalMs: 60_000 } });
  });

  it("knows no first token when nothing is said", async () => {
    const model = scriptedModel([{ finish: "length" }]);

    const end = await lastOf(model, ask("hi"));

    expect(end).toMatchObject({
      text: "",
      finish: { unified: "length" },
      timings: { firstTokenMs: undefined },
    });
  });

  it("refuses a delay without a clock", async () => {
    const model = scriptedModel([{ delayMs: 1 }]);

    const error = await errorOf(model, ask("hi"));

    expect(error.code).toBe("config/invalid");
  });

  it("says which call has no reply left", async () => {
    const model = scriptedModel(["only"]);
    await lastOf(model, ask("a"));

    const error = await errorOf(model, ask("what now?"));

    expect(error).toMatchObject({ code: "model/bad-request", retryable: false });
    expect(error.message).toContain("call 2, the script has 1");
    expect(error.message).toContain("what now?");
  });

  it("throws an error of the script as it is, or as the cause of one of its own", async () => {
    const overloaded = new BosunError("model/overloaded", "full", { retryable: true });
    const model = scriptedModel([overloaded, new TypeError("oops")]);

    const first = await errorOf(model, ask("a"));
    const second = await errorOf(model, ask("b"));

    expect(first).toBe(overloaded);
    expect(second).toMatchObject({ code: "model/server", cause: { message: "oops" } });
  });

  it("throws what its function throws", async () => {
    const model = scriptedModel(() => {
      throw new BosunError("model/cut", "cut");
    });

    const error = await errorOf(model, ask("a"));

    expect(error.code).toBe("model/cut");
  });

  it("ends a call that is aborted while it waits", async () => {
    const clock = createVirtualClock({ auto: false });
    const model = scriptedModel([{ text: "late", delayMs: 1_000 }], { clock });
    const controller = new AbortController();

    const failing = errorOf(model, ask("hi"), controller.signal);
    await clock.advance(500);
    controller.abort(new Error("enough"));
    const error = await failing;

    expect(error).toMatchObject({ code: "model/cancelled", cause: { message: "enough" } });
    expect(detailOf(error, "text")).toBe("");
  });

  it("ends a call that is aborted while its function still thinks", async () => {
    const model = scriptedModel(() => new Promise(() => undefined));
    const controller = new AbortController();

    const failing = errorOf(model, ask("hi"), controller.signal);
    controller.abort();

    expect((await failing).code).toBe("model/cancelled");
  });

  it("carries what had come when it is aborted amid its answer", async () => {
    const model = scriptedModel([{ deltas: ["one ", "two ", "three"] }]);
    const controller = new AbortController();
    const heard: string[] = [];

    const reading = (async () => {
      for await (const event of model.call(ask("count"), controller.signal)) {
        if (event.type !== "text-delta") continue;
        heard.push(event.text);
        if (heard.length === 2) controller.abort();
      }
    })();

    await expect(reading).rejects.toMatchObject({
      code: "model/cancelled",
      details: { text: "one two ", usage: { source: "estimated", output: { total: 2 } } },
    });
    expect(heard).toEqual(["one ", "two "]);
  });

  it("takes no request when the signal was aborted before", async () => {
    const model = scriptedModel(["never said"]);

    const error = await errorOf(model, ask("hi"), AbortSignal.abort());

    expect(error.code).toBe("model/cancelled");
    expect(model.requests).toHaveLength(0);
  });

  it("says the context that it was given", async () => {
    const known = scriptedModel([], { contextTokens: 8192 });
    const unknown = scriptedModel([]);

    expect(await known.contextTokens(["scripted"], NEVER)).toBe(8192);
    expect(await unknown.contextTokens(["scripted"], NEVER)).toBeUndefined();
  });
});

function ask(content: string): ModelRequest {
  return {
    models: ["scripted"],
    messages: [{ role: "user", content }],
    settings: {},
    hints: {
      runId: "run-1",
      path: [],
      purpose: "work",
      remainingCalls: undefined,
    },
  };
}

async function eventsOf(model: Model, request: ModelRequest): Promise<ModelEvent[]> {
  return Array.fromAsync(model.call(request, NEVER));
}

async function lastOf(model: Model, request: ModelRequest): Promise<ModelEvent | undefined> {
  return (await eventsOf(model, request)).at(-1);
}

async function errorOf(model: Model, request: ModelRequest, signal = NEVER): Promise<BosunError> {
  try {
    await Array.fromAsync(model.call(request, signal));
  } catch (error) {
    if (error instanceof BosunError) return error;
    throw error;
  }
  throw new Error("the call ended well");
}
