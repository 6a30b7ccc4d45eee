import { describe, expect, it } from "vitest";
import { BosunError, detailOf, type ErrorCode } from "../../../src/error.ts";
import {
  createEndpointGuard,
  type EndpointGuard,
  type GuardedCall,
} from "../../../src/inference/pool/endpoint-guard.ts";
import type { Gauges } from "../../../src/inference/pool/probe.ts";
import type { JsonObject } from "../../../src/json.ts";
import { seeded } from "../../orchestration/run/scenario.ts";

const failure = (code: ErrorCode, details: JsonObject = {}): BosunError =>
  new BosunError(code, `box answered: ${code}`, { retryable: true, details });

/** Sends a call of 1,000 tokens beside `others` of its size. */
function send(guard: EndpointGuard, now: number, others = 0): GuardedCall {
  return guard.onStart(now, {
    runId: "r",
    promptTokens: 1_000,
    inFlight: others + 1,
    tokensInFlight: 1_000 * (others + 1),
  });
}

/** Sends `count` calls at once, which all fail so, one after the other. */
function failTogether(
  guard: EndpointGuard,
  { count, code, now }: { count: number; code: ErrorCode; now: number },
): readonly BosunError[] {
  const calls = Array.from({ length: count }, (_, n) => send(guard, now, n));
  return calls.map((call, n) =>
    guard.onFailure(call, failure(code), {
      now: now + 10 + n,
      inFlight: count - n,
      tokensInFlight: 1_000 * (count - n),
    }),
  );
}

const GAUGES: Gauges = {
  at: 0,
  running: 1,
  waiting: 0,
  kvUsage: 0,
  preemptions: 0,
  prefixQueries: 0,
  prefixHits: 0,
};

