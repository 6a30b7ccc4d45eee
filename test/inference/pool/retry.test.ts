import { describe, expect, it } from "vitest";
import { BosunError } from "../../../src/error.ts";
import type { JsonObject } from "../../../src/json.ts";
import { createRetryBudget, DEFAULT_RETRY, planRetry } from "../../../src/inference/pool/retry.ts";
import { seeded } from "../../orchestration/run/scenario.ts";

const failed = (details?: JsonObject, retryable = true): BosunError =>
  new BosunError("model/server", "no", { retryable, ...(details ? { details } : {}) });

const ROUNDS = Array.from({ length: 2_000 }, (_, n) => n);

/** The wait after one of `waitedMs`, by the worst chance. */
function waitAfter(waitedMs: number): number | undefined {
  const decision = planRetry({ error: failed(), attempt: 2, waitedMs }, DEFAULT_RETRY, 1);
  return decision.type === "retry" ? decision.afterMs : undefined;
}

/** What follows when a server asks for a wait. */
function decideAfter(retryAfterMs: number): string {
  return planRetry({ error: failed({ retryAfterMs }), attempt: 1, waitedMs: 0 }, DEFAULT_RETRY, 0)
    .type;
}

describe("planRetry", () => {
  it("gives up an error that cannot pass", () => {
    const decision = planRetry(
      { error: failed({}, false), attempt: 1, waitedMs: 0 },
      DEFAULT_RETRY,
      0.5,
    );

    expect(decision).toEqual({ type: "give-up", reason: "final" });
  });

  it("gives up after maxAttempts, whatever the error is", () => {
    for (const error of [failed(), failed({ stale: true }), failed({ adapted: "text-tools" })]) {
      const decide = (attempt: number) =>
        planRetry({ error, attempt, waitedMs: 0 }, { ...DEFAULT_RETRY, maxAttempts: 3 }, 0.5).type;
      expect([1, 2, 3, 4].map(decide)).toEqual(["retry", "retry", "give-up", "give-up"]);
    }
  });

  it("waits between the shortest wait and the cap, for any chance and any wait before", () => {
    const random = seeded(1);
    for (const _ of ROUNDS) {
      const waitedMs = random() * 20_000;
      const decision = planRetry(
        { error: failed(), attempt: 1, waitedMs },
        DEFAULT_RETRY,
        random(),
      );
      if (decision.type !== "retry") throw new Error("expected a retry");
      expect(decision.afterMs).toBeGreaterThanOrEqual(DEFAULT_RETRY.baseMs);
      expect(decision.afterMs).toBeLessThanOrEqual(DEFAULT_RETRY.capMs);
    }
  });

  it("grows with the wait before, at most three times", () => {
    expect([0, 50, 150, 450, 1_350, 4_050].map(waitAfter)).toEqual([
      50, 150, 450, 1_350, 4_050, 5_000,
    ]);
  });

  it("never waits shorter than the server's Retry-After, and comes apart after it", () => {
    const random = seeded(2);
    const waits = new Set<number>();
    for (const _ of ROUNDS) {
      const decision = planRetry(
        { error: failed({ retryAfterMs: 2_000 }), attempt: 1, waitedMs: random() * 9_000 },
        DEFAULT_RETRY,
        random(),
      );
      if (decision.type !== "retry") throw new Error("expected a retry");
      expect(decision.afterMs).toBeGreaterThanOrEqual(2_000);
      waits.add(decision.afterMs);
    }
    expect(waits.size).toBeGreaterThan(10);
  });

  it("gives up a server that asks for a longer wait than the policy allows", () => {
    expect([59_999, 60_000, 60_001].map(decideAfter)).toEqual(["retry", "retry", "give-up"]);
  });

  it("repeats a stale socket and an adapted request at once and for free", () => {
    for (const details of [{ stale: true }, { adapted: "prompt-schema" }])
      expect(
        planRetry({ error: failed(details), attempt: 1, waitedMs: 0 }, DEFAULT_RETRY, 0.9),
      ).toEqual({
        type: "retry",
        afterMs: 0,
        isFree: true,
      });
  });

  it("is the same for the same arguments", () => {
    expect(waitAfter(77)).toEqual(waitAfter(77));
  });
});

describe("a retry budget", () => {
  it("lets a burst through and then one retry for each ten calls", () => {
    const budget = createRetryBudget();
    let burst = 0;
    while (budget.spend()) burst++;
    let later = 0;
    for (let call = 0; call < 1_000; call++) {
      budget.earn();
      if (budget.spend()) later++;
    }

    expect(burst).toBe(20);
    expect(later).toBeGreaterThanOrEqual(98);
    expect(later).toBeLessThanOrEqual(100);
  });

  it("never saves up more than its burst", () => {
    const budget = createRetryBudget(1, 5);
    for (let call = 0; call < 1_000; call++) budget.earn();
    let left = 0;
    while (budget.spend()) left++;

    expect(left).toBe(5);
  });
});
