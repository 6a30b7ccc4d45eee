import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import { BosunError, detailOf } from "../../../src/error.ts";
import type { Model } from "../../../src/inference/model/model.ts";
import type { Deployment } from "../../../src/inference/pool/deployment.ts";
import { createPool } from "../../../src/inference/pool/pool.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import { errorOf } from "../../orchestration/run/scenario.ts";
import { endOf, requestOf } from "./twin-fleet.ts";

const LIVE = new AbortController().signal;
const NO_RETRY = { maxAttempts: 1 };

/** A server that refuses what is more than `most` at once, as one with a rate limit or too little memory does. */
function tightModel(
  clock: ReturnType<typeof createVirtualClock>,
  most: () => number,
  refuse: () => BosunError,
): Model & { readonly seen: { most: number; refused: number } } {
  const sound = scriptedModel(() => "fine");
  const seen = { most: 0, refused: 0 };
  let inFlight = 0;
  return {
    seen,
    contextTokens: async () => 8_192,
    async *call(request, signal) {
      inFlight++;
      try {
        await clock.sleep(100, signal);
        if (inFlight > most()) {
          seen.refused++;
          throw refuse();
        }
        seen.most = Math.max(seen.most, inFlight);
        await clock.sleep(1_000, signal);
        yield* sound.call(request, signal);
      } finally {
        inFlight--;
      }
    },
  };
}

const limited = (): BosunError =>
  new BosunError("model/rate-limited", "too many", { retryable: true });
const down = (): BosunError => new BosunError("model/unreachable", "down", { retryable: true });

const soloOf = (at: Model): Deployment => ({
  type: "deployment",
  name: "large",
  endpoints: [{ name: "gpu", at, capacity: {} }],
});

function reasonOf(outcome: PromiseSettledResult<unknown> | undefined): unknown {
  return outcome?.status === "rejected" ? outcome.reason : undefined;
}

describe("a guarded endpoint", () => {
  it("is sent half as much after a refusal, and more again while all goes well", async () => {
    const clock = createVirtualClock();
    const model = tightModel(clock, () => 8, limited);
    const pool = createPool({ clock, resolve: () => soloOf(model), random: () => 0.5 });
    const limits: number[] = [];

    await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        endOf({ pool, clock }, requestOf(20, { runId: `${index}` }))
          .catch(() => undefined) // some find no attempt left: the budget of retries is one of all calls
          .then(() => limits.push(pool.stats().endpoints[0]?.limit ?? Infinity)),
      ),
    );

    expect(Math.min(...limits)).toBeLessThan(60);
    expect(model.seen.most).toBeLessThanOrEqual(8);
    expect(pool.stats()).toMatchObject({ queued: 0, endpoints: [{ inFlight: 0 }] });
  });

  it("is left alone after five failures in a row, so that calls fall back at once or wait for it", async () => {
    const clock = createVirtualClock();
    let isDown = true;
    const model = tightModel(clock, () => (isDown ? 0 : 9), down);
    const pool = createPool({ clock, retry: NO_RETRY, resolve: () => soloOf(model) });
    for (let count = 0; count < 5; count++) await errorOf(endOf({ pool, clock }, requestOf(20)));

    expect(pool.stats().endpoints[0]?.circuit).toBe("open");
    isDown = false;
    const before = clock.now();
    const { at, events } = await endOf({ pool, clock }, requestOf(20));

    expect(events).toEqual(["queued", "start", "text-delta", "end"]);
    expect(at - before).toBeGreaterThan(25_000);
    expect(model.seen.refused).toBe(5);
  });

  it("does not make a call wait that can fall back", async () => {
    const clock = createVirtualClock();
    const model = tightModel(clock, () => 0, down);
    const spare = scriptedModel(() => "fine");
    const resolve = (alias: string): Deployment | Model =>
      alias === "large" ? soloOf(model) : spare;
    const pool = createPool({ clock, retry: NO_RETRY, resolve });
    for (let count = 0; count < 5; count++) await errorOf(endOf({ pool, clock }, requestOf(20)));
    const before = clock.now();

    const { at, events } = await endOf(
      { pool, clock },
      { ...requestOf(20), models: ["large", "spare"] },
    );

    expect(events).toEqual(["fallback", "start", "text-delta", "end"]);
    expect(at).toBe(before);
  });

  it("says why it has no memory and what to change", async () => {
    const clock = createVirtualClock();
    const model = tightModel(
      clock,
      () => 3,
      () => new BosunError("model/out-of-memory", "CUDA out of memory", { retryable: true }),
    );
    const pool = createPool({ clock, retry: NO_RETRY, resolve: () => soloOf(model) });
    for (let count = 0; count < 5; count++) await endOf({ pool, clock }, requestOf(20));

    const outcomes = await Promise.allSettled(
      Array.from({ length: 9 }, (_, index) =>
        endOf({ pool, clock }, requestOf(20, { runId: `${index}` })),
      ),
    );
    const [refusal] = outcomes.filter(({ status }) => status === "rejected");
    const error = await errorOf(Promise.reject(reasonOf(refusal)));

    expect(error.code).toBe("model/out-of-memory");
    expect(detailOf(error, "memory")).toMatchObject({ pattern: "load" });
  });

  it("is told nothing by calls that are aborted", async () => {
    const clock = createVirtualClock();
    const model = tightModel(
      clock,
      () => 99,
      () => new BosunError("model/server", "no", { retryable: true }),
    );
    const pool = createPool({ clock, resolve: () => soloOf(model) });
    for (let count = 0; count < 9; count++) {
      const abort = new AbortController();
      const call = endOf({ pool, clock }, requestOf(20), abort.signal).catch(() => undefined);
      await clock.sleep(10, LIVE);
      abort.abort(new Error("enough"));
      await call;
    }

    expect(pool.stats().endpoints[0]).toMatchObject({ circuit: "closed", inFlight: 0 });
  });
});
