import { describe, expect, it } from "vitest";
import { createGateway, isServing } from "../../../src/inference/facade/gateway.ts";
import type { Aliases } from "../../../src/inference/facade/hop.ts";
import type { Model } from "../../../src/inference/model/model.ts";
import { createPool } from "../../../src/inference/pool/pool.ts";
import type { EndpointStats, PoolStats } from "../../../src/inference/pool/stats.ts";
import { createVirtualClock } from "../../../src/clock.ts";
import { BosunError } from "../../../src/error.ts";
import type { Json } from "../../../src/json.ts";
import { type Script, scriptedModel } from "../../../src/test/scripted-model.ts";
import { type TwinFleet, twinFleet } from "../pool/twin-fleet.ts";
import { CHAT, chat, eventsIn, HELLO, USER } from "./ask.ts";

const ASK = { model: "large", messages: USER };

const withHeaders = (headers: Readonly<Record<string, string>>, body: Json = ASK): RequestInit =>
  chat(body, { headers: { "content-type": "application/json", ...headers } });

/** A gateway over scripted models by alias. */
function scene(models: Readonly<Record<string, Model>>, aliases?: Aliases) {
  const clock = createVirtualClock();
  const pool = createPool({
    clock,
    random: () => 0.5,
    resolve: (alias) => {
      const model = models[alias];
      if (model) return model;
      throw new BosunError("model/unknown", alias);
    },
  });
  return { pool, clock, app: createGateway({ pool, clock, aliases: () => aliases ?? ONE }) };
}

const ONE: Aliases = { large: ["large"] };

const scripted = (script: Script) => scriptedModel(script);

/** The lines of /metrics without those that explain. */
async function metricsOf(app: ReturnType<typeof createGateway>): Promise<readonly string[]> {
  const text = await (await app.request("/metrics")).text();
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

describe("a gateway's chat completion", () => {
  it("says who answered and how long it waited", async () => {
    const { app } = scene({ large: scripted([HELLO]) });

    const response = await app.request(CHAT, chat(ASK));

    expect(response.headers.get("x-bosun-queue-ms")).toBe("0");
    expect(response.headers.get("x-bosun-endpoint")).toBe("scripted");
    expect(await response.json()).toMatchObject({
      model: "large",
      choices: [{ message: { content: "Hello" } }],
      metrics: { bosun_queue_ms: 0, bosun_endpoint: "scripted", bosun_model: "scripted" },
    });
  });

  it("says so in the chunk with the usage when it streams", async () => {
    const { app } = scene({ large: scripted([HELLO]) });
    const asked = { ...ASK, stream: true, stream_options: { include_usage: true } };

    const response = await app.request(CHAT, chat(asked));
    const events = eventsIn(await response.text());

    expect(response.headers.get("x-bosun-endpoint")).toBe("scripted");
    expect(events.at(-1)).toBe("[DONE]");
    expect(events.at(-2)).toMatchObject({ choices: [], metrics: { bosun_endpoint: "scripted" } });
    expect(JSON.stringify(events.slice(0, -2))).not.toContain("bosun");
  });

  it("gives the pool what the headers know", async () => {
    const large = scripted([HELLO]);
    const { app } = scene({ large });

    await app.request(
      CHAT,
      withHeaders({
        "x-bosun-run-id": "run%201",
        "x-bosun-path": "task:a/turn:1",
        "x-bosun-tenant": "acme",
        "x-bosun-deadline-ms": "5000",
        "x-bosun-remaining-calls": "2",
        "x-bosun-queue-ms": "700",
      }),
    );

    expect(large.requests[0]).toMatchObject({
      hints: {
        runId: "run 1",
        path: ["task:a", "turn:1"],
        tenant: "acme",
        deadlineAt: 5_000,
        remainingCalls: 2,
      },
      timeouts: { queueMs: 700 },
    });
  });

  it("takes vLLM's priority and Bosun's thinking out of the body, and passes on what it does not know", async () => {
    const large = scripted([HELLO]);
    const { app } = scene({ large });

    await app.request(
      CHAT,
      chat({ ...ASK, priority: 3, bosun_thinking: { budgetTokens: 50 }, top_k: 4 }),
    );

    expect(large.requests[0]).toMatchObject({
      hints: { priority: 3 },
      settings: { thinking: { budgetTokens: 50 }, extraBody: { top_k: 4 } },
    });
    expect(large.requests[0]?.settings.extraBody).toEqual({ top_k: 4 });
  });

  it.each([
    ["x-bosun-priority", "urgent"],
    ["x-bosun-queue-ms", "0"],
  ])("refuses the header %s: %s", async (name, value) => {
    const { app } = scene({ large: scripted([HELLO]) });

    const response = await app.request(CHAT, withHeaders({ [name]: value }));

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param: name } });
  });

  it("falls back for a client that cannot, and leaves it to a Bosun that can", async () => {
    const dead = new BosunError("model/unauthorized", "no key");
    const aliases: Aliases = { large: ["large", "small"] };
    const models = () => ({ large: scripted([dead, dead]), small: scripted(["small's"]) });
    const { app } = scene(models(), aliases);

    const foreign = await app.request(CHAT, chat(ASK));
    const bosun = await app.request(CHAT, withHeaders({ "x-bosun-fallback": "false" }));

    expect(await foreign.json()).toMatchObject({ choices: [{ message: { content: "small's" } }] });
    expect(bosun.status).toBe(502);
    expect(await bosun.json()).toMatchObject({ error: { bosun: { code: "model/unauthorized" } } });
  });

  it("says after the first token by an event what failed", async () => {
    const failing: Model = {
      async *call() {
        yield { type: "text-delta", text: "Hel" };
        throw new BosunError("model/cut", "it broke off");
      },
      contextTokens: async () => undefined,
    };
    const { app } = scene({ large: failing });

    const response = await app.request(CHAT, chat({ ...ASK, stream: true }));
    const events = eventsIn(await response.text());

    expect(response.status).toBe(200);
    expect(events.at(-2)).toMatchObject({ error: { bosun: { code: "model/cut" } } });
  });
});

