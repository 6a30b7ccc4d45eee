import { describe, expect, it } from "vitest";
import { createVirtualClock, systemClock } from "../../../src/clock.ts";
import type { GenerateEvent } from "../../../src/inference/twin/generate.ts";
import type { FinishReport, StepReport } from "../../../src/inference/twin/stats.ts";
import { constantStepCost } from "../../../src/inference/twin/step-cost.ts";
import { collect, OPEN, replicaOn } from "./generation.ts";
import { request, tokens } from "./request.ts";

describe("a replica in virtual time", () => {
  it("says when a generation starts, when its tokens come, and where its time went", async () => {
    const clock = createVirtualClock();
    const replica = replicaOn(clock);
    await clock.sleep(100, OPEN);

    const events = await collect(replica, request("a", { output: 3 }));

    expect(events).toEqual([
      { type: "start", atMs: 100 },
      { type: "tokens", from: 0, to: 1, times: new Float64Array([110]) },
      { type: "tokens", from: 1, to: 3, times: new Float64Array([120, 130]) },
      {
        type: "end",
        finish: "stop",
        atMs: 130,
        timings: { queueMs: 0, prefillMs: 10, decodeMs: 20 },
        cachedTokens: 0,
        preemptions: 0,
      },
    ]);
    expect(clock.now()).toBe(130);
  });

  it("hands over the first token when it comes, then chunks of chunkTokens", async () => {
    const clock = createVirtualClock();
    const replica = replicaOn(clock, { chunkTokens: 4 });
    const seen: (readonly number[])[] = [];
    for await (const event of replica.generate(request("a", { output: 10 }), OPEN))
      if (event.type === "tokens") seen.push([clock.now(), event.from, event.to]);

    expect(seen).toEqual([
      [10, 0, 1],
      [40, 1, 4],
      [80, 4, 8],
      [100, 8, 10],
    ]);
  });

  it("puts requests of one moment into one step, and later ones into the step after that in flight", async () => {
    const clock = createVirtualClock();
    const replica = replicaOn(clock);
    const late = async (): Promise<GenerateEvent[]> => {
      await clock.sleep(5, OPEN);
      return collect(replica, request("late", { output: 1 }));
    };

    const [[a], [b], [c]] = await Promise.all([
      collect(replica, request("a")),
      collect(replica, request("b")),
      late(),
    ]);

    expect([a, b, c]).toEqual([
      { type: "start", atMs: 0 },
      { type: "start", atMs: 0 },
      { type: "start", atMs: 10 },
    ]);
  });

  it("frees the blocks when the consumer leaves the loop", async () => {
    const clock = createVirtualClock();
    const replica = replicaOn(clock);
    for await (const event of replica.generate(request("a", { output: 50 }), OPEN))
      if (event.type === "tokens") break;

    expect(replica.stats()).toMatchObject({ numRequestsRunning: 0, kvCacheUsage: 0 });
    expect(replica.stats().counters.requests.abort).toBe(1);
  });

  it("frees the blocks at the moment of an abort and ends with what was there until then", async () => {
    const clock = createVirtualClock();
    const replica = replicaOn(clock);
    const controller = new AbortController();
    const usage: number[] = [];
    clock.timer(35, () => {
      usage.push(replica.stats().kvCacheUsage);
      controller.abort();
      usage.push(replica.stats().kvCacheUsage);
    });

    const events = await collect(replica, request("a", { output: 50 }), controller.signal);

    expect(usage).toEqual([3 / 64, 0]);
    expect(events.slice(1)).toMatchObject([
      { from: 0, to: 1 },
      { from: 1, to: 3, times: new Float64Array([20, 30]) },
      { finish: "abort", atMs: 35, timings: { decodeMs: 20 } },
    ]);
  });

  it("throws the reason of a signal that has aborted, and takes no request", async () => {
    const replica = replicaOn(createVirtualClock());

    await expect(
      collect(replica, request("a"), AbortSignal.abort(new Error("gone"))),
    ).rejects.toThrow("gone");
    expect(replica.stats().numRequestsWaiting).toBe(0);
  });

  it.each([
    ["model/context-length", { prompt: 256 }, {}],
    ["model/overloaded", {}, { maxNumQueuedReqs: 1 }],
    ["model/overloaded", {}, { maxNumQueuedTokens: 5 }],
  ] as const)("refuses with %s before any event", async (code, spec, limits) => {
    const clock = createVirtualClock();
    const replica = replicaOn(clock, {
      config: { numGpuBlocks: 64, blockSize: 4, maxModelLen: 256, ...limits },
    });
    const first = collect(replica, request("first"));

    await expect(collect(replica, request("a", spec))).rejects.toMatchObject({ code });
    expect(await first).toHaveLength(4);
  });

  it("ends everything with error when it is killed, refuses, and works again after a restart", async () => {
    const clock = createVirtualClock();
    const replica = replicaOn(clock);
    clock.timer(25, () => replica.kill());

    const events = await collect(replica, request("a", { output: 50 }));
    const isHealthy = replica.isHealthy;
    const refused = collect(replica, request("b"));

    expect(events.at(-1)).toMatchObject({ type: "end", finish: "error", atMs: 25 });
    expect(isHealthy).toBe(false);
    await expect(refused).rejects.toMatchObject({
      code: "model/server",
      details: { reason: "dead" },
    });
    expect(() => replica.sleep(1)).toThrow("the engine is dead");
    replica.restart();
    expect(replica).toMatchObject({ isHealthy: true, state: "awake" });
    expect((await collect(replica, request("a"))).at(-1)).toMatchObject({ finish: "stop" });
  });

  it("sleeps: aborts what runs, starts what comes when it wakes", async () => {
    const clock = createVirtualClock();
    const replica = replicaOn(clock);
    clock.timer(25, () => replica.sleep(2));
    clock.timer(1_000, () => replica.wakeUp());

    const cut = await collect(replica, request("a", { output: 50 }));
    const state = replica.stats().state;
    const [start] = await collect(replica, request("b"));

    expect(cut.at(-1)).toMatchObject({ finish: "abort", atMs: 25 });
    expect(state).toBe("discard_all");
    expect(start).toEqual({ type: "start", atMs: 1_000 });
  });

  it("serves from the cache until it is reset", async () => {
    const replica = replicaOn(createVirtualClock());
    const ask = async (): Promise<unknown> =>
      (await collect(replica, request("a", { prompt: tokens("p", 9) }))).at(-1);

    expect(await ask()).toMatchObject({ cachedTokens: 0 });
    expect(await ask()).toMatchObject({ cachedTokens: 8 });
    expect(replica.cacheReset()).toBe(true);
    expect(await ask()).toMatchObject({ cachedTokens: 0 });
  });

  it("reports each step and each end", async () => {
    const [steps, ends]: [StepReport[], FinishReport[]] = [[], []];
    const replica = replicaOn(createVirtualClock(), {
      onStep: ({ batch, ...times }) => steps.push({ ...times, batch: { ...batch } }),
      onFinish: (finished) => ends.push(finished),
    });
    await collect(replica, request("a", { prompt: 8, output: 2 }));

    expect(steps).toMatchObject([
      { beganAtMs: 0, endedAtMs: 10, batch: { prefillTokens: 8, sampledSeqs: 1 } },
      { beganAtMs: 10, endedAtMs: 20, batch: { decodeSeqs: 1, decodeContextTokens: 9 } },
    ]);
    expect(ends).toMatchObject([
      { id: "a", finish: "stop", promptTokens: 8, times: new Float64Array([10, 20]) },
    ]);
  });

  it("shows what runs, what waits and which adapters", async () => {
    const clock = createVirtualClock();
    const replica = replicaOn(clock, {
      config: { numGpuBlocks: 64, blockSize: 4, maxModelLen: 256, maxLoras: 1 },
    });
    const all = [
      collect(replica, request("a", { lora: "one" })),
      collect(replica, request("b", { lora: "two" })),
    ];
    clock.timer(15, () => {
      expect(replica.stats()).toMatchObject({
        state: "awake",
        numRequestsRunning: 1,
        numRequestsWaiting: 1,
        numRequestsDeferred: 1,
        runningLoras: ["one"],
        waitingLoras: ["two"],
        kvBlocksCached: 2,
      });
    });

    await Promise.all(all);
    expect.assertions(1);
  });

  it("leaves no timer behind when it is idle", async () => {
    const clock = createVirtualClock();
    const replica = replicaOn(clock);
    await collect(replica, request("a"));

    expect(clock.horizon?.()).toBe(Infinity);
  });
});