describe("createEndpointGuard", () => {
  it("allows everything of an endpoint that works", () => {
    const guard = createEndpointGuard();

    for (let n = 0; n < 100; n++) guard.onEnd(send(guard, n, 50), 51);

    expect(guard.allows(200, 10_000)).toBe(true);
    expect(guard.state(200)).toEqual({
      circuit: "closed",
      limit: Infinity,
      trouble: undefined,
    });
  });

  it.each([
    ["model/out-of-memory", "out-of-memory"],
    ["worker/out-of-memory", "out-of-memory"],
    ["model/rate-limited", "rate-limited"],
    ["model/overloaded", "overloaded"],
    ["model/timed-out", "queue-time"],
  ] as const)("halves what is in flight at %s, once for a burst", (code, trouble) => {
    const guard = createEndpointGuard();

    failTogether(guard, { count: 4, code, now: 0 });

    expect(guard.state(100)).toMatchObject({ limit: 2, trouble });
    expect([1, 2].map((inFlight) => guard.allows(100, inFlight))).toEqual([true, false]);
  });

  it.each(["model/bad-request", "model/context-length", "model/unauthorized"] as const)(
    "does not take %s for the endpoint's",
    (code) => {
      const guard = createEndpointGuard();

      failTogether(guard, { count: 20, code, now: 0 });

      expect(guard.state(100)).toMatchObject({ circuit: "closed", limit: Infinity });
    },
  );

  it("does not take a call that is slow after its first token for a queue", () => {
    const guard = createEndpointGuard();
    const call = send(guard, 0, 9);

    guard.onFirstToken(call, 50);
    guard.onFailure(call, failure("model/timed-out"), {
      now: 60_000,
      inFlight: 10,
      tokensInFlight: 0,
    });

    expect(guard.state(60_000).limit).toBe(Infinity);
  });

  it("opens its circuit at five failures in a row, and closes it by a try later", () => {
    const guard = createEndpointGuard();

    failTogether(guard, { count: 5, code: "model/unreachable", now: 0 });

    expect(guard.allows(20, 0)).toBe(false);
    expect(guard.allows(30_014, 0)).toBe(true);
  });

  it("lets the next probe through when one was cancelled or refused for its own sake", () => {
    const guard = createEndpointGuard();
    failTogether(guard, { count: 5, code: "model/server", now: 0 });

    const one = send(guard, 40_000);
    const during = guard.allows(40_000, 0);
    guard.onCancel(one);
    const two = send(guard, 40_001);
    guard.onFailure(two, failure("model/bad-request"), {
      now: 40_002,
      inFlight: 1,
      tokensInFlight: 0,
    });

    expect(during).toBe(false);
    expect(guard.allows(40_003, 0)).toBe(true);
  });

  it("reads trouble from gauges", () => {
    const guard = createEndpointGuard();

    const seen = [0, 2, 2].map((preemptions, n) =>
      guard.onGauges({ ...GAUGES, at: n * 1_000, preemptions }, 12),
    );

    expect(seen).toEqual([undefined, "preemption", undefined]);
    expect(guard.state(3_000)).toMatchObject({ limit: 6, trouble: "preemption" });
  });

  it("adds to out of memory why, and does not repeat a first request", () => {
    const guard = createEndpointGuard({ kvTokens: 20_000 });
    const call = send(guard, 0);

    const error = guard.onFailure(
      call,
      failure("model/out-of-memory", { status: 500, text: "half" }),
      { now: 10, inFlight: 1, tokensInFlight: 1_000 },
    );

    expect(error).toMatchObject({ code: "model/out-of-memory", retryable: false });
    expect(error.message).toContain("Out of memory on a first request");
    expect(error.details).toMatchObject({
      status: 500,
      text: "half",
      memory: { pattern: "first-request", setting: { name: "--gpu-memory-utilization" } },
    });
  });

  it("leaves out of memory under load to be repeated, later and with less beside it", () => {
    const guard = createEndpointGuard({ kvTokens: 20_000 });

    const [error] = failTogether(guard, { count: 18, code: "model/out-of-memory", now: 0 });

    expect(error).toMatchObject({ retryable: true });
    expect(detailOf(error, "memory")).toMatchObject({ pattern: "load" });
    expect(guard.state(30).limit).toBe(9);
  });

  it("knows a model that does not fit by the client's word", () => {
    const guard = createEndpointGuard();
    const call = send(guard, 0, 30);

    const error = guard.onFailure(call, failure("model/out-of-memory", { isTooLarge: true }), {
      now: 10,
      inFlight: 31,
      tokensInFlight: 31_000,
    });

    expect(detailOf(error, "memory")).toMatchObject({ pattern: "first-request" });
  });

  it("hands other errors on as they are", () => {
    const guard = createEndpointGuard();
    const error = failure("model/server");

    const same = guard.onFailure(send(guard, 0), error, {
      now: 1,
      inFlight: 1,
      tokensInFlight: 0,
    });

    expect(same).toBe(error);
  });

  it("counts each call once, however often it is told to have ended", () => {
    const guard = createEndpointGuard();
    const call = send(guard, 0);

    guard.onEnd(call, 1);
    guard.onCancel(call);
    for (let n = 0; n < 9; n++)
      guard.onFailure(call, failure("model/server"), { now: 11, inFlight: 1, tokensInFlight: 0 });

    expect(guard.state(12).circuit).toBe("closed");
  });

  it("comes back whatever happened, once it works again", () => {
    const random = seeded(17);
    const guard = createEndpointGuard();
    const codes = ["model/server", "model/out-of-memory", "model/rate-limited"] as const;
    let flying: GuardedCall[] = [];
    let now = 0;
    for (let n = 0; n < 5_000; n++) {
      now += random() * 500;
      if (guard.allows(now, flying.length)) flying.push(send(guard, now, flying.length));
      if (random() < 0.4) continue;
      const [call, ...others] = flying;
      if (call === undefined) continue;
      const code = codes[Math.floor(random() * 6)];
      const inFlight = flying.length;
      if (code !== undefined)
        guard.onFailure(call, failure(code), { now, inFlight, tokensInFlight: 0 });
      else if (random() < 0.1) guard.onCancel(call);
      else guard.onEnd(call, inFlight);
      flying = others;
    }
    for (const call of flying) guard.onCancel(call);

    now += 30_000;
    for (let n = 0; n < 2_000; n++) {
      now += 1;
      expect(guard.allows(now, 0)).toBe(true);
      const width = Math.min(
        64,
        guard.state(now).circuit === "closed" ? guard.state(now).limit : 1,
      );
      guard.onEnd(send(guard, now, width - 1), width);
    }
    expect(guard.state(now)).toMatchObject({ circuit: "closed", limit: Infinity });
  });
});
