import { describe, expect, it } from "vitest";
import { createFaults } from "../../../../src/inference/twin/fault.ts";
import { createTwinServer } from "../../../../src/inference/twin/http/server.ts";
import type { Scaler } from "../../../../src/inference/twin/serverless/scaler.ts";
import { createTwinModel } from "../../../../src/inference/twin/model.ts";
import { planTwin } from "../../../../src/inference/twin/setup.ts";
import { startTwin } from "../../../../src/inference/twin/start.ts";
import { fillerSource } from "../../../../src/inference/twin/text/plain-source.ts";
import { createVirtualClock } from "../../../../src/clock.ts";
import { poolOver, runBurst, serverlessTwin } from "./crew-burst.ts";

const NEVER = new AbortController().signal;

/** What one worker takes at once. */
const JOBS = 4;
const CREWS = 24;

const SCALERS: readonly Scaler[] = [
  { type: "QUEUE_DELAY", seconds: 4 },
  { type: "REQUEST_COUNT", requests: JOBS },
];

describe.each(SCALERS)("a serverless twin that $type scales, under a burst of crews", (scaler) => {
  const settings = { workersMax: 3, jobsPerWorker: JOBS, idleTimeout: 5, scaler };

  it("goes from zero to all its workers and back to zero, where it sees the demand", async () => {
    const served = await serverlessTwin(settings);
    const { clock, scaling } = served;
    const before = scaling.health().workers;

    const pool = poolOver(served, { maxNumSeqs: JOBS, maxWorkers: 3 });
    const burst = await runBurst(served, pool, { crews: CREWS });
    await clock.sleep(6_000, NEVER);

    expect(before).toMatchObject({ idle: 3, starting: 0, running: 0 });
    expect(burst.statuses).toEqual(new Set(["done"]));
    expect(burst.mostWorkers).toBe(3);
    expect(burst.mostInFlight).toBe(3 * JOBS);
    expect(scaling.starts()).toHaveLength(3);
    expect(scaling.health().workers).toMatchObject({ idle: 3, starting: 0, running: 0 });
    expect(scaling.health().jobs).toEqual({
      inQueue: 0,
      inProgress: 0,
      completed: 3 * CREWS,
      failed: 0,
      retried: 0,
    });
    const { flex, active, billedSeconds, usd, price } = scaling.bill();
    expect(flex).toMatchObject({ stretches: 3, startMs: 90_000 });
    expect(flex.idleMs).toBeGreaterThanOrEqual(15_000);
    expect(active.billedSeconds).toBe(0);
    expect(billedSeconds).toBeGreaterThanOrEqual(
      (flex.startMs + flex.executionMs + flex.idleMs) / 1_000 - 1e-6,
    );
    expect(usd).toBeCloseTo((billedSeconds * price.flex.usdPerHour) / 3_600);
  });

  it("goes there too when the demand grows while the first worker starts", async () => {
    const served = await serverlessTwin(settings);

    const pool = poolOver(served, { maxNumSeqs: JOBS, maxWorkers: 3 });
    const burst = await runBurst(served, pool, { crews: CREWS, everyMs: 700 });

    expect(burst.statuses).toEqual(new Set(["done"]));
    expect(burst).toMatchObject({ mostWorkers: 3, mostInFlight: 3 * JOBS });
  });

  it("stays at one worker, and takes longer, where its client thinks that there is one", async () => {
    const all = await serverlessTwin(settings);
    const one = await serverlessTwin(settings);

    const known = { maxNumSeqs: JOBS, maxWorkers: 3 };
    const seen = await runBurst(all, poolOver(all, known), { crews: CREWS });
    const unseen = await runBurst(one, poolOver(one, { ...known, maxWorkers: 1 }), {
      crews: CREWS,
    });

    expect(unseen.statuses).toEqual(new Set(["done"]));
    expect(unseen.mostWorkers).toBe(1);
    expect(unseen.mostInFlight).toBe(JOBS);
    expect(one.scaling.starts()).toHaveLength(1);
    expect(unseen.tookMs).toBeGreaterThan(1.3 * seen.tookMs);
  });

  it("lets each step of a crew but the first find a warm worker", async () => {
    const served = await serverlessTwin(settings);

    const { tookMs } = await runBurst(served, served.model, { crews: 1 });

    expect(served.scaling.starts()).toHaveLength(1);
    expect(tookMs).toBeLessThan(2 * 30_000 + 4_000);
  });
});

