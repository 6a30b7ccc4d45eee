import { describe, expect, it } from "vitest";
import { type Clock, createVirtualClock } from "../../../../src/clock.ts";
import { BosunError } from "../../../../src/error.ts";
import type { GenerateEvent, GenerateRequest } from "../../../../src/inference/twin/generate.ts";
import type { WorkerPrice } from "../../../../src/inference/twin/serverless/bill.ts";
import type { ColdStart } from "../../../../src/inference/twin/serverless/cold-start.ts";
import {
  type WorkerReplica,
  ServerlessEndpoint,
} from "../../../../src/inference/twin/serverless/endpoint.ts";
import type { EndpointSettings } from "../../../../src/inference/twin/serverless/settings.ts";

const SAID = { gpu: "a GPU", source: "a test", readAt: "2026-11" };

/** A tenth and a twentieth of a cent a second. */
const PRICE: WorkerPrice = {
  flex: { ...SAID, rental: "flex", usdPerHour: 3.6 },
  active: { ...SAID, rental: "active", usdPerHour: 1.8 },
};

/** 20 s until a worker is initialised, 10 s until it has started; exact. */
const COLD_START: ColdStart = {
  stages: [
    { name: "image-pull", part: "initialise", meanMs: 20_000, cv: 0, source: "a test" },
    { name: "weights", part: "start", meanMs: 10_000, cv: 0, source: "a test" },
  ],
  flashBoot: undefined,
};

const RUN_MS = 1_000;

/** An engine that says one token after RUN_MS and ends after another RUN_MS. */
function slowEngine(clock: Clock): WorkerReplica {
  return {
    async *generate(_request, signal) {
      const startMs = clock.now();
      yield { type: "start", atMs: startMs };
      await clock.sleep(RUN_MS, signal);
      yield { type: "tokens", from: 0, to: 1, times: Float64Array.of(clock.now()) };
      await clock.sleep(RUN_MS, signal);
      const timings = { queueMs: 0, prefillMs: RUN_MS, decodeMs: RUN_MS };
      yield {
        type: "end",
        finish: "stop",
        atMs: clock.now(),
        timings,
        cachedTokens: 0,
        preemptions: 0,
      };
    },
  };
}

const REQUEST: GenerateRequest = {
  id: "r",
  promptIds: Int32Array.of(1),
  outputIds: Int32Array.of(2),
  finish: "stop",
  priority: 0,
  cacheSalt: undefined,
  lora: undefined,
};

const NEVER = new AbortController().signal;

function setUp(settings: EndpointSettings, change: { coldStart?: ColdStart; seed?: number } = {}) {
  const clock = createVirtualClock();
  const launched: string[] = [];
  const endpoint = new ServerlessEndpoint({
    clock,
    seed: change.seed ?? 1,
    coldStart: change.coldStart ?? COLD_START,
    price: PRICE,
    settings,
    launch: (id) => {
      launched.push(id);
      return slowEngine(clock);
    },
  });
  const ask = async (signal: AbortSignal = NEVER): Promise<GenerateEvent | undefined> => {
    let last: GenerateEvent | undefined;
    for await (const event of endpoint.generate(REQUEST, signal)) last = event;
    return last;
  };
  return { clock, endpoint, ask, launched };
}

