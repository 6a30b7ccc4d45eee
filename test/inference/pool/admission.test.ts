import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import type { Model } from "../../../src/inference/model/model.ts";
import { createPool } from "../../../src/inference/pool/pool.ts";
import { errorOf } from "../../orchestration/run/scenario.ts";
import { endOf, requestOf, twinFleet } from "./twin-fleet.ts";

const LIVE = new AbortController().signal;

describe("admission by the token ledger", () => {
  it("keeps the queue in the pool: the endpoint neither preempts nor queues", async () => {
    const fleet = twinFleet({ blocks: 256, outputTokens: 100 });
    await endOf(fleet, requestOf(50, { runId: "teaches how long answers are" }));

    const calls = Array.from({ length: 40 }, (_, index) =>
      endOf(fleet, requestOf(600, { runId: `run ${index}` })),
    );
    await fleet.clock.sleep(1, LIVE);
    const { queued, endpoints } = fleet.pool.stats();
    expect(queued).toBeGreaterThan(20);
    expect(endpoints[0]?.peakTokens).toBeGreaterThan(600);
    expect(endpoints[0]?.peakTokens).toBeLessThanOrEqual(256 * 16); // M2
    const ends = await Promise.all(calls);

    expect(ends.every(({ events }) => events.at(-1) === "end")).toBe(true);
    expect(fleet.preemptions()).toBe(0);
    expect(fleet.mostWaiting()).toBeLessThanOrEqual(2);
  });

  it("without it the same calls thrash", async () => {
    const fleet = twinFleet({ blocks: 256, outputTokens: 100, capacity: {} });

    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        endOf(fleet, requestOf(600, { runId: `run ${index}` })),
      ),
    );

    expect(fleet.mostWaiting()).toBeGreaterThan(20);
  });

  it("is back at zero when all calls have ended, also those that were aborted", async () => {
    const fleet = twinFleet({ blocks: 256 });
    const abort = new AbortController();
    const gone = Array.from({ length: 10 }, (_, index) =>
      endOf(fleet, requestOf(600, { runId: `gone ${index}` }), abort.signal).catch(() => undefined),
    );
    const kept = endOf(fleet, requestOf(100));
    fleet.clock.timer(300, () => abort.abort(new Error("enough")));

    await Promise.all([...gone, kept]);

    const { queued, endpoints } = fleet.pool.stats();
    expect(queued).toBe(0);
    expect(endpoints).toMatchObject([
      { inFlight: 0, reservedTokens: 0, peakTokens: 0, prefillTokens: 0 },
    ]);
    expect(fleet.twins[0]?.replicas[0].stats()).toMatchObject({ numRequestsRunning: 0 });
  });

  it("keeps no timer when the last call that waits is aborted", async () => {
    const silent: Model = {
      contextTokens: async () => undefined,
      // oxlint-disable-next-line require-yield -- a model that never says anything
      async *call() {
        await new Promise(() => undefined);
      },
    };
    const clock = createVirtualClock();
    const only = { name: "only", at: silent, capacity: { maxNumSeqs: 1 } };
    const lane = { type: "deployment", name: "large", endpoints: [only] } as const;
    const pool = createPool({ clock, resolve: () => lane });
    const controller = new AbortController();
    void pool.call(requestOf(10), LIVE)[Symbol.asyncIterator]().next();
    const waiting = errorOf(
      (async () => {
        for await (const event of pool.call(requestOf(10, { runId: "s" }), controller.signal))
          if (event.type === "queued") setImmediate(() => controller.abort());
      })(),
    );

    expect((await waiting).code).toBe("model/cancelled");

    expect(clock.horizon?.()).toBe(Infinity);
  });

  it("says that a call waits, and why", async () => {
    const fleet = twinFleet({ capacity: { maxNumSeqs: 1 } });
    const first = endOf(fleet, requestOf(100));

    const second = await endOf(fleet, requestOf(100, { runId: "s" }));

    expect(second.events[0]).toBe("queued");
    expect((await first).events[0]).toBe("start");
  });

  it("lets a call that is larger than the budget go alone: it would never go else", async () => {
    const fleet = twinFleet({ capacity: { kvTokens: 100 }, blocks: 256 });

    const ends = await Promise.all([
      endOf(fleet, requestOf(300, { runId: "a" })),
      endOf(fleet, requestOf(300, { runId: "b" })),
    ]);

    expect(ends.map(({ events }) => events.at(-1))).toEqual(["end", "end"]);
    expect(ends[1]?.at).toBeGreaterThan(ends[0]?.at ?? 0);
  });

  it("refuses what finds the queue full, with a hint when to come again", async () => {
    const fleet = twinFleet({ capacity: { maxNumSeqs: 1 }, deployment: { maxQueued: 2 } });
    const held = [1, 2, 3].map((id) => endOf(fleet, requestOf(100, { runId: `${id}` })));

    const error = await errorOf(endOf(fleet, requestOf(100)));

    expect(error).toMatchObject({
      code: "model/overloaded",
      retryable: true,
      details: { reason: "queue-full", retryAfterMs: expect.any(Number) as number },
    });
    expect(error.message).toContain("gpu-0 has 1 in flight");
    await Promise.all(held);
    expect(fleet.pool.stats().refused).toBe(1);
  });

  it("refuses what waits longer than queueMs, and lets the others go on", async () => {
    const fleet = twinFleet({ capacity: { maxNumSeqs: 1 } });
    const first = endOf(fleet, requestOf(100, { runId: "a" }));
    const hurried = { ...requestOf(100, { runId: "b" }), timeouts: { queueMs: 50 } };
    const third = endOf(fleet, requestOf(100, { runId: "c" }));

    const error = await errorOf(endOf(fleet, hurried));

    expect(error).toMatchObject({ code: "model/overloaded", details: { reason: "queue-time" } });
    expect((await first).events.at(-1)).toBe("end");
    expect((await third).events.at(-1)).toBe("end");
  });

  it("does not repeat its own refusal, but falls back", async () => {
    const fleet = twinFleet({ capacity: { maxNumSeqs: 1 }, deployment: { maxQueued: 1 } });
    const held = [1, 2].map((id) => endOf(fleet, requestOf(100, { runId: `${id}` })));
    const request = { ...requestOf(100), models: ["large", "large"] as const };

    const events: string[] = [];
    await errorOf(
      (async () => {
        for await (const event of fleet.pool.call(request, LIVE)) events.push(event.type);
      })(),
    );

    expect(events).toEqual(["queued", "fallback", "queued"]);
    await Promise.all(held);
  });

  it("leaves room for what others send, as far as the endpoint shows it", async () => {
    const fleet = twinFleet({ blocks: 256, withProbe: true, capacity: { maxNumSeqs: 8 } });
    const [twin] = fleet.twins;
    if (twin === undefined) throw new Error("expected a twin");
    const foreign = twinModelCalls(twin, 6);
    await endOf(fleet, requestOf(20)); // makes it look
    const ours = Array.from({ length: 8 }, (_, index) =>
      endOf(fleet, requestOf(100, { runId: `ours ${index}` })),
    );

    await fleet.clock.sleep(600, LIVE);
    expect(fleet.pool.stats().endpoints[0]?.gauges?.running).toBeGreaterThan(0);
    await Promise.all([...ours, ...foreign]);

    expect(fleet.pool.stats().queued).toBe(0);
  });

  it("lets tenants share by their weights", async () => {
    const fleet = twinFleet({
      blocks: 4_096,
      capacity: { maxNumSeqs: 4 },
      deployment: { tenants: { big: 3 } },
    });
    const order: string[] = [];
    const runOf = (tenant: string, index: number): Promise<unknown> =>
      endOf(fleet, requestOf(100, { runId: `${tenant} ${index}`, tenant })).then(() =>
        order.push(tenant),
      );

    await Promise.all([
      ...Array.from({ length: 16 }, (_, index) => runOf("small", index)),
      ...Array.from({ length: 16 }, (_, index) => runOf("big", index)),
    ]);

    const early = order.slice(4, 20).filter((tenant) => tenant === "big").length;
    expect(early).toBeGreaterThanOrEqual(10);
    expect(early).toBeLessThan(16);
  });

  it("keeps requests per minute", async () => {
    const fleet = twinFleet({ capacity: { requestsPerMinute: 6 }, outputTokens: 5 });

    const ends = await Promise.all(
      Array.from({ length: 8 }, (_, index) => endOf(fleet, requestOf(20, { runId: `${index}` }))),
    );

    const late = ends.map(({ at }) => at).toSorted((a, b) => a - b);
    expect(late[5]).toBeLessThan(5_000);
    expect(late[6]).toBeGreaterThanOrEqual(10_000);
    expect(late[7]).toBeGreaterThanOrEqual(20_000);
  });
});