describe("a serverless twin whose workers take more at once than they hold", () => {
  // Runpod's MAX_CONCURRENCY is 30 unless it is set: all that the pool lets through goes to the first worker.
  const settings = { workersMax: 3, jobsPerWorker: 30, idleTimeout: 5 };

  it("never scales by QUEUE_DELAY: nothing waits in its queue once a worker runs", async () => {
    const scaler = { type: "QUEUE_DELAY", seconds: 4 } as const;
    const served = await serverlessTwin({ ...settings, scaler });

    const pool = poolOver(served, { maxNumSeqs: JOBS, maxWorkers: 3 });
    const burst = await runBurst(served, pool, { crews: CREWS });

    expect(burst).toMatchObject({ mostWorkers: 1, mostInFlight: 3 * JOBS });
  });

  it("scales by REQUEST_COUNT, which counts what runs too", async () => {
    const scaler = { type: "REQUEST_COUNT", requests: JOBS } as const;
    const served = await serverlessTwin({ ...settings, scaler });

    const pool = poolOver(served, { maxNumSeqs: JOBS, maxWorkers: 3 });
    const burst = await runBurst(served, pool, { crews: CREWS });

    expect(burst.mostWorkers).toBe(3);
  });
});

describe("the probe of a serverless twin", () => {
  const settings = { workersMax: 3, jobsPerWorker: JOBS };

  it("tells of one worker what it holds, and how many there may be", async () => {
    const { model, twin } = await serverlessTwin(settings);

    const { numGpuBlocks, blockSize } = twin.replicas[0].config;
    expect(await model.capacity(NEVER)).toEqual({
      kvTokens: numGpuBlocks * blockSize,
      maxNumSeqs: JOBS,
      maxWorkers: 3,
    });
  });

  it("sleeps until it is woken, starts, and is awake until its worker goes", async () => {
    const { model, clock, scaling } = await serverlessTwin({
      ...settings,
      scaler: { type: "REQUEST_COUNT", requests: 1 },
    });
    const health = [await model.health(NEVER)];

    const woken = model.wake(NEVER);
    await clock.sleep(1_000, NEVER);
    health.push(await model.health(NEVER));
    const { running, waiting } = (await model.gauges(NEVER)) ?? {};
    await woken;
    health.push(await model.health(NEVER));
    await model.wake(NEVER);
    await clock.sleep(10_000, NEVER);
    health.push(await model.health(NEVER));

    expect(health).toEqual(["asleep", "starting", "awake", "asleep"]);
    expect({ running, waiting }).toEqual({ running: 0, waiting: 1 });
    expect(scaling.health().jobs.completed).toBe(2); // the second kept its worker awake
  });

  it("wakes replicas that were put to sleep, and tells of their caches", async () => {
    const clock = createVirtualClock();
    const plan = planTwin({ gpu: "H100-SXM", model: "Qwen/Qwen3-8B", maxModelLen: 8_192 });
    const options = { clock, source: fillerSource(10), faults: createFaults(), replicas: 2 };
    const twin = startTwin(plan, options);
    const model = createTwinModel(twin);
    for (const replica of twin.replicas) replica.sleep(1);
    const asleep = await model.health(NEVER);

    await model.wake(NEVER);

    expect([asleep, await model.health(NEVER)]).toEqual(["asleep", "awake"]);
    expect(await model.gauges(NEVER)).toMatchObject({ running: 0, waiting: 0, kvUsage: 0 });
    expect(await model.capacity(NEVER)).toMatchObject({
      maxNumSeqs: 2 * plan.memory.assumed.gpu.maxNumSeqs,
    });
    for (const replica of twin.replicas) replica.kill();
    expect(await model.health(NEVER)).toBe("unhealthy");
  });
});

