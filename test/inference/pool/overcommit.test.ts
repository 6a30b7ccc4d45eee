import { describe, expect, it } from "vitest";
import { createOvercommit, type Overcommit } from "../../../src/inference/pool/overcommit.ts";
import type { Gauges } from "../../../src/inference/pool/probe.ts";
import { seeded } from "../../orchestration/run/scenario.ts";

const showing = (preemptions: number | undefined): Gauges => ({
  at: 0,
  running: 4,
  waiting: 0,
  kvUsage: 0.9,
  preemptions,
  prefixQueries: undefined,
  prefixHits: undefined,
});

function reply(overcommit: Overcommit, times: number, isFull = true): void {
  for (let n = 0; n < times; n++) overcommit.onReply(isFull);
}

/** After so many answers from a full cache and no preemption. */
function risen(replies: number): Overcommit {
  const overcommit = createOvercommit();
  reply(overcommit, replies);
  overcommit.onGauges(showing(0), showing(0));
  return overcommit;
}

describe("createOvercommit", () => {
  it("lets a cache be a percent fuller after 64 answers from a full one, and again", () => {
    expect(risen(64).factor).toBeCloseTo(1.01, 10);
    expect(risen(128).factor).toBeCloseTo(1.02, 10);
  });

  it("takes a percent back for each preemption", () => {
    const overcommit = risen(192);

    overcommit.onGauges(showing(7), showing(9));

    expect(overcommit.factor).toBeCloseTo(1.01, 10);
  });

  it("stays where it is while the cache is not full", () => {
    const overcommit = createOvercommit();

    reply(overcommit, 1_000, false);
    overcommit.onGauges(showing(0), showing(0));

    expect(overcommit.factor).toBe(1);
  });

  it("counts an answer once", () => {
    const overcommit = risen(64);

    overcommit.onGauges(showing(0), showing(0));

    expect(overcommit.factor).toBeCloseTo(1.01, 10);
  });

  it.each([
    ["tells no preemptions", undefined, undefined],
    ["tells them for the first time", undefined, 3],
    ["tells them no more", 3, undefined],
  ])("does not rise where the endpoint %s", (_, before, after) => {
    const overcommit = createOvercommit();

    reply(overcommit, 1_000);
    overcommit.onGauges(showing(before), showing(after));

    expect(overcommit.factor).toBe(1);
  });

  it("does not take a restart for preemptions that were undone", () => {
    const overcommit = createOvercommit();

    overcommit.onGauges(showing(1_000), showing(0));

    expect(overcommit.factor).toBe(1);
  });

  it("lets one call of 64 be preempted in the long run, wherever too full begins (V-C1, 20 seeds)", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seeded(seed);
      const overcommit = createOvercommit();
      const edge = 1.005 + random() * 0.035;
      let preemptions = 0;
      let [least, most] = [1, 1];
      for (let call = 0; call < 10_000; call++) {
        reply(overcommit, 1);
        const before = preemptions;
        // The fuller it is above the edge, the more often a call is preempted.
        if (random() < (overcommit.factor - edge) * 20) preemptions++;
        overcommit.onGauges(showing(before), showing(preemptions));
        least = Math.min(least, overcommit.factor);
        most = Math.max(most, overcommit.factor);
      }
      expect(least).toBeGreaterThanOrEqual(1);
      expect(most).toBeLessThanOrEqual(1.05);
      expect(preemptions / 10_000).toBeGreaterThan(1 / 80);
      expect(preemptions / 10_000).toBeLessThan(1 / 50);
    }
  });
});