describe("a serverless endpoint", () => {
  it("waits for the scaler and the cold start, and puts both into queueMs", async () => {
    const { clock, ask } = setUp({});
    await clock.sleep(60_000, NEVER);

    const end = await ask();

    // 4 s until QUEUE_DELAY wants a worker, 10 s of start
    expect(end).toMatchObject({ finish: "stop", atMs: 76_000, timings: { queueMs: 14_000 } });
  });

  it("bills start, execution and idle time, and neither image pull nor the time after", async () => {
    const { clock, endpoint, ask } = setUp({});
    await ask();
    await clock.sleep(100_000, NEVER);

    const bill = endpoint.bill();

    expect(bill.flex).toMatchObject({ startMs: 10_000, executionMs: 2_000, idleMs: 5_000 });
    expect(bill).toMatchObject({ billedSeconds: 17, price: { flex: { source: "a test" } } });
    expect(bill.usd).toBeCloseTo(0.017);
    expect(endpoint.health().workers).toMatchObject({ idle: 3, running: 0 });
  });

  it("keeps a worker warm for the next request within the idle time-out", async () => {
    const { clock, endpoint, ask } = setUp({ idleTimeout: 5 });
    await ask();
    await clock.sleep(4_000, NEVER);
    const warm = await ask();
    await clock.sleep(6_000, NEVER);
    const cold = await ask();

    expect(warm).toMatchObject({ timings: { queueMs: 0 } });
    expect(cold).toMatchObject({ timings: { queueMs: 14_000 } });
    expect(endpoint.bill().flex.stretches).toBe(2);
  });

  it("lets one worker take as many requests as it may, and starts more for the rest", async () => {
    const { endpoint, ask, launched } = setUp({
      jobsPerWorker: 2,
      scaler: { type: "REQUEST_COUNT", requests: 2 },
    });

    const ends = await Promise.all(Array.from({ length: 5 }, () => ask()));

    expect(launched.length).toBe(3);
    expect(ends.every((end) => end?.type === "end" && end.finish === "stop")).toBe(true);
    expect(endpoint.health().jobs).toEqual({
      inQueue: 0,
      inProgress: 0,
      completed: 5,
      failed: 0,
      retried: 0,
    });
  });

  it("has a request no more in progress when its end is told", async () => {
    const { endpoint } = setUp({});
    const seen: unknown[] = [];

    for await (const { type } of endpoint.generate(REQUEST, NEVER))
      seen.push([type, endpoint.health().jobs.inProgress, endpoint.health().jobs.completed]);

    expect(seen).toEqual([
      ["start", 1, 0],
      ["tokens", 1, 0],
      ["end", 0, 1],
    ]);
  });

  it("starts no more than workersMax, and serves in order of arrival", async () => {
    const { ask, launched, clock } = setUp({ workersMax: 1, jobsPerWorker: 1 });
    const order: number[] = [];

    await Promise.all([0, 1, 2].map(async (index) => (await ask(), order.push(index))));

    expect(launched).toEqual(["worker-0"]);
    expect(order).toEqual([0, 1, 2]);
    expect(clock.now()).toBe(20_000 + 10_000 + 3 * 2 * RUN_MS);
  });

  it("keeps active workers on at their own price", async () => {
    const { clock, endpoint, ask } = setUp({ workersMin: 1 });
    await clock.sleep(130_000, NEVER);

    const end = await ask();

    expect(end).toMatchObject({ timings: { queueMs: 0 } });
    const bill = endpoint.bill();
    expect(bill.active).toMatchObject({ startMs: 10_000, executionMs: 2_000, idleMs: 100_000 });
    expect(bill.flex.billedSeconds).toBe(0);
    expect(bill.usd).toBeCloseTo(112 * 0.0005);
  });

  it("marks a worker unhealthy whose start takes longer than the limit, and tries it anew", async () => {
    const { clock, endpoint, ask } = setUp({ workersMax: 1, initTimeout: 9 });
    const asked = ask();
    await clock.sleep(15_000, NEVER); // the image pull of 20 s is cut at 9 s

    expect(endpoint.health().workers.unhealthy).toBe(1);
    endpoint[Symbol.dispose]();
    void asked;
  });

  it("leaves the queue when the caller aborts", async () => {
    const { endpoint, ask } = setUp({});
    const caller = new AbortController();
    const asked = ask(caller.signal);
    caller.abort(new BosunError("model/cancelled", "enough"));

    expect(await asked).toMatchObject({ type: "end", finish: "abort" });
    expect(endpoint.health().jobs).toMatchObject({ inQueue: 0, failed: 1 });
  });

  it("frees the worker when the caller aborts amid an answer", async () => {
    const { clock, endpoint, ask } = setUp({ workersMin: 1 });
    await clock.sleep(60_000, NEVER);
    const caller = new AbortController();
    const asked = ask(caller.signal).catch((error: unknown) => error);
    await clock.sleep(500, NEVER);
    caller.abort(new BosunError("model/cancelled", "enough"));
    await asked;

    expect(endpoint.health().jobs.inProgress).toBe(0);
    expect((await ask())?.type).toBe("end");
  });

  it("asks another worker when a spot worker is taken away before the first token, and fails after it", async () => {
    const finishes = { stop: 0, error: 0, abort: 0, length: 0 };
    // a worker lives for 12 s on average, its start takes 10 s and a request 2 s
    for (let seed = 0; seed < 40; seed++) {
      const { ask, endpoint } = setUp(
        {
          meanHoursToInterruption: 12 / 3_600,
          workersMax: 2,
          scaler: { type: "REQUEST_COUNT", requests: 1 },
        },
        { seed },
      );
      const end = await ask();
      if (end?.type === "end") finishes[end.finish]++;
      endpoint[Symbol.dispose]();
    }

    expect(finishes.stop).toBeGreaterThan(10);
    expect(finishes.error).toBeGreaterThan(0);
    expect(finishes.stop + finishes.error).toBe(40);
  });

  it("repeats itself by its seed", async () => {
    const coldStart: ColdStart = {
      ...COLD_START,
      stages: COLD_START.stages.map((stage) => ({ ...stage, cv: 0.5 })),
      flashBoot: { hitProbability: 0.5, leastMs: 600, mostMs: 2_000 },
    };
    const run = async (seed: number) => {
      const { clock, endpoint, ask } = setUp({ workersMax: 2 }, { coldStart, seed });
      for (let index = 0; index < 20; index++) {
        await ask();
        await clock.sleep(30_000, NEVER);
      }
      return { bill: endpoint.bill(), starts: endpoint.starts() };
    };

    const [first, again, other] = [await run(1), await run(1), await run(2)];

    expect(again).toEqual(first);
    expect(other.bill).not.toEqual(first.bill);
    expect(new Set(first.starts.map(({ type }) => type))).toEqual(new Set(["cold", "snapshot"]));
  });

  it("refuses settings that no endpoint can have", () => {
    for (const settings of [
      { workersMax: 0 },
      { workersMin: 4, workersMax: 3 },
      { idleTimeout: 0 },
      { scaler: { type: "REQUEST_COUNT", requests: 0 } as const },
    ])
      expect(() => setUp(settings)).toThrow(expect.objectContaining({ code: "config/invalid" }));
  });
});
