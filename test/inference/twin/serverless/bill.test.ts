import { describe, expect, it } from "vitest";
import {
  addStretch,
  findWorkerPrice,
  NO_TIME,
  sumTimes,
  toBill,
} from "../../../../src/inference/twin/serverless/bill.ts";

const PRICE = findWorkerPrice("L40S");
if (!PRICE) throw new Error("the catalogue has prices of the L40S");

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

    const bill = toBill({ flex, active: NO_TIME }, PRICE);

    expect(bill.billedSeconds).toBe(85);
    expect(bill.usd).toBeCloseTo(0.04505);
    expect(bill.price.flex).toMatchObject({
      usdPerHour: 1.908,
      source: expect.stringContaining("Runpod"),
      readAt: "2026-08",
    });
  });

  it("has no price for a GPU that the table lacks", () => {
    expect(findWorkerPrice("X1")).toBeUndefined();
    expect(findWorkerPrice("L40S", [])).toBeUndefined();
  });

  it("bills active workers at their own price", () => {
    const hour = addStretch(NO_TIME, { startMs: 0, executionMs: 0, idleMs: 3_600_000 });

    expect(toBill({ flex: hour, active: sumTimes([hour, hour]) }, PRICE).usd).toBeCloseTo(
      3_600 * (0.00053 + 2 * 0.00037),
    );
  });
});
