import { describe, expect, it } from "vitest";
import { createBosun } from "../../../src/bosun.ts";
import { systemClock } from "../../../src/clock.ts";
import { isBosunError } from "../../../src/error.ts";
import type { Fleet } from "../../../src/inference/fleet/fleet.ts";
import { endpoint } from "../../../src/inference/model/endpoint.ts";
import type { ModelEvent, ModelHints } from "../../../src/inference/model/model.ts";
import { createPool, type Pool } from "../../../src/inference/pool/pool.ts";
import { startFaultServer } from "../../../src/test/fault-server.ts";
import { textReply, errorReply } from "../../../src/test/wire-reply.ts";
import { becomesTrue, MODEL, serveTwin } from "../twin/served-twin.ts";
import { serveGateway } from "./served-gateway.ts";

const LIVE = new AbortController().signal;
const HINTS: ModelHints = { runId: "r", path: ["task:a"], purpose: "work", remainingCalls: 1 };

type Asked = {
  readonly models?: readonly [string, ...string[]];
  readonly hints?: Partial<ModelHints>;
};

/** A worker's pool, whose only endpoint is the gateway. */
function workerPool(url: string): Pool {
  return createPool({
    clock: systemClock,
    env: {},
    resolve: (model) => endpoint({ url, model, gateway: true }),
    retry: { baseMs: 1, capMs: 2 },
  });
}

async function ask(pool: Pool, { models = ["large"], hints }: Asked = {}, signal = LIVE) {
  const events: ModelEvent[] = [];
  const request = {
    models,
    messages: [{ role: "user", content: "How many sailors?" }],
    settings: { maxTokens: 100 },
    hints: { ...HINTS, ...hints },
  } as const;
  const error = await (async () => {
    for await (const event of pool.call(request, signal)) events.push(event);
    return undefined;
  })().catch((reason: unknown) => reason);
  return { events, end: events.find(({ type }) => type === "end"), error };
}

describe("a worker behind a gateway", () => {
  it("gets the pool's wait, its endpoint and its model with the reply", async () => {
    await using twin = await serveTwin();
    await using gateway = await serveGateway({
      large: { model: MODEL, endpoints: [{ url: twin.url, name: "gpu-1" }] },
    });

    const { end } = await ask(workerPool(gateway.url));

    expect(end).toMatchObject({
      endpoint: new URL(twin.url).host,
      model: MODEL,
      usage: { source: "server" },
      timings: {
        queueMs: expect.any(Number),
        server: { time_to_first_token_ms: expect.any(Number) },
      },
    });
  });

  it("tells it what the crew knows, and other endpoints nothing", async () => {
    await using server = await startFaultServer({ replies: () => textReply("Twelve.") });
    const other = createPool({
      clock: systemClock,
      env: {},
      resolve: (model) => endpoint({ url: server.url, model }),
    });

    await ask(workerPool(server.url), { hints: { tenant: "acme", remainingTokens: 900 } });
    await ask(other);

    const [told, untold] = server.calls.map(({ headers }) => headers);
    expect(told).toMatchObject({
      "x-bosun-run-id": "r",
      "x-bosun-path": "task%3Aa",
      "x-bosun-purpose": "work",
      "x-bosun-tenant": "acme",
      "x-bosun-remaining-calls": "1",
      "x-bosun-remaining-tokens": "900",
      "x-bosun-queue-ms": "300000",
    });
    expect(Object.keys(untold ?? {}).filter((name) => name.startsWith("x-bosun"))).toEqual([]);
  });

  it("does not repeat what the gateway has repeated, and falls back", async () => {
    await using server = await startFaultServer({ replies: () => errorReply(500, "dead") });
    await using twin = await serveTwin();
    await using gateway = await serveGateway({
      large: { model: "test-model", endpoints: [{ url: server.url }] },
      small: { model: MODEL, endpoints: [{ url: twin.url }] },
    });

    const { events, error } = await ask(workerPool(gateway.url), { models: ["large", "small"] });

    expect(error).toBeUndefined();
    expect(server.calls).toHaveLength(4);
    expect(events.map(({ type }) => type).filter((type) => !type.endsWith("delta"))).toEqual([
      "start",
      "fallback",
      "start",
      "end",
    ]);
  });

  it("knows a full queue by its code, its reason and when to come again", async () => {
    await using twin = await serveTwin({ speed: 1 });
    await using gateway = await serveGateway({
      large: { model: MODEL, maxQueued: 1, endpoints: [{ url: twin.url, maxNumSeqs: 1 }] },
    });
    const pool = workerPool(gateway.url);
    const left = new AbortController();

    const others = [ask(pool, {}, left.signal), ask(pool, {}, left.signal)];
    await becomesTrue(() => gateway.pool.stats().queued === 1);
    const { error } = await ask(pool);
    left.abort();
    await Promise.all(others);

    expect(isBosunError(error) && error.toJSON()).toMatchObject({
      code: "model/overloaded",
      retryable: false,
      details: { reason: "queue-full", retryAfterMs: expect.any(Number) },
    });
    await becomesTrue(() => gateway.pool.stats().queued === 0);
    await becomesTrue(() => gateway.pool.stats().endpoints[0]?.inFlight === 0);
  });

  it("is asked by a fleet file's key for every model", async () => {
    await using twin = await serveTwin();
    await using gateway = await serveGateway({
      large: { model: MODEL, endpoints: [{ url: twin.url }] },
    });
    const fleet: Fleet = { gateway: gateway.url, models: { large: { thinking: false } } };
    const bosun = createBosun({ fleet, data: false, env: {} });

    const { end, error } = await ask(bosun.pool);
    await bosun.close();

    expect(error).toBeUndefined();
    expect(end).toMatchObject({ endpoint: new URL(twin.url).host });
  });
});
