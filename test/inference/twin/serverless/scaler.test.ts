import { describe, expect, it } from "vitest";
import {
  type Load,
  planWorkers,
  type Scaler,
} from "../../../../src/inference/twin/serverless/scaler.ts";

const IDLE: Load = {
  queued: 0,
  inProgress: 0,
  overdue: 0,
  workers: 0,
  starting: 0,
  jobsPerWorker: 1,
};
const BOUNDS = { workersMin: 0, workersMax: 10 };

describe("REQUEST_COUNT", () => {
  const scaler: Scaler = { type: "REQUEST_COUNT", requests: 4 };

  it("wants ceil((queued + in progress) / value) workers", () => {
    expect(planWorkers(scaler, { ...IDLE, queued: 6, inProgress: 3 }, BOUNDS)).toBe(3);
    expect(planWorkers(scaler, { ...IDLE, queued: 8 }, BOUNDS)).toBe(2);
    expect(planWorkers(scaler, IDLE, BOUNDS)).toBe(0);
  });

  it("stays within the bounds", () => {
    expect(planWorkers(scaler, { ...IDLE, queued: 100 }, { workersMin: 0, workersMax: 3 })).toBe(3);
    expect(planWorkers(scaler, IDLE, { workersMin: 2, workersMax: 3 })).toBe(2);
  });
});

describe("QUEUE_DELAY", () => {
  const scaler: Scaler = { type: "QUEUE_DELAY", seconds: 4 };

  it("wants no worker more while nobody waits too long", () => {
    expect(planWorkers(scaler, { ...IDLE, queued: 5, workers: 1 }, BOUNDS)).toBe(1);
  });

  it("wants as many more as the overdue requests need, less those that start already", () => {
    const load = { ...IDLE, queued: 3, overdue: 3, workers: 2, starting: 1 };

    expect(planWorkers(scaler, load, BOUNDS)).toBe(4);
    expect(planWorkers(scaler, { ...load, jobsPerWorker: 30 }, BOUNDS)).toBe(2);
  });
});
