import { describe, expect, it, onTestFinished } from "vitest";
import { type Clock, createVirtualClock, systemClock } from "../../../src/clock.ts";
import { createEndpointModel } from "../../../src/inference/model/client.ts";
import { type Dialect, endpoint } from "../../../src/inference/model/endpoint.ts";
import { createHttpProbe } from "../../../src/inference/pool/http-probe.ts";
import type { Probe } from "../../../src/inference/pool/probe.ts";
import { type FaultServer, startFaultServer } from "../../../src/test/fault-server.ts";
import { fillerSource } from "../../../src/inference/twin/text/plain-source.ts";
import { head, jsonReply, STALL, type WireReply, write } from "../../../src/test/wire-reply.ts";
import { ask, NEVER } from "../model/endpoint-bench.ts";
import {
  becomesTrue,
  type ServedOptions,
  type ServedTwin,
  serveTwin,
} from "../twin/served-twin.ts";

async function twinAt(options: ServedOptions = {}): Promise<{ twin: ServedTwin; probe: Probe }> {
  const twin = await serveTwin(options);
  onTestFinished(() => twin[Symbol.asyncDispose]());
  return { twin, probe: probeAt(twin.url) };
}

function probeAt(url: string, dialect?: Dialect, clock: Clock = systemClock): Probe {
  const model = createEndpointModel({ endpoint: endpoint({ url, model: "m" }), clock });
  onTestFinished(() => model.close());
  return createHttpProbe({ model, clock: systemClock, dialect });
}

async function serverOf(
  dialect: Dialect,
  routes: Readonly<Record<string, WireReply>>,
): Promise<{ server: FaultServer; probe: Probe }> {
  const server = await startFaultServer({ routes });
  onTestFinished(() => server.close());
  return { server, probe: probeAt(server.url, dialect) };
}

const page = (...lines: readonly string[]): WireReply => [
  head(200, { "content-type": "text/plain" }),
  write(`${lines.join("\n")}\n`),
];

describe("the probe of a vLLM", () => {
  it("reads what runs and waits, and how full the cache is", async () => {
    const engine = { maxNumSeqs: 1 };
    const { twin, probe } = await twinAt({
      replicas: 2,
      speed: 1,
      engine,
      source: fillerSource(5_000),
    });
    const client = createEndpointModel({
      endpoint: endpoint({ url: twin.url }),
      clock: systemClock,
    });
    onTestFinished(() => client.close());
    const stop = new AbortController();
    const calls = Array.from({ length: 4 }, () => Array.fromAsync(client.call(ask(), stop.signal)));
    await becomesTrue(() => twin.inFlight() === 4);
    await becomesTrue(() =>
      twin.twin.replicas.every((one) => one.stats().numRequestsRunning === 1),
    );

    const gauges = await probe.gauges(NEVER);
    stop.abort();
    await Promise.allSettled(calls);

    expect(gauges).toMatchObject({ running: 2, waiting: 2, preemptions: 0 });
    expect(gauges?.kvUsage).toBeGreaterThan(0);
    expect(gauges?.prefixQueries).toBeGreaterThan(0);
    expect(gauges?.prefixHits).toBeGreaterThanOrEqual(0);
  });

  it("computes the tokens that all engines hold", async () => {
    const { twin, probe } = await twinAt({ replicas: 2 });
    const blocks = twin.twin.replicas.map(({ config }) => config.numGpuBlocks * config.blockSize);

    expect(await probe.capacity(NEVER)).toEqual({
      kvTokens: blocks.reduce((sum, one) => sum + one, 0),
    });
  });

  it("sees it sleep, and wakes it", async () => {
    const { twin, probe } = await twinAt({ serving: { devMode: true } });
    const before = await probe.health(NEVER);
    for (const replica of twin.twin.replicas) replica.sleep(1);

    const asleep = await probe.health(NEVER);
    await probe.wake(NEVER);
    await becomesTrue(() => twin.twin.replicas.every(({ stats }) => stats().state === "awake"));

    expect([before, asleep, await probe.health(NEVER)]).toEqual(["awake", "asleep", "awake"]);
  });

  it("knows the names of older versions", async () => {
    const { probe } = await serverOf("vllm", {
      "/metrics": page(
        'vllm:num_requests_running{model_name="m"} 2',
        'vllm:gpu_cache_usage_perc{model_name="m"} 0.25',
        'vllm:gpu_prefix_cache_queries_total{model_name="m"} 40',
        'vllm:gpu_prefix_cache_hits_total{model_name="m"} 10',
      ),
    });

    expect(await probe.gauges(NEVER)).toMatchObject({
      running: 2,
      waiting: undefined,
      kvUsage: 0.25,
      prefixQueries: 40,
      prefixHits: 10,
    });
  });

  it("says unhealthy of an engine that is dead, and rejects where nobody is", async () => {
    const { server, probe } = await serverOf("vllm", { "/health": jsonReply(null, 503) });

    expect(await probe.health(NEVER)).toBe("unhealthy");
    await server.close();
    await expect(probe.health(NEVER)).rejects.toMatchObject({ code: "model/unreachable" });
  });

  it("tells nothing where there are no metrics", async () => {
    const { probe } = await serverOf("vllm", {});

    expect(await probe.gauges(NEVER)).toBeUndefined();
    expect(await probe.capacity(NEVER)).toEqual({ kvTokens: undefined });
  });

  it("finds out the dialect of a server of which nothing was said", async () => {
    const { twin } = await twinAt();

    expect((await probeAt(twin.url).capacity(NEVER)).kvTokens).toBeGreaterThan(0);
  });

  it("does not wait for a server that says nothing", async () => {
    const server = await startFaultServer({ routes: { "/health": [STALL] } });
    onTestFinished(() => server.close());
    const clock = createVirtualClock({ auto: false });
    const probe = probeAt(server.url, "vllm", clock);

    const health = probe.health(NEVER);
    health.catch(() => undefined);
    await becomesTrue(() => server.requests.length === 1);
    await clock.advance(10_000);

    await expect(health).rejects.toMatchObject({ code: "model/timed-out" });
  });
});

