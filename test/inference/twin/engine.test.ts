import { describe, expect, it } from "vitest";
import { Engine } from "../../../src/inference/twin/engine.ts";
import { toEngineConfig } from "../../../src/inference/twin/engine-config.ts";
import { createEngine } from "./drive.ts";
import { request } from "./request.ts";

/** What the engine says to a request. */
function answerTo(driven: ReturnType<typeof createEngine>, id: string, prompt = 8): string {
  const admission = driven.engine.add(request(id, { prompt }), driven.now);
  return admission.type === "refused" ? admission.reason : admission.type;
}

describe("the engine", () => {
  it("says when a request started and when each of its tokens came", () => {
    const driven = createEngine({ maxNumBatchedTokens: 8 });
    driven.now = 100;
    const [a] = driven.add(request("a", { prompt: 12, output: 3 }));
    driven.drain();

    expect(a).toMatchObject({ startedAtMs: 100, finish: "stop", endedAtMs: 104 });
    expect([...(a?.times ?? [])]).toEqual([102, 103, 104]);
  });

  it("gives both halves of a step in one call", () => {
    const driven = createEngine();
    const [a] = driven.add(request("a", { output: 1 }));

    const step = driven.engine.step(0);

    expect(step?.durationMs).toBe(1);
    expect(step?.events).toEqual({ started: [a], preempted: [], firsts: [a], finished: [a] });
    expect(driven.engine.step(1)).toBeUndefined();
  });

  it("does not admit into a step what comes after it began", () => {
    const driven = createEngine();
    driven.add(request("a", { output: 2 }));
    driven.now = 5;
    driven.add(request("late"));
    driven.now = 0;

    expect([driven.step(), driven.step(), driven.step()]).toEqual([{ a: 8 }, { a: 1 }, undefined]);
    driven.now = 5;
    expect(driven.step()).toEqual({ late: 8 });
  });

  it("ends an answer at maxModelLen with length", () => {
    const driven = createEngine({ maxModelLen: 20 });
    const [a] = driven.add(request("a", { prompt: 15, output: 30 }));
    driven.drain();

    expect(a).toMatchObject({ finish: "length", numOutputs: 5 });
  });

  it("ends with the reason that the request has", () => {
    const driven = createEngine();
    const [a] = driven.add(request("a", { finish: "length" }));
    driven.drain();

    expect(a?.finish).toBe("length");
    expect(driven.engine.counters.requests).toEqual({ stop: 0, length: 1, abort: 0, error: 0 });
  });

  it("throws away what a step computes for a request that is aborted in it", () => {
    const driven = createEngine();
    const [a, b] = driven.add(request("a"), request("b"));
    driven.engine.begin(0);
    if (a) driven.engine.abort(a, 0.5);

    const { pool } = driven.engine.scheduler.kv;
    expect(pool.numFree).toBe(14);
    driven.engine.finish();
    expect(a).toMatchObject({ finish: "abort", numOutputs: 0, endedAtMs: 0.5 });
    expect(b?.numOutputs).toBe(1);
    expect(driven.engine.counters.generationTokens).toBe(1);
  });

  it("does nothing for a second abort", () => {
    const driven = createEngine();
    const [a] = driven.add(request("a"));
    if (a) driven.engine.abort(a, 1);
    if (a) driven.engine.abort(a, 2);

    expect(a?.endedAtMs).toBe(1);
    expect(driven.engine.counters.requests.abort).toBe(1);
  });

  it("refuses a step cost that is no time", () => {
    for (const cost of [0, -1, NaN, Infinity]) {
      const engine = new Engine(toEngineConfig({ numGpuBlocks: 8, maxModelLen: 64 }), () => cost);
      engine.add(request("a"), 0);

      expect(() => engine.step(0)).toThrow("a step's cost is finite and above 0");
    }
  });
});

