import { describe, expect, it } from "vitest";
import { endOf, requestOf, twinFleet } from "./twin-fleet.ts";

describe("a burst at an endpoint that nobody has asked yet", () => {
  it("waits until the first reading has said what it holds", async () => {
    const fleet = twinFleet({ capacity: {}, withProbe: true, outputTokens: 200 }); // 4,096 tokens
    const calls = Array.from({ length: 24 }, (_, index) =>
      endOf(fleet, requestOf(800, { runId: `run-${index}`, expectedTokens: 200 })),
    );

    await Promise.all(calls);

    expect(fleet.mostWaiting()).toBeLessThanOrEqual(2);
    expect(fleet.preemptions()).toBe(0);
  });
});