/** Calls that do not come through the pool. */
function twinModelCalls(
  twin: ReturnType<typeof twinFleet>["twins"][number],
  count: number,
  outputTokens = 200,
): readonly Promise<void>[] {
  return Array.from({ length: count }, async (_, index) => {
    const ids = Int32Array.from({ length: 64 }, (__, at) => 1_000 + at + index * 64);
    const request = {
      id: `foreign ${index}`,
      promptIds: ids,
      outputIds: Int32Array.from({ length: outputTokens }, () => 7),
      finish: "stop",
      priority: 0,
      cacheSalt: undefined,
      lora: undefined,
    } as const;
    for await (const event of twin.replicas[0].generate(request, LIVE)) void event;
  });
}

describe("two aliases of one endpoint", () => {
  it("do not starve each other: a large call has its turn though small ones keep coming", async () => {
    const { clock, deployment } = twinFleet({ blocks: 256, outputTokens: 100 });
    const pool = createPool({
      clock,
      random: () => 0.5,
      resolve: (name) => ({ ...deployment, name, order: "fcfs" }),
    });
    const at = (index: number): Promise<void> => clock.sleep(index * 200, LIVE);
    const small = Array.from({ length: 150 }, async (_, index) => {
      await at(index);
      return endOf({ pool, clock }, requestOf(300, { runId: `small ${index}` }));
    });
    await clock.sleep(1_000, LIVE);
    const large = await endOf(
      { pool, clock },
      { ...requestOf(2_600, { runId: "large" }), models: ["other"] },
    );

    const ends = await Promise.all(small);

    expect(large.at).toBeLessThan(Math.max(...ends.map((end) => end.at)) / 2);
  });
});

