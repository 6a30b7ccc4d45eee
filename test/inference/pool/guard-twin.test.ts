import { describe, expect, it } from "vitest";
import { createVirtualClock, type VirtualClock } from "../../../src/clock.ts";
import { toBosunError } from "../../../src/error.ts";
import type { ModelRequest } from "../../../src/inference/model/model.ts";
import {
  createEndpointGuard,
  type EndpointGuard,
} from "../../../src/inference/pool/endpoint-guard.ts";
import type { Gauges } from "../../../src/inference/pool/probe.ts";
import { createFaults, parseFault } from "../../../src/inference/twin/fault.ts";
import { createTwinModel } from "../../../src/inference/twin/model.ts";
import { planTwin } from "../../../src/inference/twin/setup.ts";
import { startTwin } from "../../../src/inference/twin/start.ts";
import { fillerSource } from "../../../src/inference/twin/text/plain-source.ts";
import type { Twin } from "../../../src/inference/twin/twin.ts";

const PLAN = planTwin({ gpu: "L4", model: "Qwen/Qwen3-0.6B", maxModelLen: 4_096 });
/** 8,192 tokens: about eleven of the calls below. */
const BLOCKS = 512;

const signal = new AbortController().signal;

function startSmall(clock: VirtualClock, faults: readonly string[] = []): Twin {
  const plan = { ...PLAN, engine: { ...PLAN.engine, numGpuBlocks: BLOCKS } };
  return startTwin(plan, {
    clock,
    source: fillerSource(500),
    faults: createFaults(faults.map(parseFault), 1),
  });
}

/** A prompt of its own, of some 200 tokens. */
function requestOf(n: number): ModelRequest {
  const content = Array.from({ length: 70 }, (_, word) => `${n}-${word}`).join(" ");
  return {
    models: ["small"],
    messages: [{ role: "user", content }],
    settings: {},
    hints: { runId: `run-${n}`, path: [], purpose: "work", remainingCalls: undefined },
  };
}

function gaugesOf(twin: Twin, now: number): Gauges {
  const stats = twin.replicas[0].stats();
  return {
    at: now,
    running: stats.numRequestsRunning,
    waiting: stats.numRequestsWaiting,
    kvUsage: stats.kvCacheUsage,
    preemptions: stats.counters.preemptions,
    prefixQueries: undefined,
    prefixHits: undefined,
  };
}

/** Sends `calls` calls, as many at once as `width` and the guard allow, and looks at the gauges each half second. */
async function serve(
  { calls, width, guard }: { calls: number; width: number; guard?: EndpointGuard },
  faults: readonly string[] = [],
) {
  const clock = createVirtualClock();
  const twin = startSmall(clock, faults);
  const model = createTwinModel(twin);
  let lookedAt = 0;
  let [next, inFlight, failed, done] = [0, 0, 0, 0];
  const one = async (n: number): Promise<void> => {
    inFlight++;
    const load = { promptTokens: 200, inFlight, tokensInFlight: inFlight * 700 };
    const call = guard?.onStart(clock.now(), { ...load, runId: `run-${n}` });
    try {
      for await (const event of model.call(requestOf(n), signal))
        if (event.type === "text-delta" && call) guard?.onFirstToken(call, clock.now());
      if (call) guard?.onEnd(call, inFlight);
      done++;
    } catch (thrown) {
      const error = toBosunError(thrown, "model/server", "twin");
      if (call) guard?.onFailure(call, error, { now: clock.now(), ...load });
      failed++;
    } finally {
      inFlight--;
    }
  };
  const mayStart = (): boolean =>
    next < calls && inFlight < width && (guard?.allows(clock.now(), inFlight) ?? true);
  const running = new Set<Promise<void>>();
  while (next < calls || running.size > 0) {
    while (mayStart()) {
      const sent = one(next++);
      running.add(sent);
      void sent.then(() => running.delete(sent));
    }
    await Promise.race([...running, clock.sleep(500, signal)]);
    if (clock.now() < lookedAt + 500) continue;
    lookedAt = clock.now();
    guard?.onGauges(gaugesOf(twin, lookedAt), inFlight);
  }
  const { preemptions } = twin.replicas[0].stats().counters;
  return { preemptions, failed, done, tookMs: clock.now() };
}

describe("a guard before a twin whose cache is too small for what is sent", () => {
  it("lowers what is in flight until little is preempted, at little cost, and all calls are answered", async () => {
    const without = await serve({ calls: 200, width: 40 });
    const guard = createEndpointGuard();
    const guarded = await serve({ calls: 200, width: 40, guard });

    expect([without.done, guarded.done]).toEqual([200, 200]);
    expect(without.preemptions).toBeGreaterThan(200);
    expect(guarded.preemptions).toBeLessThan(without.preemptions / 3);
    expect(guarded.tookMs).toBeLessThan(without.tookMs * 1.25);
    expect(guard.state(guarded.tookMs).trouble).toBe("preemption");
  });
});

describe("a guard before a twin that fails each call", () => {
  it("asks it five times, and then once in 30 s", async () => {
    const without = await serve({ calls: 9, width: 1 }, ["500"]);
    const guard = createEndpointGuard();
    const guarded = await serve({ calls: 9, width: 1, guard }, ["500"]);

    expect([without.failed, guarded.failed]).toEqual([9, 9]);
    expect(without.tookMs).toBeLessThan(30_000);
    expect(guarded.tookMs).toBeGreaterThanOrEqual(4 * 30_000);
    expect(guard.state(guarded.tookMs).circuit).toBe("open");
  });
});
