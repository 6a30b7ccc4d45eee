import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { type Endpoint, endpoint } from "../../../src/inference/model/endpoint.ts";
import { createPool, type Pool } from "../../../src/inference/pool/pool.ts";
import { type FaultServer, startFaultServer } from "../../../src/test/fault-server.ts";
import { errorReply, textReply, type WireReply } from "../../../src/test/wire-reply.ts";
import { ask, eventsOf, NEVER, replyOf, SEARCH } from "../model/endpoint-bench.ts";

const NO_TOOLS = errorReply(400, "this model does not support tools");

describe("a pool's endpoints", () => {
  it("share connections, facts and what was learned, whatever their settings", async () => {
    const { server, pool } = await poolAt([NO_TOOLS, textReply("a"), textReply("b")]);
    const cold = at(server, { temperature: 0, maxTokens: 5, extraBody: { a: 1 } });
    const warm = at(server, { temperature: 1, stop: ["x"], stream: false });

    await replyOf(pool, ask({ models: [cold], tools: [SEARCH] }));
    await pool.contextTokens([cold], NEVER);
    await pool.contextTokens([warm], NEVER);
    await replyOf(pool, ask({ models: [warm], tools: [SEARCH] }));

    const bodies = server.calls.map((call) => call.body);
    expect(bodies).toHaveLength(3); // warm's first call knows that tools are asked for by text
    expect(bodies[1]).toMatchObject({ temperature: 0, max_tokens: 5, a: 1, stream: true });
    expect(bodies[2]).toMatchObject({ temperature: 1, stop: ["x"], stream: false });
    expect(bodies[2]).not.toHaveProperty("a");
    expect(bodies[2]).not.toHaveProperty("max_tokens");
    expect(server.requests.filter(({ path }) => path === "/v1/models")).toHaveLength(1);
    expect(server.totalSockets).toBe(1);
  });

  it("have the request's settings over their own over the defaults", async () => {
    const { server, pool } = await poolAt([textReply("a")]);
    const own = at(server, { temperature: 0.5, seed: 3, extraBody: { a: 1, b: 1 } });

    await replyOf(
      pool,
      ask({
        models: [own],
        settings: { temperature: 1, seed: undefined, extraBody: { b: 2 } },
        defaults: { temperature: 0, seed: 9, maxTokens: 7 },
      }),
    );

    expect(server.calls[0]?.body).toMatchObject({
      temperature: 1,
      seed: 3,
      max_tokens: 7,
      a: 1,
      b: 2,
    });
  });

  it.each<[string, Partial<Endpoint>]>([
    ["headers", { headers: { "x-a": "b" } }],
    ["model", { model: "other" }],
    ["maxConnections", { maxConnections: 3 }],
    ["timeouts", { timeouts: { totalMs: 9_000 } }],
    ["maxModelLen", { maxModelLen: 9 }],
  ])("are told apart by what makes a connection: %s", async (_what, patch) => {
    const { server, pool } = await poolAt(Array.from({ length: 2 }, () => textReply("a")));

    await eventsOf(pool, ask({ models: [at(server)] }));
    await eventsOf(pool, ask({ models: [at(server, patch)] }));

    expect(server.totalSockets).toBe(2);
  });
});

function at(server: FaultServer, patch: Partial<Endpoint> = {}): Endpoint {
  const { type: _, ...options } = { ...patch };
  return endpoint({ model: "test-model", dialect: "vllm", ...options, url: server.url });
}

async function poolAt(
  replies: readonly WireReply[],
): Promise<{ readonly server: FaultServer; readonly pool: Pool }> {
  const server = await startFaultServer({ replies });
  const pool = createPool({
    clock: systemClock,
    env: {},
    resolve: () => at(server),
    retry: { baseMs: 0, capMs: 0 },
  });
  onTestFinished(async () => {
    pool.close();
    await server.close();
  });
  return { server, pool };
}