describe("a replica on other clocks", () => {
  it("does not run further than the clock is moved", async () => {
    const clock = createVirtualClock({ auto: false });
    const replica = replicaOn(clock);
    const events = collect(replica, request("a", { output: 100 }));
    await clock.advance(205);

    expect(replica.stats().counters.generationTokens).toBe(20);
    await clock.advance(795);
    expect((await events).at(-1)).toMatchObject({ atMs: 1_000 });
  });

  it("hands over token by token in real time", async () => {
    const replica = replicaOn(createVirtualClock(), {
      clock: systemClock,
      stepCost: constantStepCost(2),
    });

    const events = await collect(replica, request("a", { output: 5 }));

    const last = events.at(-1);
    expect(last).toMatchObject({ type: "end", finish: "stop" });
    expect(last?.type === "end" && last.timings.decodeMs).toBeCloseTo(8, 3);
  });

  it("runs speed times as fast and keeps its own milliseconds", async () => {
    const clock = createVirtualClock();
    const replica = replicaOn(clock, { speed: 100 });

    const events = await collect(replica, request("a", { output: 10 }));

    expect(events.filter(({ type }) => type === "tokens")).toHaveLength(10);
    expect(events.at(-1)).toMatchObject({ timings: { prefillMs: 10 } });
    expect(clock.now()).toBeCloseTo(1, 6);
    expect(replica.clock.now()).toBeCloseTo(100, 6);
  });
});