describe("the queue", () => {
  it("takes everything that fits the context, without limits", () => {
    const driven = createEngine({ maxNumSeqs: 1 });

    const answers = Array.from({ length: 2_000 }, (_, n) => answerTo(driven, `r${n}`));

    expect(new Set(answers)).toEqual(new Set(["admitted"]));
    expect(driven.waiting).toHaveLength(2_000);
  });

  it("refuses a prompt that leaves no room for an answer", () => {
    const driven = createEngine({ maxModelLen: 20 });

    expect([answerTo(driven, "a", 19), answerTo(driven, "b", 20)]).toEqual([
      "admitted",
      "context-length",
    ]);
  });

  it("refuses the request above maxNumQueuedReqs, running ones included", () => {
    const driven = createEngine({ maxNumQueuedReqs: 2, maxNumSeqs: 1 });
    const [a] = driven.add(request("a"));
    driven.step();

    expect([answerTo(driven, "b"), answerTo(driven, "c")]).toEqual(["admitted", "queue-requests"]);
    if (a) driven.engine.abort(a, driven.now);
    expect(answerTo(driven, "d")).toBe("admitted");
  });

  it("refuses from maxNumQueuedTokens in prefill on, until there are first tokens", () => {
    const driven = createEngine({ maxNumQueuedTokens: 20 });

    expect([answerTo(driven, "a", 16), answerTo(driven, "b", 16)]).toEqual([
      "admitted",
      "admitted",
    ]);
    expect(answerTo(driven, "c")).toBe("queue-tokens");
    driven.step();
    expect(answerTo(driven, "c")).toBe("admitted");
  });
});

describe("sleep", () => {
  it.each([
    [1, "weights_offloaded"],
    [2, "discard_all"],
  ] as const)("at level %i aborts, drops the cache and keeps what comes", (level, state) => {
    const driven = createEngine();
    driven.add(request("a", { prompt: 16, output: 1 }));
    driven.drain();
    const [b] = driven.add(request("b"));
    driven.step();

    const ended = driven.engine.sleep(level, driven.now);
    const [again] = driven.add(request("a", { prompt: 16 }));

    expect(ended).toEqual([b]);
    expect(b?.finish).toBe("abort");
    expect(driven.engine.state).toBe(state);
    expect(driven.step()).toBeUndefined();
    driven.engine.wakeUp();
    expect(driven.step()).toEqual({ a: 16 });
    expect(again?.numCachedTokens).toBe(0);
  });
});

describe("a dead engine", () => {
  it("has ended everything with error, in the middle of a step too, and refuses what comes", () => {
    const driven = createEngine({ maxNumSeqs: 1 });
    const sequences = driven.add(request("a"), request("b"));
    driven.engine.begin(driven.now);

    expect(driven.engine.kill(0.5)).toEqual(sequences);
    expect(sequences.map(({ finish }) => finish)).toEqual(["error", "error"]);
    expect(answerTo(driven, "c")).toBe("dead");
    expect(driven.step()).toBeUndefined();
    expect(() => driven.engine.sleep(1, 1)).toThrow("a dead engine cannot sleep");
    driven.engine.wakeUp();
    expect(driven.engine.state).toBe("dead");
  });

  it("starts again with nothing cached and its counters at 0", () => {
    const driven = createEngine();
    driven.add(request("a", { prompt: 16 }));
    driven.drain();
    driven.engine.kill(driven.now);

    driven.engine.restart(driven.now);

    expect(driven.engine.state).toBe("awake");
    expect(driven.engine.counters).toMatchObject({ steps: 0, promptTokens: 0 });
    driven.add(request("a", { prompt: 16 }));
    expect(driven.step()).toEqual({ a: 16 });
  });
});

describe("the options of an engine", () => {
  it("have vLLM's defaults", () => {
    expect(toEngineConfig({ numGpuBlocks: 1_000, maxModelLen: 4_096 })).toMatchObject({
      blockSize: 16,
      maxNumSeqs: 256,
      maxNumBatchedTokens: 2_048,
      schedulingPolicy: "fcfs",
      schedulerReserveFullIsl: true,
      enablePrefixCaching: true,
      maxNumQueuedReqs: undefined,
    });
  });

  it.each([
    ["a cache that one full request does not fit into", { maxModelLen: 161 }],
    ["a budget below one token for each sequence", { maxNumBatchedTokens: 100 }],
    [
      "a budget below the context without chunks",
      { enableChunkedPrefill: false, maxNumSeqs: 4, maxNumBatchedTokens: 99 },
    ],
    ["a negative threshold", { longPrefillTokenThreshold: -1 }],
    ["half a sequence", { maxNumSeqs: 0.5 }],
    ["no block", { numGpuBlocks: 0 }],
    ["an empty queue", { maxNumQueuedReqs: 0 }],
  ])("refuse %s", (_, options) => {
    const wrong = { numGpuBlocks: 10, maxModelLen: 100, ...options };

    expect(() => toEngineConfig(wrong)).toThrow(
      expect.objectContaining({ code: "config/invalid" }),
    );
  });
});