const gatewayOf = ({ pool, clock }: Pick<TwinFleet, "pool" | "clock">) =>
  createGateway({ pool, clock, aliases: () => ONE });

/** Whatever was begun has come as far as it can. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a gateway before a twin", () => {
  const LONG = { "x-bosun-expected-tokens": "1900" };

  it("lets calls wait until there is room, and counts them", async () => {
    const fleet = twinFleet({ outputTokens: 900 }); // 4,096 tokens
    const app = gatewayOf(fleet);

    const replies = Promise.all([1, 2, 3, 4].map(async () => app.request(CHAT, withHeaders(LONG))));
    const waits = (await replies).map(({ headers }) => Number(headers.get("x-bosun-queue-ms")));

    expect(waits.filter((ms) => ms > 0)).toHaveLength(2);
    expect(fleet.preemptions()).toBe(0);
    expect(await metricsOf(app)).toEqual(
      expect.arrayContaining([
        "bosun_pool_queued 0",
        "bosun_pool_admitted_total 4",
        'bosun_pool_in_flight{endpoint="gpu-0"} 0',
        'bosun_pool_kv_tokens{endpoint="gpu-0"} 4096',
      ]),
    );
  });

  it("frees the slot of a client that leaves, also one that waits", async () => {
    const fleet = twinFleet({ outputTokens: 900 });
    const app = gatewayOf(fleet);
    const left = new AbortController();
    const stream = withHeaders(LONG, { ...ASK, stream: true });

    const first = await app.request(CHAT, stream);
    await app.request(CHAT, stream);
    const waiting = app.request(
      new Request(`http://gateway${CHAT}`, { ...stream, signal: left.signal }),
    );
    await turn();
    const before = fleet.pool.stats();
    left.abort();
    await waiting;
    await first.body?.cancel();
    await turn();
    const after = fleet.pool.stats();

    expect([before.queued, before.endpoints[0]?.inFlight]).toEqual([1, 2]);
    expect([after.queued, after.endpoints[0]?.inFlight]).toEqual([0, 1]);
  });

  it("lists its aliases with the context of their endpoints", async () => {
    const app = gatewayOf(twinFleet());

    const { data } = (await (await app.request("/v1/models")).json()) as { data: unknown }; // `as`: checked below

    expect(data).toEqual([expect.objectContaining({ id: "large", max_model_len: 4_096 })]);
  });
});

const at = (circuit: EndpointStats["circuit"], name = "gpu-1"): EndpointStats => ({
  name,
  inFlight: 0,
  reservedTokens: 0,
  peakTokens: 0,
  kvTokens: Infinity,
  prefillTokens: 0,
  limit: Infinity,
  circuit,
  gauges: undefined,
});
const stats = (...endpoints: EndpointStats[]): PoolStats => ({
  queued: 0,
  admitted: 0,
  refused: 0,
  retries: 0,
  hedges: 0,
  endpoints,
});

describe("a gateway's health", () => {
  it("is good before anything was called, and while one circuit is not open", async () => {
    const { app } = scene({ large: scripted([HELLO]) });

    expect((await app.request("/health")).status).toBe(200);
    expect(isServing(stats(at("open"), at("half-open")))).toBe(true);
  });

  it("is bad when all circuits are open", () => {
    expect(isServing(stats(at("open"), at("open")))).toBe(false);
  });
});