describe("an endpoint that nobody has described", () => {
  it("is asked what it holds before its first call, so that a burst does not overflow it", async () => {
    const fleet = twinFleet({ blocks: 256, outputTokens: 100, capacity: {}, withProbe: true });

    const ends = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        endOf(fleet, requestOf(600, { runId: `run ${index}` })),
      ),
    );

    expect(ends.filter(({ events }) => events[0] === "start")).toHaveLength(1);
    expect(fleet.pool.stats().endpoints[0]?.kvTokens).toBeLessThanOrEqual(256 * 16);
    expect(fleet.mostWaiting()).toBeLessThanOrEqual(2);
  });
});

describe("an endpoint that others use too", () => {
  it("is told of, so that somebody gives each process a share", async () => {
    const notices: unknown[] = [];
    const fleet = twinFleet({
      blocks: 2_048,
      outputTokens: 60,
      withProbe: true,
      onForeignLoad: (notice) => notices.push(notice),
    });
    const [twin] = fleet.twins;
    if (twin === undefined) throw new Error("expected a twin");
    const foreign = twinModelCalls(twin, 6, 900);

    for (let count = 0; count < 5; count++)
      await endOf(fleet, requestOf(50, { runId: `${count}` }));
    await Promise.all(foreign);

    expect(notices).toMatchObject([{ endpoint: "gpu-0", sent: 1 }]);
  });
});
