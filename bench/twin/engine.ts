// Steps that one engine makes in a second of processor time, with and without the prefix cache.

import { Engine, toEngineConfig } from "../../src/twin.ts";
import { formatNumber, type Section } from "../overhead/report.ts";
import { pairedRatio, summarize } from "../overhead/statistics.ts";
import { benchStepCost, createWorkload } from "./workload.ts";

const BATCHES = [1, 8, 32, 128] as const;

/** Sequence-steps of one round, so that each batch size takes about as long. */
const WORK = 4_000_000;

/** @param rounds measured ones, after one that warms up. */
export function measureEngine(rounds: number): Section {
  const results = BATCHES.map((batch) => {
    const engines = { cached: startEngine(batch, true), plain: startEngine(batch, false) };
    const steps = Math.round(WORK / (batch + 4));
    const figures = { cached: [] as number[], plain: [] as number[] };
    for (let round = 0; round <= rounds; round++) {
      const order =
        round % 2 === 0 ? (["cached", "plain"] as const) : (["plain", "cached"] as const);
      for (const name of order) {
        const perSecond = engines[name](steps);
        if (round > 0) figures[name].push(perSecond);
      }
    }
    return { batch, steps, figures };
  });
  return {
    title: "Engine: steps per second of processor time",
    note: "Median of the rounds; each batch stays full, every end is followed by an arrival. cost of cache: median of paired ratios.",
    rows: results.map(({ batch, figures }) => {
      const { n, median, p90, spread } = summarize(figures.cached);
      return {
        batch: `${batch}`,
        n: `${n}`,
        "steps/s": formatNumber(median),
        p90: formatNumber(p90),
        spread: `${formatNumber(spread * 100)} %`,
        "tokens/s": formatNumber(median * batch),
        "steps/s without cache": formatNumber(summarize(figures.plain).median),
        "cache costs": `${formatNumber((pairedRatio(figures.plain, figures.cached) - 1) * 100)} %`,
      };
    }),
    data: results,
  };
}

/** An engine that is kept full; the function makes so many steps and returns steps per second. */
function startEngine(batch: number, enablePrefixCaching: boolean): (steps: number) => number {
  const config = toEngineConfig({
    numGpuBlocks: Math.max(8_000, batch * 110),
    maxModelLen: 16_384,
    maxNumSeqs: batch,
    maxNumBatchedTokens: 8_192,
    enablePrefixCaching,
  });
  const engine = new Engine(config, benchStepCost);
  const next = createWorkload(1);
  let now = 0;
  for (let added = 0; added < batch; added++) engine.add(next(), now);
  return (steps) => {
    const before = process.cpuUsage();
    for (let made = 0; made < steps; made++) {
      const step = engine.step(now);
      if (step === undefined) throw new Error("expected a full engine, got an idle one");
      now += step.durationMs;
      for (const _ of step.events.finished) engine.add(next(), now);
    }
    const { user, system } = process.cpuUsage(before);
    return (steps / (user + system)) * 1e6;
  };
}