describe("a serverless twin's server", () => {
  it("shows Runpod's health, and OpenAI's routes where a Runpod endpoint has them", async () => {
    const { twin } = await serverlessTwin({ workersMax: 2 });
    const app = createTwinServer(twin);
    const ask = { model: "Qwen/Qwen3-8B", messages: [{ role: "user", content: "Hi" }] };

    const before = await (await app.request("/v2/abc/health")).json();
    const answer = await app.request("/v2/abc/openai/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(ask),
    });
    const after = await (await app.request("/v2/abc/health")).json();

    expect(before).toEqual({
      jobs: { completed: 0, failed: 0, inProgress: 0, inQueue: 0, retried: 0 },
      workers: { idle: 2, initializing: 0, ready: 2, running: 0, throttled: 0, unhealthy: 0 },
    });
    expect(answer.status).toBe(200);
    expect(after).toMatchObject({ jobs: { completed: 1 }, workers: { running: 1, idle: 1 } });
    expect((await app.request("/v2/abc/openai/metrics")).status).toBe(404);
  });

  it("starts a worker for whatever is asked of it, as for the list of its models", async () => {
    const { twin, clock, scaling } = await serverlessTwin({ workersMax: 2 });
    const app = createTwinServer(twin);
    const startedAt = clock.now();

    const models = await app.request("/v2/abc/openai/v1/models");

    expect([models.status, scaling.starts().length]).toEqual([200, 1]);
    expect(clock.now() - startedAt).toBeGreaterThan(4_000 + 30_000);
    expect(await models.json()).toMatchObject({ data: [{ id: "Qwen/Qwen3-8B" }] });
  });

  it("guards them with the key, and has none of them where nobody scales", async () => {
    const clock = createVirtualClock();
    const parts = { clock, source: fillerSource(10), faults: createFaults() };
    const setup = { gpu: "H100-SXM", model: "Qwen/Qwen3-8B", serving: { apiKey: ["secret"] } };
    const scaled = createTwinServer(startTwin(planTwin(setup), { ...parts, serverless: {} }));
    const single = createTwinServer(startTwin(planTwin(setup), parts));
    const headers = { authorization: "Bearer secret" };

    expect((await scaled.request("/v2/abc/health")).status).toBe(401);
    expect((await scaled.request("/v2/abc/health", { headers })).status).toBe(200);
    expect((await single.request("/v2/abc/health", { headers })).status).toBe(404);
  });

  it("counts in its metrics what workers did that are gone", async () => {
    const served = await serverlessTwin({ workersMax: 2 });

    await runBurst(served, served.model, { crews: 2 });
    await served.clock.sleep(10_000, NEVER);

    expect(served.scaling.health().workers.running).toBe(0);
    expect(served.twin.replicas[0].stats().counters.requests.stop).toBe(6);
    expect(served.twin.metrics()).toMatch(/vllm:iteration_tokens_total_count\{[^}]+\} [1-9]/);
  });
});

describe("starting a serverless twin", () => {
  const parts = { clock: createVirtualClock(), source: fillerSource(), faults: createFaults() };

  it.each([
    [{ replicas: 2 }, /replicas/],
    [{ serverless: { settings: { workersMax: 0 } } }, /workersMax/],
  ])("refuses %j", (more, message) => {
    const plan = planTwin({ gpu: "H100-SXM", model: "Qwen/Qwen3-8B", maxModelLen: 8_192 });

    expect(() => startTwin(plan, { ...parts, serverless: {}, ...more })).toThrow(
      expect.objectContaining({
        code: "config/invalid",
        message: expect.stringMatching(message),
      }),
    );
  });
});
