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

  it("falls by a fifth at a mark once it has risen since the last decrease, by half at a loss", () => {
    const [mark, loss] = [lowered(40), lowered(40)];
    for (const limit of [mark, loss]) succeed(limit, 250, 20);
    const seen = { now: 900, startedAt: 800, inFlight: 30 };

    const before = [mark.limit, loss.limit];
    mark.onTrouble("preemption", seen);
    loss.onTrouble("out-of-memory", seen);

    expect(before).toEqual([30, 30]);
    expect([mark.limit, loss.limit]).toEqual([24, 15]);
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
      const isTrouble = random() < 0.1;
      const startedAt = now - Math.floor(random() * 20);
      if (!isTrouble) limit.onSuccess(inFlight);
      else if (limit.onTrouble("preemption", { now, startedAt, inFlight }))
        peak = Math.max(peak, inFlight);

      const [lower, higher] = isTrouble ? [limit.limit, before] : [before, limit.limit];
      const bound = limit.limit === Infinity ? Infinity : Math.max(2, 2 * peak) + 1;
      expect(lower).toBeLessThanOrEqual(higher); // N3
      expect(limit.limit).toBeGreaterThanOrEqual(1); // N1
      expect(limit.limit).toBeLessThanOrEqual(bound);
    }
  });
});

describe("observeGauges", () => {
  it.each([
    ["preemptions that grow", { preemptions: 3 }, { preemptions: 5 }, "preemption"],
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

  it("waits until what was sent before a decrease has ended, and for a look that began after that", () => {
    const limit = lowered(16);
    let at = 50;
    let preemptions = 0;
    const look = (inFlight: number): Trouble | undefined => {
      const before = gauges(at, { preemptions });
      at += 1_000;
      preemptions++;
      return limit.observeGauges(before, gauges(at, { preemptions }), inFlight);
    };

    const seen = [16, 12, 8, 8].map(look);

    expect(seen).toEqual([undefined, undefined, undefined, "preemption"]);
    expect(limit.limit).toBe(4);
  });
});