describe("the probe of other servers", () => {
  it("reads SGLang", async () => {
    const { probe } = await serverOf("sglang", {
      "/metrics": page(
        'sglang:num_running_reqs{model_name="m"} 5',
        'sglang:num_queue_reqs{model_name="m"} 1',
        'sglang:token_usage{model_name="m"} 0.5',
        'sglang:num_retracted_requests_total{model_name="m"} 3',
        'sglang:prompt_tokens_total{model_name="m"} 100',
        'sglang:cached_tokens_total{model_name="m"} 60',
      ),
      "/get_server_info": jsonReply({ max_total_num_tokens: 90_000, max_running_requests: 64 }),
      "/health": jsonReply(null),
    });

    expect(await probe.gauges(NEVER)).toMatchObject({
      running: 5,
      waiting: 1,
      kvUsage: 0.5,
      preemptions: 3,
      prefixQueries: 100,
      prefixHits: 60,
    });
    expect(await probe.capacity(NEVER)).toEqual({ kvTokens: 90_000, maxNumSeqs: 64 });
    expect(await probe.health(NEVER)).toBe("awake");
  });

  it("reads llama.cpp", async () => {
    const { probe } = await serverOf("llama.cpp", {
      "/metrics": page("llamacpp:requests_processing 1", "llamacpp:requests_deferred 2"),
      "/props": jsonReply({ total_slots: 4 }),
      "/health": jsonReply({ error: { message: "Loading model" } }, 503),
    });

    expect(await probe.gauges(NEVER)).toMatchObject({ running: 1, waiting: 2, kvUsage: undefined });
    expect(await probe.capacity(NEVER)).toEqual({ maxNumSeqs: 4 });
    expect(await probe.health(NEVER)).toBe("starting");
  });

  it.each<[string, WireReply, string]>([
    ["no model", jsonReply({ models: [] }), "asleep"],
    ["a model", jsonReply({ models: [{ name: "m" }] }), "awake"],
  ])("says whether Ollama has loaded %s", async (_what, reply, health) => {
    const { probe } = await serverOf("ollama", { "/api/ps": reply });

    expect(await probe.health(NEVER)).toBe(health);
    expect(await probe.gauges(NEVER)).toBeUndefined();
  });

  it.each<[object, string]>([
    [{ running: 1, idle: 2, ready: 2 }, "awake"],
    [{ running: 0, idle: 3, ready: 3, initializing: 1 }, "asleep"],
    [{ idle: 0, initializing: 1 }, "starting"],
    [{ throttled: 1 }, "starting"],
    [{ unhealthy: 1 }, "unhealthy"],
    [{ idle: 0, ready: 0, running: 0 }, "asleep"],
  ])("reads Runpod's jobs and workers: %j", async (workers, health) => {
    const body = { jobs: { inQueue: 3, inProgress: 2 }, workers: { ...workers } };
    const { probe } = await serverOf("runpod", { "/health": jsonReply(body) });

    expect(await probe.gauges(NEVER)).toMatchObject({ running: 2, waiting: 3 });
    expect(await probe.health(NEVER)).toBe(health);
  });

  it("starts a worker of Runpod by a request", async () => {
    const { server, probe } = await serverOf("runpod", {});

    const isAnswered = await probe.wake(NEVER);

    expect(isAnswered).toBe(false);
    expect(server.requests.map(({ method, path }) => [method, path])).toEqual([
      ["GET", "/openai/v1/models"],
    ]);
  });

  it("knows Runpod's worker as awake when it answers", async () => {
    const { probe } = await serverOf("runpod", { "/openai/v1/models": jsonReply({ data: [] }) });

    expect(await probe.wake(NEVER)).toBe(true);
  });

  it("asks a paid API nothing", async () => {
    const { server, probe } = await serverOf("openai", {});

    expect(await probe.gauges(NEVER)).toBeUndefined();
    expect(await probe.capacity(NEVER)).toEqual({});
    expect(await probe.health(NEVER)).toBe("awake");
    await probe.wake(NEVER);
    expect(server.requests).toEqual([]);
  });
});
