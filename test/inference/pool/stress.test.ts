// A pool under everything at once: aborts, readers that leave, failures, second calls, reloads of its fleet.

import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import { isBosunError } from "../../../src/error.ts";
import type { Model, ModelRequest } from "../../../src/inference/model/model.ts";
import type { Deployment, PoolEndpoint } from "../../../src/inference/pool/deployment.ts";
import { createPool } from "../../../src/inference/pool/pool.ts";
import { createFaults, parseFault } from "../../../src/inference/twin/fault.ts";
import { createTwinModel } from "../../../src/inference/twin/model.ts";
import { createRandom, type Random } from "../../../src/inference/twin/random.ts";
import { planTwin } from "../../../src/inference/twin/setup.ts";
import { startTwin } from "../../../src/inference/twin/start.ts";
import { fillerSource } from "../../../src/inference/twin/text/plain-source.ts";
import { requestOf } from "./twin-fleet.ts";

const CALLS = 300;
const MAX_SEQS = 6;
const FAULTS = ["500; p=0.03", "503; p=0.03", "slow; ms=4000; p=0.1", "cut; after=5; p=0.03"];

/** A model that counts its calls: those that run now, and the most that ever did. */
function counted(model: Model) {
  const count = { now: 0, most: 0, all: 0 };
  const watched: Model = {
    contextTokens: (models, signal) => model.contextTokens(models, signal),
    async *call(request, signal) {
      count.all++;
      count.most = Math.max(count.most, ++count.now);
      let isOver = false;
      const end = (): void => {
        if (!isOver) count.now--;
        isOver = true;
      };
      try {
        for await (const event of model.call(request, signal)) {
          if (event.type === "end") end(); // the server is done with it before its reader is
          yield event;
        }
      } finally {
        end();
      }
    },
  };
  return { count, watched };
}

function createScene(seed: number) {
  const random = createRandom(seed);
  const clock = createVirtualClock();
  const plan = planTwin({ gpu: "L40S", model: "Qwen/Qwen3-8B", maxModelLen: 4_096 });
  const sides = [0, 1, 2].map((at) => {
    const faults = createFaults(FAULTS.map(parseFault), seed + at);
    const source = fillerSource(40 + 40 * at);
    return counted(createTwinModel(startTwin(plan, { clock, source, faults, seed: seed + at })));
  });
  const deploy = (share: number): Deployment => {
    const capacity = { kvTokens: 12_000, maxNumSeqs: MAX_SEQS, share };
    const places = sides.map(({ watched }, at): PoolEndpoint => ({
      name: `twin-${at}`,
      at: watched,
      capacity,
    }));
    const [first, ...others] = places.toSorted(() => random() - 0.5).slice(share < 1 ? 1 : 0);
    if (!first) throw new Error("there are three places");
    return {
      type: "deployment",
      name: "large",
      endpoints: [first, ...others],
      hedge: true,
      tenants: { a: 3 },
    };
  };
  // Versions of the fleet: all three endpoints, or two of them by half.
  const versions = [deploy(1), deploy(0.5), deploy(1)] as const;
  let [deployment]: readonly [Deployment, ...Deployment[]] = versions;
  const pool = createPool({ clock, random, resolve: () => deployment });
  const reload = (): void => {
    deployment = versions[Math.floor(random() * versions.length)] ?? deployment;
  };
  return { random, clock, sides, pool, reload };
}

function drawRequest(random: Random, at: number): ModelRequest {
  const hints = { runId: `run-${at % 20}`, tenant: at % 2 ? "a" : "b", priority: at % 3 };
  const request = requestOf(20 + Math.floor(random() * 900), {
    ...hints,
    remainingCalls: at % 4,
  });
  return random() < 0.2 ? { ...request, timeouts: { queueMs: 1 + random() * 3_000 } } : request;
}

type Scene = ReturnType<typeof createScene>;

async function runCall({ random, clock, pool }: Scene, at: number): Promise<string> {
  const request = drawRequest(random, at);
  const patience = new AbortController();
  const [leaves, givesUpMs] = [random() < 0.15, random() < 0.3 ? random() * 6_000 : 600_000];
  await clock.sleep(random() * 120_000, new AbortController().signal);
  using _ = clock.timer(givesUpMs, () => patience.abort(new Error("gives up")));
  try {
    for await (const event of pool.call(request, patience.signal)) {
      if (event.type === "end") return "end";
      if (leaves && random() < 0.4) return "left";
    }
    return "no end";
  } catch (error) {
    if (patience.signal.aborted) return "aborted";
    return isBosunError(error) ? error.code : `not typed: ${String(error)}`;
  }
}

const EXPECTED = ["end", "left", "aborted", "model/cut", "model/overloaded", "model/server"];

describe("a pool that is aborted, failed, hedged and reloaded at random", () => {
  it.each([1, 2, 3, 4, 5, 6])(
    "ends all calls, within bounds, with nothing left (seed %i)",
    async (seed) => {
      const scene = createScene(seed);
      const { clock, pool, sides, reload } = scene;
      const calls = Array.from({ length: CALLS }, (_, at) => runCall(scene, at));
      for (let turn = 0; turn < 60; turn++) {
        await clock.sleep(2_000, new AbortController().signal);
        reload();
      }

      const outcomes = await Promise.all(calls);
      await clock.sleep(60_000, new AbortController().signal);

      expect(outcomes.filter((outcome) => !EXPECTED.includes(outcome))).toEqual([]);
      expect(outcomes.filter((outcome) => outcome === "end").length).toBeGreaterThan(CALLS / 3);
      const { queued, hedges, endpoints } = pool.stats();
      expect(queued).toBe(0);
      expect(hedges).toBeGreaterThan(0);
      for (const { inFlight, reservedTokens, prefillTokens } of endpoints)
        expect({ inFlight, reservedTokens, prefillTokens }).toEqual({
          inFlight: 0,
          reservedTokens: 0,
          prefillTokens: 0,
        });
      for (const { count } of sides) {
        expect(count.now).toBe(0);
        expect(count.most).toBeLessThanOrEqual(MAX_SEQS);
      }
    },
  );
});
