import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import { endpoint } from "../../../src/inference/model/endpoint.ts";
import type { Model, ModelEvent, ModelRequest } from "../../../src/inference/model/model.ts";
import {
  type ResponseCacheLimits,
  withResponseCache,
} from "../../../src/inference/pool/response-cache.ts";
import { type Script, scriptedModel } from "../../../src/test/scripted-model.ts";
import { costing, eventsOf, job, only, scene, worker } from "../../orchestration/run/scenario.ts";

const request = (text: string, more: Partial<ModelRequest> = {}): ModelRequest => ({
  models: ["m"],
  messages: [{ role: "user", content: text }],
  settings: {},
  hints: { runId: "r", path: ["task:t"], purpose: "work", remainingCalls: undefined },
  ...more,
});

const cachedOver = (script: Script, limits: ResponseCacheLimits = {}) => {
  const clock = createVirtualClock();
  const model = scriptedModel(script, { clock });
  return { clock, model, cached: withResponseCache(model, { ...limits, clock }) };
};

const numbered: Script = (_, index) => ({ text: `answer ${index}`, usage: costing(10, 5) });

async function ask(
  model: Model,
  asked: ModelRequest,
  signal = new AbortController().signal,
): Promise<Extract<ModelEvent, { readonly type: "end" }>> {
  const events = await Array.fromAsync(model.call(asked, signal));
  const end = events.at(-1);
  if (end?.type === "end") return end;
  throw new Error("no end");
}

