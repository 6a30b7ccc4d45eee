import { describe, expect, it } from "vitest";
import { createVirtualClock, type VirtualClock } from "../../../src/clock.ts";
import { isBosunError } from "../../../src/error.ts";
import type { ModelRequest } from "../../../src/inference/model/model.ts";
import type { Deployment, PoolEndpoint } from "../../../src/inference/pool/deployment.ts";
import { createPool, type Pool } from "../../../src/inference/pool/pool.ts";
import { createFaults, parseFault } from "../../../src/inference/twin/fault.ts";
import { createTwinModel } from "../../../src/inference/twin/model.ts";
import { createRandom, type Random } from "../../../src/inference/twin/random.ts";
import { planTwin } from "../../../src/inference/twin/setup.ts";
import { startTwin } from "../../../src/inference/twin/start.ts";
import { fillerSource } from "../../../src/inference/twin/text/plain-source.ts";
import type { Twin } from "../../../src/inference/twin/twin.ts";

const FAULTS = [
  "429; retry-after=1; p=0.02",
  "500; p=0.02",
  "503; p=0.03",
  "slow; ms=3000; p=0.03",
  "cut; after=1; p=0.01",
  "cut; after=20; p=0.02",
  "malformed; after=9; p=0.01",
  "stuck; after=2; p=0.02",
  "engine-death; after=3; restart-ms=4000; p=0.004",
  "kv-squeeze; share=0.9; p=0.02",
];
const ROUTES = ["cost", "power-of-two", "least-kv", "prefix-affinity", "session"] as const;
const CALLS = 400;

type Scene = {
  readonly clock: VirtualClock;
  readonly pool: Pool;
  readonly twins: readonly Twin[];
  readonly random: Random;
};

/** Three small servers that fail at random, one of them scaled by its provider, and a spare one. */
function createScene(seed: number): Scene {
  const random = createRandom(seed);
  const clock = createVirtualClock();
  const plan = planTwin({ gpu: "L40S", model: "Qwen/Qwen3-8B", maxModelLen: 4_096 });
  const small = { ...plan, engine: { ...plan.engine, numGpuBlocks: 400, maxNumSeqs: 16 } };
  const serverless = {
    settings: { workersMax: 2, jobsPerWorker: 8, meanHoursToInterruption: 0.1 },
  };
  const twins = [undefined, undefined, serverless, undefined].map((scaled, at) =>
    startTwin(small, {
      clock,
      source: fillerSource(20 + 30 * at),
      faults: createFaults(FAULTS.map(parseFault), seed + at),
      seed: seed + at,
      serverless: scaled,
    }),
  );
  const places = twins.map((twin, at): PoolEndpoint => {
    const capacity = at === 2 ? { kvTokens: 6_400, maxNumSeqs: 8, maxWorkers: 2 } : {};
    const rate = at === 1 ? { requestsPerMinute: 600, tokensPerMinute: 2_000_000 } : {};
    return { name: `twin-${at}`, at: createTwinModel(twin), capacity: { ...capacity, ...rate } };
  });
  const [first, ...rest] = places.slice(0, 3);
  const [spare] = places.slice(3);
  if (!first || !spare) throw new Error("there are four places");
  const large: Deployment = {
    type: "deployment",
    name: "large",
    endpoints: [first, ...rest],
    route: ROUTES[seed % ROUTES.length],
    order: seed % 2 === 0 ? "program" : "fcfs",
    maxQueued: 60,
    hedge: seed % 3 > 0,
    tenants: { a: 3 },
  };
  const small1: Deployment = { type: "deployment", name: "small", endpoints: [spare] };
  const pool = createPool({
    clock,
    random,
    resolve: (alias) => (alias === "large" ? large : small1),
  });
  return { clock, pool, twins, random };
}

function drawRequest(random: Random, at: number): ModelRequest {
  const runId = `run-${at % 40}`;
  const content = `${runId} ${"word ".repeat(20 + Math.floor(random() * 800))}`;
  return {
    models: random() < 0.5 ? ["large", "small"] : ["large"],
    messages: [
      { role: "system", content: `You are one of ${at % 3}. `.repeat(40) },
      { role: "user", content },
    ],
    settings: { maxTokens: 50 + Math.floor(random() * 500) },
    timeouts: random() < 0.3 ? { queueMs: 1 + random() * 5_000 } : undefined,
    stream: random() < 0.8,
    hints: {
      runId,
      path: [],
      purpose: "work",
      remainingCalls: at % 5,
      tenant: random() < 0.5 ? "a" : "b",
      priority: Math.floor(random() * 3),
    },
  };
}

/** How a call ended; whoever makes it may give up, or stop listening. */
async function runCall({ clock, pool, random }: Scene, at: number): Promise<string> {
  const request = drawRequest(random, at);
  const patience = new AbortController();
  const [leaves, givesUpAfterMs] = [random() < 0.1, random() < 0.3 ? random() * 3_000 : 120_000];
  using _ = clock.timer(givesUpAfterMs, () => patience.abort(new Error("gives up")));
  await clock.sleep(random() * 60_000, new AbortController().signal);
  try {
    for await (const event of pool.call(request, patience.signal)) {
      if (event.type === "end") return "end";
      if (leaves && random() < 0.5) return "left";
    }
    return "no end";
  } catch (error) {
    if (error === patience.signal.reason) return "aborted";
    return isBosunError(error) ? error.code : `not typed: ${String(error)}`;
  }
}

const EXPECTED = new Set([
  "end",
  "left",
  "aborted",
  "model/cancelled",
  "model/cut",
  "model/overloaded",
  "model/protocol",
  "model/rate-limited",
  "model/server",
  "model/timed-out",
]);

describe("a pool over servers that fail at random", () => {
  it.each([1, 2, 3, 4, 5])(
    "has nothing reserved when all calls have ended (seed %i)",
    async (seed) => {
      const scene = createScene(seed);
      const { clock, pool, twins } = scene;

      const outcomes = await Promise.all(
        Array.from({ length: CALLS }, (_, at) => runCall(scene, at)),
      );
      await clock.sleep(60_000, new AbortController().signal);

      const { queued, endpoints } = pool.stats();
      expect(outcomes.filter((outcome) => !EXPECTED.has(outcome))).toEqual([]);
      expect(outcomes.filter((outcome) => outcome === "end").length).toBeGreaterThan(CALLS / 10);
      expect(queued).toBe(0);
      for (const { name, inFlight, reservedTokens, prefillTokens } of endpoints)
        expect({ name, inFlight, reservedTokens, prefillTokens }).toEqual({
          name,
          inFlight: 0,
          reservedTokens: 0,
          prefillTokens: 0,
        });
      for (const { replicas } of twins)
        expect(replicas[0].stats()).toMatchObject({
          numRequestsRunning: 0,
          numRequestsWaiting: 0,
          kvCacheUsage: 0,
        });
    },
  );
});
