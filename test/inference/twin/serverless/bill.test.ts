import { describe, expect, it } from "vitest";
import {
  addStretch,
  NO_TIME,
  sumTimes,
  toBill,
} from "../../../../src/inference/twin/serverless/bill.ts";

/** Runpod's L40S, documentation of 2026-08-20; the active price is of an older page. */
const L40S = {
  flexUsdPerSecond: 0.00053,
  activeUsdPerSecond: 0.00037,
  source: "Runpod documentation",
  date: "2026-08-20",
};

describe("a bill", () => {
  it("rounds each stretch up to the second", () => {
    const stretch = { startMs: 7_200, executionMs: 20_000, idleMs: 5_000 };

    expect(addStretch(NO_TIME, stretch).billedSeconds).toBe(33);
    expect(addStretch(addStretch(NO_TIME, stretch), stretch).billedSeconds).toBe(66);
  });

  it("does not round up for what floating point adds", () => {
    const thirds = { startMs: 1_000.1 + 1_000.2, executionMs: 0.7 + 999, idleMs: 0 };

    expect(addStretch(NO_TIME, thirds).billedSeconds).toBe(3);
  });

  it("repeats the table of docs/cold-starts.md: 20 s of work, 5 s idle, 60 s of start cost $0.0450", () => {
    const flex = addStretch(NO_TIME, { startMs: 60_000, executionMs: 20_000, idleMs: 5_000 });

    const bill = toBill({ flex, active: NO_TIME }, L40S);

    expect(bill.billedSeconds).toBe(85);
    expect(bill.usd).toBeCloseTo(0.04505);
    expect(bill.price).toMatchObject({ source: "Runpod documentation", date: "2026-08-20" });
  });

  it("bills active workers at their own price", () => {
    const hour = addStretch(NO_TIME, { startMs: 0, executionMs: 0, idleMs: 3_600_000 });

    expect(toBill({ flex: hour, active: sumTimes([hour, hour]) }, L40S).usd).toBeCloseTo(
      3_600 * (0.00053 + 2 * 0.00037),
    );
  });
});
