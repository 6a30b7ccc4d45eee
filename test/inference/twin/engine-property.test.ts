import { describe, expect, it } from "vitest";
import { Engine } from "../../../src/inference/twin/engine.ts";
import { comparePriority, type Sequence } from "../../../src/inference/twin/sequence.ts";
import { constantStepCost } from "../../../src/inference/twin/step-cost.ts";
import { seeded } from "../../orchestration/run/scenario.ts";
import { applyHappening, createScenario, type Scenario } from "./scenario.ts";

const SEEDS = Array.from({ length: 150 }, (_, seed) => seed + 10_001);

/** Enough for every scenario to come to its end. */
const MOST_STEPS = 2_000;

type Look = {
  readonly engine: Engine;
  readonly sequences: readonly Sequence[];
  readonly scenario: Scenario;
  readonly hint: string;
};

/** Lives through the scenario of each seed; `look` is called while each step is in flight, and `after` at the end of all. */
function live(look: (look: Look) => void, after: (look: Look) => void = () => {}): void {
  for (const seed of SEEDS) {
    const scenario = createScenario(seeded(seed));
    const engine = new Engine(scenario.config, constantStepCost(1));
    const sequences = new Map<string, Sequence>();
    for (let now = 0; now < MOST_STEPS; now++) {
      for (const happening of scenario.before[now] ?? [])
        applyHappening(happening, engine, sequences, now);
      if (engine.begin(now) === undefined) {
        if (now >= scenario.before.length) break;
        continue;
      }
      look({
        engine,
        sequences: [...sequences.values()],
        scenario,
        hint: `seed ${seed}, step ${now}`,
      });
      engine.finish();
    }
    after({ engine, sequences: [...sequences.values()], scenario, hint: `seed ${seed}, end` });
  }
}

function addUp(of: readonly Sequence[], value: (sequence: Sequence) => number): number {
  return of.reduce((total, sequence) => total + value(sequence), 0);
}

