import { describe, expect, it } from "vitest";
import { Engine } from "../../../src/inference/twin/engine.ts";
import type { Sequence } from "../../../src/inference/twin/sequence.ts";
import { constantStepCost } from "../../../src/inference/twin/step-cost.ts";
import { seeded } from "../../orchestration/run/scenario.ts";
import { ReferenceEngine, type ReferenceStep } from "./reference-engine.ts";
import { applyHappening, createScenario } from "./scenario.ts";

const SEEDS = Array.from({ length: 400 }, (_, seed) => seed + 1);

function idsOf(sequences: readonly Sequence[]): readonly string[] {
  return sequences.map(({ request }) => request.id);
}

/** What our engine did in one step, in the words of the reference. */
function stepOf(engine: Engine, now: number): ReferenceStep | undefined {
  if (engine.begin(now) === undefined) return undefined;
  const { scheduler } = engine;
  const scheduled = scheduler.running
    .filter(({ numScheduled }) => numScheduled > 0)
    .map((sequence) => [sequence.request.id, sequence.numScheduled] as const);
  const { preempted, finished } = engine.finish();
  return {
    scheduled,
    preempted: idsOf(preempted),
    finished: idsOf(finished),
    waiting: idsOf(scheduler.waiting.toArray()),
    free: scheduler.kv.pool.freeBlocks(),
    queries: scheduler.prefixCacheQueries,
    hits: scheduler.prefixCacheHits,
  };
}

describe("the engine", () => {
  it("does step by step what the slow reference does, in 400 random scenarios", () => {
    let preemptions = 0;
    let hits = 0;
    for (const seed of SEEDS) {
      const { config, before } = createScenario(seeded(seed));
      const [engine, reference] = [
        new Engine(config, constantStepCost(1)),
        new ReferenceEngine(config),
      ];
      const sequences = new Map<string, Sequence>();
      for (let now = 0; now < 2_000; now++) {
        for (const happening of before[now] ?? []) {
          applyHappening(happening, engine, sequences, now);
          if (happening.type === "arrival") reference.add(happening.request, now);
          else reference.abort(happening.id);
        }
        const [ours, theirs] = [stepOf(engine, now), reference.step()];
        expect(ours, `seed ${seed}, step ${now}`).toEqual(theirs);
        preemptions += ours?.preempted.length ?? 0;
        if (ours === undefined && now >= before.length) break;
      }
      expect(engine.isBusy, `seed ${seed}`).toBe(false);
      hits += engine.counters.prefixCacheHits;
    }

    // Then the scenarios have what makes the comparison worth something.
    expect(preemptions).toBeGreaterThan(500);
    expect(hits).toBeGreaterThan(5_000);
  });
});
