import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import { BosunError } from "../../../src/error.ts";
import type { Model, ModelEvent, ModelRequest } from "../../../src/inference/model/model.ts";
import { createPool, type Pool } from "../../../src/inference/pool/pool.ts";
import type { RetryPolicy } from "../../../src/inference/pool/retry.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import { errorOf } from "../../orchestration/run/scenario.ts";

const LIVE = new AbortController().signal;
const requestTo = (...models: [string, ...string[]]): ModelRequest => ({
  models,
  messages: [{ role: "user", content: "hello" }],
  settings: {},
  hints: {
    runId: "r",
    path: [],
    purpose: "work",
    remainingCalls: undefined,
  },
});

function poolOf(
  models: Readonly<Record<string, Model>>,
  retry: Partial<RetryPolicy> = {},
  random = () => 0.5,
) {
  const clock = createVirtualClock();
  const pool: Pool = createPool({
    clock,
    retry,
    random,
    resolve(alias) {
      const model = Object.hasOwn(models, alias) ? models[alias] : undefined;
      if (model) return model;
      throw new BosunError("model/unknown", `no model is called ${alias}`);
    },
  });
  return { clock, pool };
}

const call = (pool: Pool, request: ModelRequest, signal = LIVE): Promise<ModelEvent[]> =>
  Array.fromAsync(pool.call(request, signal));

const busy = (details = {}): BosunError =>
  new BosunError("model/overloaded", "busy", { retryable: true, details });

describe("a pool", () => {
  it("waits as the policy says between attempts, on its clock", async () => {
    const model = scriptedModel([busy(), busy(), "fine"]);
    const { pool, clock } = poolOf({ m: model }, {}, () => 1);

    const events = await call(pool, requestTo("m"));

    expect(events.filter(({ type }) => type === "retry")).toMatchObject([
      { attempt: 1, afterMs: 50, code: "model/overloaded" },
      { attempt: 2, afterMs: 150 },
    ]);
    expect(clock.now()).toBe(200);
    expect(events.at(-1)).toMatchObject({ type: "end", text: "fine" });
  });

  it("honours Retry-After", async () => {
    const { pool, clock } = poolOf({ m: scriptedModel([busy({ retryAfterMs: 3_000 }), "fine"]) });

    await call(pool, requestTo("m"));

    expect(clock.now()).toBeGreaterThanOrEqual(3_000);
  });

  it("stops waiting when the call is aborted", async () => {
    const controller = new AbortController();
    const { pool, clock } = poolOf({ m: scriptedModel([busy({ retryAfterMs: 50_000 })]) });

    const running = errorOf(
      (async () => {
        for await (const event of pool.call(requestTo("m"), controller.signal))
          if (event.type === "retry") controller.abort(new BosunError("run/cancelled", "enough"));
      })(),
    );

    const error = await running;
    expect(error.code).toBe("model/cancelled");
    expect(error.cause).toMatchObject({ code: "run/cancelled" });
    expect(clock.now()).toBe(0);
  });

  it("never repeats an error that is not retryable", async () => {
    const model = scriptedModel([new BosunError("model/cut", "cut"), "never"]);
    const { pool } = poolOf({ m: model });

    const error = await errorOf(call(pool, requestTo("m")));

    expect(error.code).toBe("model/cut");
    expect(model.requests).toHaveLength(1);
  });

  it("wraps what is no BosunError, and keeps its cause", async () => {
    const broken: Model = {
      // oxlint-disable-next-line require-yield -- a model that breaks before it says anything
      async *call() {
        throw new TypeError("x is undefined");
      },
      contextTokens: async () => undefined,
    };
    const { pool } = poolOf({ m: broken });

    const error = await errorOf(call(pool, requestTo("m")));

    expect(error.code).toBe("model/server");
    expect(error.message).toContain("x is undefined");
    expect(error.cause).toBeInstanceOf(TypeError);
  });

  it("bounds what all of its calls together may repeat", async () => {
    const model = scriptedModel(() => busy());
    const { pool } = poolOf({ m: model }, { maxAttempts: 10, baseMs: 0, capMs: 0 });

    for (let n = 0; n < 50; n++) await errorOf(call(pool, requestTo("m")));

    // 50 calls, a burst of 20 retries, and one more for each ten calls.
    expect(model.requests.length).toBeLessThanOrEqual(50 + 20 + 5);
  });

  it("falls back also from a name that cannot be resolved, and says so", async () => {
    const { pool } = poolOf({ known: scriptedModel(() => "fine") });

    const events = await call(pool, requestTo("unknown", "known"));

    expect(events[0]).toMatchObject({
      type: "fallback",
      from: "unknown",
      to: "known",
      code: "model/unknown",
    });
    expect(events.at(-1)).toMatchObject({ type: "end", text: "fine" });
  });

  it("ends with the error of a last name that cannot be resolved", async () => {
    const { pool } = poolOf({ m: scriptedModel(() => new BosunError("model/bad-request", "no")) });

    const error = await errorOf(call(pool, requestTo("m", "unknown")));

    expect(error.code).toBe("model/unknown");
  });

  it("knows the smallest context of all models of a call; those that nobody knows do not count", async () => {
    const { pool } = poolOf({
      a: scriptedModel([], { contextTokens: 8_000 }),
      b: scriptedModel([], { contextTokens: 4_000 }),
      unknown: scriptedModel([]),
    });

    expect(await pool.contextTokens(["a", "b", "unknown"], LIVE)).toBe(4_000);
    expect(await pool.contextTokens(["a"], LIVE)).toBe(8_000);
    expect(await pool.contextTokens(["unknown"], LIVE)).toBeUndefined();
  });

  it("stops the model when its reader leaves", async () => {
    let hasLeft = false;
    const endless: Model = {
      async *call() {
        try {
          for (;;) yield { type: "text-delta", text: "more " };
        } finally {
          hasLeft = true;
        }
      },
      contextTokens: async () => undefined,
    };
    const { pool } = poolOf({ m: endless });

    for await (const event of pool.call(requestTo("m"), LIVE))
      if (event.type === "text-delta") break;

    expect(hasLeft).toBe(true);
  });

  it("ends with an error when a model's events end without an end", async () => {
    const silent: Model = {
      async *call() {
        yield { type: "text-delta", text: "half" };
      },
      contextTokens: async () => undefined,
    };
    const { pool } = poolOf({ m: silent });

    const outcome = await call(pool, requestTo("m")).then(
      (events) => events.map(({ type }) => type),
      (error: unknown) => error,
    );

    expect(outcome).toMatchObject({ code: "model/cut" });
  });
});