describe("a response cache", () => {
  it("passes on what its model can besides", async () => {
    const warmed: unknown[] = [];
    const { clock, model } = cachedOver(numbered);
    const cached = withResponseCache(
      {
        ...model,
        countTokens: async () => 7,
        prewarm: ({ models }) => void warmed.push(...models),
      },
      { clock },
    );
    const asked = { models: ["m"], messages: [], tools: [] } as const;

    cached.prewarm?.({ models: ["m"], signal: new AbortController().signal });
    expect(warmed).toEqual(["m"]);
    expect(await cached.countTokens?.(asked, new AbortController().signal)).toBe(7);
  });

  it("answers an equal call with the earlier answer, marked, and with nothing paid", async () => {
    const { model, cached } = cachedOver(numbered);

    const first = await ask(cached, request("hi"));
    const second = await ask(cached, request("hi"));

    expect(model.requests).toHaveLength(1);
    expect(first).not.toHaveProperty("cached");
    expect(second).toMatchObject({ text: "answer 0", cached: true, model: "scripted" });
    expect([second.usage.input.total, second.usage.output.total]).toEqual([0, 0]);
  });

  it("says what an answer's reader would have seen: a start, its text, its end", async () => {
    const { cached } = cachedOver(numbered);
    await ask(cached, request("hi"));

    const events = await Array.fromAsync(cached.call(request("hi"), new AbortController().signal));

    expect(events.map(({ type }) => type)).toEqual(["start", "text-delta", "end"]);
  });

  const OTHER: readonly (readonly [string, Partial<ModelRequest>])[] = [
    ["another model", { models: ["n"] }],
    ["a fallback", { models: ["m", "n"] }],
    ["another place", { models: [endpoint({ url: "http://h/v1" })] }],
    ["another message", { messages: [{ role: "user", content: "ho" }] }],
    ["a tool", { tools: [{ name: "t", description: "d", parameters: {} }] }],
    ["a tool choice", { toolChoice: "none" as const }],
    ["an output", { output: { name: "o", schema: { type: "object" } } }],
    ["a seed", { settings: { seed: 1 } }],
    ["a field of the body", { settings: { extraBody: { top_k: 1 } } }],
    ["thinking", { settings: { thinking: true } }],
    ["another default of maxTokens", { defaults: { maxTokens: 5 } }],
  ];

  it.each(OTHER)("makes a call anew that has %s", async (_, more) => {
    const { model, cached } = cachedOver(numbered);

    await ask(cached, request("hi"));
    await ask(cached, request("hi", more));

    expect(model.requests).toHaveLength(2);
  });

  it("sees no difference in hints, time-outs, prices, and the order of fields", async () => {
    const { model, cached } = cachedOver(numbered);
    const place = { url: "http://h/v1", temperature: 1, seed: 2 };

    await ask(cached, request("hi", { models: [endpoint(place)], settings: { seed: 1, topP: 1 } }));
    await ask(
      cached,
      request("hi", {
        models: [
          endpoint({
            seed: 2,
            temperature: 1,
            url: "http://h/v1",
            usdPerMillionTokens: { input: 1, output: 1 },
            timeouts: { totalMs: 5 },
          }),
        ],
        settings: { topP: 1, seed: 1, stop: undefined },
        timeouts: { totalMs: 7 },
        hints: { ...request("hi").hints, runId: "another", priority: 3, tenant: "t" },
      }),
    );

    expect(model.requests).toHaveLength(1);
  });

  it("makes two equal calls at the same time once", async () => {
    const { model, cached, clock } = cachedOver(() => ({
      text: "x",
      delayMs: 100,
      usage: costing(10, 5),
    }));

    const both = Promise.all([ask(cached, request("hi")), ask(cached, request("hi"))]);
    await clock.advance(100);
    const [first, second] = await both;

    expect(model.requests).toHaveLength(1);
    expect([first.cached, second.cached]).toEqual([undefined, true]);
    expect(second.timings.totalMs).toBe(100);
  });

  it("lets a call that waits be made itself when the one that it waits for fails", async () => {
    const { model, cached, clock } = cachedOver(async (_, index) => {
      await clock.sleep(10, new AbortController().signal);
      return index === 0 ? new BosunError("model/server", "down") : `answer ${index}`;
    });

    const all = Promise.allSettled([1, 2, 3].map(async () => ask(cached, request("hi"))));
    await clock.advance(100);

    expect((await all).map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
    expect(model.requests).toHaveLength(3);
  });

  it("hands a call over to one that waits when its caller goes away", async () => {
    const { model, cached, clock } = cachedOver((_, index) => ({
      text: `answer ${index}`,
      delayMs: 100,
    }));
    const controller = new AbortController();

    const left = ask(cached, request("hi"), controller.signal).catch(() => "left");
    const waiting = [1, 2].map(async () => ask(cached, request("hi")));
    await clock.advance(50);
    controller.abort();
    await clock.advance(200);
    const answers = await Promise.all(waiting);

    expect(await left).toBe("left");
    expect(answers.map(({ text }) => text)).toEqual(["answer 1", "answer 1"]);
    expect(model.requests).toHaveLength(2);
  });

  it.each<[string, Script]>([
    ["a cut one", [{ text: "x", finish: "length" }, "y"]],
    ["an empty one", [{ text: "" }, "y"]],
    ["a refused one", [{ text: "x", finish: "content-filter" }, "y"]],
  ])("keeps whole answers only, not %s", async (_, script) => {
    const { cached } = cachedOver(script);

    await ask(cached, request("hi"));
    const second = await ask(cached, request("hi"));

    expect(second).toMatchObject({ text: "y" });
    expect(second).not.toHaveProperty("cached");
  });

  it("keeps no answer of a fallback, which another model may give better", async () => {
    let calls = 0;
    const model: Model = {
      contextTokens: async () => undefined,
      async *call(asked, signal) {
        calls++;
        yield { type: "fallback", from: "m", to: "n", code: "model/server", usage: undefined };
        yield* scriptedModel(["x"]).call(asked, signal);
      },
    };
    const cached = withResponseCache(model, { clock: createVirtualClock() });

    await ask(cached, request("hi"));
    await ask(cached, request("hi"));

    expect(calls).toBe(2);
  });

  it("lets the answer go that was used longest ago, by number and by bytes", async () => {
    for (const limits of [{ maxEntries: 2 }, { maxBytes: 2 * (64 + 140) }]) {
      const { model, cached } = cachedOver(numbered, limits);

      for (const text of ["a", "b", "a", "c"]) await ask(cached, request(text));
      expect(model.requests).toHaveLength(3);
      await ask(cached, request("a"));
      expect(model.requests).toHaveLength(3);
      await ask(cached, request("b"));
      expect(model.requests, JSON.stringify(limits)).toHaveLength(4);
    }
  });

  it("keeps nothing that alone is larger than all that it may hold", async () => {
    const { model, cached } = cachedOver(() => "x".repeat(1_000), { maxBytes: 500 });

    await ask(cached, request("a"));
    await ask(cached, request("a"));

    expect(model.requests).toHaveLength(2);
  });

  it("lets an answer go when its time is over", async () => {
    const { model, cached, clock } = cachedOver(numbered, { ttlMs: 1_000 });

    await ask(cached, request("a"));
    await clock.advance(999);
    await ask(cached, request("a"));
    expect(model.requests).toHaveLength(1);
    await clock.advance(1);
    await ask(cached, request("a"));

    expect(model.requests).toHaveLength(2);
  });
});

const made = (options: object = {}, agentOptions: object = {}) => {
  const { bosun, model } = scene(numbered, { responseCache: true, ...options });
  const tasks = [job("a", { agent: worker("w", agentOptions) })];
  return { model, crew: crew({ name: "c", tasks, bosun }) };
};

describe("a Bosun with responseCache", () => {
  it("pays for equal runs once, and says so in the events and the cost", async () => {
    const { crew: twice, model } = made();

    await twice.kickoff();
    const { events } = await eventsOf(twice.stream());

    expect(model.requests).toHaveLength(1);
    expect(only(events, "model-end")[0]).toMatchObject({ status: "done", cached: true });
    expect((await twice.kickoff()).usage.input.total).toBe(0);
  });

  it("is passed by for a run, an agent and a task's further attempt that want it", async () => {
    const run = made();
    const agent = made({}, { responseCache: false });
    for (const options of [{ responseCache: false }, {}, { responseCache: false }])
      await run.crew.kickoff(options);
    for (let n = 0; n < 2; n++) await agent.crew.kickoff();

    const { bosun, model } = scene(() => "never JSON", { responseCache: true });
    const output = { type: "object" } as const;
    const retried = crew({
      name: "c",
      tasks: [job("a", { onError: "retry", output } as never)],
      bosun,
    });
    await retried.kickoff().catch(() => undefined);

    expect(run.model.requests).toHaveLength(3);
    expect(agent.model.requests).toHaveLength(2);
    expect(model.requests).toHaveLength(6);
  });

  it("is off by default", async () => {
    const { crew: twice, model } = made({ responseCache: undefined });

    for (let n = 0; n < 2; n++) await twice.kickoff();

    expect(model.requests).toHaveLength(2);
  });
});

describe("takeOver", () => {
  it("answers calls as an earlier process was answered, for as long as that answer may be kept", async () => {
    const { clock, cached } = cachedOver(numbered, { ttlMs: 1_000 });
    const { type: _, ...earlier } = await ask(cachedOver(() => "earlier").cached, request("a"));
    await clock.advance(900);

    cached.takeOver(request("a"), earlier, 500);
    cached.takeOver(request("b", { hints: { ...request("b").hints, cache: false } }), earlier, 500);

    expect(await ask(cached, request("a"))).toMatchObject({ text: "earlier", cached: true });
    expect(await ask(cached, request("b"))).toMatchObject({ text: "answer 0" });
    await clock.advance(600);
    expect(await ask(cached, request("a"))).toMatchObject({ text: "answer 1" });
  });
});
