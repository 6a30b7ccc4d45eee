import { describe, expect, it } from "vitest";
import { BosunError, type ErrorCode } from "../../../src/error.ts";
import type { JsonObject } from "../../../src/json.ts";
import {
  type CircuitBreaker,
  createCircuitBreaker,
  isEndpointFailure,
} from "../../../src/inference/pool/circuit-breaker.ts";
import { seeded } from "../../orchestration/run/scenario.ts";

/** A circuit that 5 failures have opened at time 0. */
function opened(): CircuitBreaker {
  const circuit = createCircuitBreaker();
  fail(circuit, 5, 0);
  return circuit;
}

function fail(circuit: CircuitBreaker, times: number, now: number): void {
  for (let n = 0; n < times; n++) circuit.onFailure(circuit.onStart(now), now);
}

describe("createCircuitBreaker", () => {
  it("opens at the fifth failure in a row, for 30 s", () => {
    const circuit = createCircuitBreaker();

    fail(circuit, 4, 0);
    const before = circuit.allows(0);
    fail(circuit, 1, 0);

    expect(before).toBe(true);
    expect([0, 29_999, 30_000].map((now) => circuit.allows(now))).toEqual([false, false, true]);
    expect([0, 30_000].map((now) => circuit.state(now))).toEqual(["open", "half-open"]);
    expect(circuit.reopensAt(10)).toBe(30_000);
  });

  it("starts to count anew at a success", () => {
    const circuit = createCircuitBreaker();

    fail(circuit, 4, 0);
    circuit.onSuccess(circuit.onStart(0));
    fail(circuit, 4, 0);

    expect(circuit.state(0)).toBe("closed");
  });

  it("lets one probe through at a time, and closes at the second that goes well", () => {
    const circuit = opened();

    const first = circuit.onStart(30_000);
    const beside = circuit.allows(30_000);
    circuit.onSuccess(first);
    const between = [circuit.allows(30_001), circuit.state(30_001)];
    circuit.onSuccess(circuit.onStart(30_001));

    expect(beside).toBe(false);
    expect(between).toEqual([true, "half-open"]);
    expect(circuit.state(30_002)).toBe("closed");
    expect(circuit.allows(30_002)).toBe(true);
  });

  it("is open for another 30 s when a probe fails", () => {
    const circuit = opened();

    circuit.onFailure(circuit.onStart(30_000), 31_000);

    expect([60_999, 61_000].map((now) => circuit.allows(now))).toEqual([false, true]);
  });

  it("lets another probe through when one was cancelled", () => {
    const circuit = opened();

    circuit.onNeither(circuit.onStart(30_000));

    expect(circuit.allows(30_000)).toBe(true);
    expect(circuit.state(30_000)).toBe("half-open");
  });

  it("does not care how calls end that were in flight when it opened", () => {
    const circuit = createCircuitBreaker();
    const old = Array.from({ length: 100 }, () => circuit.onStart(0));

    fail(circuit, 5, 1_000);
    for (const epoch of old) circuit.onFailure(epoch, 20_000);
    const until = circuit.reopensAt(20_000);
    for (const epoch of old) circuit.onSuccess(epoch);

    expect(until).toBe(31_000);
    expect(circuit.state(20_000)).toBe("open");
  });

  it("never has two probes, and always comes back, whatever happens", () => {
    const random = seeded(3);
    const circuit = createCircuitBreaker();
    let now = 0;
    let flying: number[] = [];
    for (let n = 0; n < 5_000; n++) {
      now += random() * 4_000;
      const isClosed = circuit.state(now) === "closed";
      if (circuit.allows(now)) flying.push(circuit.onStart(now));
      expect(circuit.allows(now)).toBe(isClosed); // C-B1: else it is open, or its probe is in flight
      if (random() < 0.5) continue;
      const [epoch, ...others] = flying;
      flying = others;
      if (epoch === undefined) continue;
      if (random() < 0.6) circuit.onFailure(epoch, now);
      else if (random() < 0.8) circuit.onSuccess(epoch);
      else circuit.onNeither(epoch);
    }
    for (const epoch of flying) circuit.onNeither(epoch);

    expect(circuit.allows(now + 30_000)).toBe(true);
  });
});

describe("isEndpointFailure", () => {
  const CASES: readonly (readonly [ErrorCode, JsonObject, boolean])[] = [
    ["model/unreachable", {}, true],
    ["model/unreachable", { stale: true }, false],
    ["model/server", {}, true],
    ["model/timed-out", {}, true],
    ["model/cut", {}, true],
    ["worker/out-of-memory", {}, true],
    ["model/overloaded", {}, true],
    ["model/overloaded", { retryAfterMs: 1_000 }, false],
    ["model/rate-limited", {}, false],
    ["model/bad-request", {}, false],
    ["model/context-length", {}, false],
    ["model/unauthorized", {}, false],
    ["model/cancelled", {}, false],
  ];

  it.each(CASES)("%s %o: %s", (code, details, expected) => {
    expect(isEndpointFailure(new BosunError(code, "no", { details }))).toBe(expected);
  });
});
