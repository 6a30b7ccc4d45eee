import { describe, expect, it } from "vitest";
import {
  type AdaptiveLimit,
  createAdaptiveLimit,
  type Trouble,
} from "../../../src/inference/pool/adaptive-limit.ts";
import type { Gauges } from "../../../src/inference/pool/probe.ts";
import { seeded } from "../../orchestration/run/scenario.ts";

const TROUBLES: readonly Trouble[] = [
  "out-of-memory",
  "preemption",
  "rate-limited",
  "overloaded",
  "queue-time",
];

/** A limit after one trouble with `inFlight` calls, at time 100. */
function lowered(inFlight: number): AdaptiveLimit {
  const limit = createAdaptiveLimit();
  limit.onTrouble("overloaded", { now: 100, startedAt: 50, inFlight });
  return limit;
}

function succeed(limit: AdaptiveLimit, times: number, inFlight: number): void {
  for (let n = 0; n < times; n++) limit.onSuccess(inFlight);
}

const gauges = (at: number, fields: Partial<Gauges>): Gauges => ({
  at,
  running: undefined,
  waiting: undefined,
  kvUsage: undefined,
  preemptions: undefined,
  prefixQueries: undefined,
  prefixHits: undefined,
  ...fields,
});

describe("createAdaptiveLimit", () => {
  it("bounds nothing until there is trouble, however much succeeds", () => {
    const limit = createAdaptiveLimit();

    succeed(limit, 1_000, 500);

    expect(limit).toMatchObject({ limit: Infinity, cause: undefined });
  });

  it.each(TROUBLES)("halves what was in flight at %s", (trouble) => {
    const limit = createAdaptiveLimit();

    const isLower = limit.onTrouble(trouble, { now: 100, startedAt: 50, inFlight: 40 });

    expect(isLower).toBe(true);
    expect(limit).toMatchObject({ limit: 20, cause: trouble });
  });

  it("counts a burst of failures once: calls that started before the last decrease", () => {
    const limit = lowered(40);

    const again = Array.from({ length: 39 }, (_, n) =>
      limit.onTrouble("overloaded", { now: 101 + n, startedAt: 60 + n, inFlight: 39 - n }),
    );

    expect(again.filter(Boolean)).toEqual([]);
    expect(limit.limit).toBe(20);
  });

  it("falls again when calls that started after a decrease fail too, never below 1", () => {
    const limit = lowered(4);
    const seen: number[] = [limit.limit];

    for (let now = 200; now < 800; now += 200) {
      limit.onTrouble("rate-limited", { now, startedAt: now - 50, inFlight: limit.limit });
      seen.push(limit.limit);
    }

    expect(seen).toEqual([2, 1, 1, 1]);
  });

  it("rises by about 1 with as many successes as it is large", () => {
    const limit = lowered(40);

    succeed(limit, 21, 20);

    expect(limit.limit).toBe(21);
  });

  it("does not rise while less than half of it is in flight", () => {
    const limit = lowered(40);

    succeed(limit, 1_000, 9);

    expect(limit.limit).toBe(20);
  });

  it("is gone when it is above twice of what was ever in trouble", () => {
    const limit = lowered(4);

    succeed(limit, 100, 8);

    expect(limit).toMatchObject({ limit: Infinity, cause: undefined });
  });

  it("stays between 1 and twice of what was in trouble, or is none, whatever happens", () => {
    const random = seeded(7);
    const limit = createAdaptiveLimit();
    let peak = 0;
    for (let now = 1; now < 5_000; now++) {
      const before = limit.limit;
      const inFlight = 1 + Math.floor(random() * Math.min(before, 50));
      if (random() < 0.1) {
        const isLower = limit.onTrouble("preemption", {
          now,
          startedAt: now - Math.floor(random() * 20),
          inFlight,
        });
        peak = isLower ? Math.max(peak, inFlight) : peak;
        expect(limit.limit).toBeLessThanOrEqual(before); // N3
      } else {
        limit.onSuccess(inFlight);
        expect(limit.limit).toBeGreaterThanOrEqual(before); // N3
      }
      expect(limit.limit).toBeGreaterThanOrEqual(1); // N1
      if (limit.limit !== Infinity)
        expect(limit.limit).toBeLessThanOrEqual(Math.max(2, 2 * peak) + 1);
    }
  });
});

describe("observeGauges", () => {
  it.each([
    ["preemptions of half of the calls", { preemptions: 3 }, { preemptions: 11 }, "preemption"],
    ["preemptions of many more", { preemptions: 3 }, { preemptions: 90 }, "preemption"],
    ["one preemption of sixteen calls", { preemptions: 3 }, { preemptions: 4 }, undefined],
    ["a queue that rises", { waiting: 3 }, { waiting: 5 }, "queue-time"],
    ["calls that wait for the next step together", { waiting: 1 }, { waiting: 5 }, undefined],
    ["a queue that the pool leaves there", { waiting: 0 }, { waiting: 2 }, undefined],
    ["a queue that falls", { waiting: 9 }, { waiting: 5 }, undefined],
    ["an engine that started anew", { preemptions: 30 }, { preemptions: 0 }, undefined],
    ["nothing told", {}, {}, undefined],
    ["nothing told before", {}, { preemptions: 9, waiting: 9 }, undefined],
  ])("%s", (_, before, after, trouble) => {
    const limit = createAdaptiveLimit();

    const seen = limit.observeGauges(gauges(0, before), gauges(1_000, after), 16);

    expect(seen).toBe(trouble);
    expect(limit.limit).toBe(trouble === undefined ? Infinity : 8);
  });

  it("takes away what was preempted, not half, when it was less", () => {
    const limit = createAdaptiveLimit();

    limit.observeGauges(gauges(0, { preemptions: 0 }), gauges(1_000, { preemptions: 2 }), 15);

    expect(limit.limit).toBe(13);
  });

  it("waits until what was sent before a decrease has ended, and the look began after it", () => {
    const limit = lowered(16);
    const look = (from: number, inFlight: number) =>
      limit.observeGauges(
        gauges(from, { preemptions: 0 }),
        gauges(from + 1_000, { preemptions: 4 }),
        inFlight,
      );

    expect([look(90, 8), look(200, 12), look(200, 8)]).toEqual([
      undefined,
      undefined,
      "preemption",
    ]);
    expect(limit.limit).toBe(4);
  });
});