describe("in every step of 150 random scenarios, the engine", () => {
  it("holds or has free each block, with one reference for each holder", () => {
    live(({ engine, sequences, hint }) => {
      const { pool } = engine.scheduler.kv;
      const holders = new Map<number, number>();
      for (const { blockTable, numBlocks } of sequences)
        for (const block of blockTable.subarray(0, numBlocks))
          holders.set(block, (holders.get(block) ?? 0) + 1);
      const blocks = Array.from({ length: pool.numBlocks }, (_, block) => block);

      expect(
        blocks.map((block) => pool.refCount(block)),
        hint,
      ).toEqual(blocks.map((block) => holders.get(block) ?? 0));
      expect(
        pool.freeBlocks().toSorted((a, b) => a - b),
        hint,
      ).toEqual(blocks.filter((block) => !holders.has(block)));
      expect(pool.numFree, hint).toBe(pool.numBlocks - holders.size);
      expect(pool.numCached, hint).toBe(blocks.filter((block) => pool.isCached(block)).length);
    });
  });

  it("computes no more tokens than its budget, for no more sequences and adapters than it may", () => {
    live(({ engine, scenario: { config }, hint }) => {
      const { running, batch } = engine.scheduler;
      const scheduled = running.reduce((sum, { numScheduled }) => sum + numScheduled, 0);

      expect(batch.prefillTokens + batch.decodeSeqs, hint).toBe(scheduled);
      expect(scheduled, hint).toBeLessThanOrEqual(config.maxNumBatchedTokens);
      expect(running.length, hint).toBeLessThanOrEqual(config.maxNumSeqs);
      const adapters = new Set(running.map(({ request }) => request.lora));
      adapters.delete(undefined);
      expect(adapters.size, hint).toBeLessThanOrEqual(config.maxLoras);
    });
  });

  it("starts nothing while what goes before it waits for capacity", () => {
    live(({ engine, scenario: { config }, hint }) => {
      const { started, waiting, numDeferred } = engine.scheduler;
      if (numDeferred > 0) return; // Who waits for an adapter is passed.
      const isBefore = (a: Sequence, b: Sequence): boolean =>
        config.schedulingPolicy === "fcfs" ? a.order < b.order : comparePriority(a, b) < 0;
      const overtaken = waiting
        .toArray()
        .filter((waiter) => started.some((starter) => isBefore(waiter, starter)));

      expect(
        overtaken.map(({ request }) => request.id),
        hint,
      ).toEqual([]);
    });
  });

  it("says of its batch what the sequences in it say", () => {
    live(({ engine, hint }) => {
      const { running, batch } = engine.scheduler;
      const chunks = running.filter(({ numScheduled }) => numScheduled > 1);
      const decodes = running.filter(({ numScheduled }) => numScheduled === 1);

      expect(batch, hint).toEqual({
        prefillSeqs: chunks.length,
        prefillTokens: addUp(chunks, ({ numScheduled }) => numScheduled),
        prefillAttention: addUp(
          chunks,
          ({ numScheduled: n, numComputed }) => n * (numComputed - n + n / 2),
        ),
        prefillContextTokens: addUp(chunks, ({ numComputed }) => numComputed),
        decodeSeqs: decodes.length,
        decodeContextTokens: addUp(decodes, ({ numComputed }) => numComputed),
        sampledSeqs: [...chunks, ...decodes].filter((s) => s.numComputed === s.numTokens).length,
        loraSeqs: [...chunks, ...decodes].filter((s) => s.hasLora).length,
      });
    });
  });

  it("never counts more hits than lookups, and computes what it did not find", () => {
    live(({ engine, sequences, hint }) => {
      const counters = engine.counters;

      expect(counters.prefixCacheHits, hint).toBeLessThanOrEqual(counters.prefixCacheQueries);
      expect(counters.promptTokensComputed + counters.promptTokensCached, hint).toBe(
        counters.promptTokens,
      );
      for (const { numCachedTokens, numPromptTokens } of sequences)
        expect(numCachedTokens, hint).toBeLessThan(numPromptTokens);
    });
  });

  it("ends an abort of everything with all blocks free", () => {
    const random = seeded(5);
    for (const seed of SEEDS) {
      const { config, before } = createScenario(seeded(seed));
      const engine = new Engine(config, constantStepCost(1));
      const lastStep = Math.floor(random() * before.length);
      const sequences = new Map<string, Sequence>();
      for (let now = 0; now <= lastStep; now++) {
        for (const happening of before[now] ?? [])
          applyHappening(happening, engine, sequences, now);
        if (now < lastStep) engine.step(now);
        else engine.begin(now); // Aborted in the middle of a step.
      }
      for (const sequence of sequences.values()) engine.abort(sequence, lastStep);

      const { pool } = engine.scheduler.kv;
      expect(pool.numFree, `seed ${seed}`).toBe(pool.numBlocks);
      expect(engine.isBusy).toBe(false);
      expect(engine.tokensInPrefill).toBe(0);
    }
  });
});

describe("at the end of 150 random scenarios, the engine", () => {
  it("has ended every request, however often it was preempted", () => {
    live(
      () => {},
      ({ engine, sequences, hint }) => {
        expect(sequences.filter(({ state }) => state !== "ended").length, hint).toBe(0);
        expect(
          Object.values(engine.counters.requests).reduce((a, b) => a + b),
          hint,
        ).toBe(sequences.length);
        expect(engine.tokensInPrefill, hint).toBe(0);
      },
    );
  });

  it("has generated each token once, in order, also after preemption", () => {
    let preempted = 0;
    live(
      () => {},
      ({ engine, sequences, hint }) => {
        for (const sequence of sequences) {
          const { times, numOutputs, finish, numOutputsWanted } = sequence;
          const written = times.subarray(0, numOutputs);
          expect(numOutputs === numOutputsWanted || finish === "abort", hint).toBe(true);
          for (const [at, time] of written.entries())
            expect(time, hint).toBeGreaterThan(written[at - 1] ?? sequence.arrivedAtMs);
          if (sequence.numPreemptions > 0) preempted++;
        }
        const total = sequences.reduce((sum, { numOutputs }) => sum + numOutputs, 0);
        expect(engine.counters.generationTokens, hint).toBe(total);
      },
    );

    expect(preempted).toBeGreaterThan(100);
  });
});
