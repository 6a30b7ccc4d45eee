// Contenders side by side: each in a process that stays, all of them in every round, one at a time, the order turned each round.

import { startChild, type Child } from "./child.ts";
import type { Bursts } from "./scale.ts";
import { pairedRatio, rotate, summarize, type Summary } from "./statistics.ts";
import type { Burst, BurstResult, Introduction } from "./worker.ts";

/** What to measure; what runs in `warmupMs` before the first round is not counted. */
export type Comparison = Bursts & { readonly names: readonly string[]; readonly base: string };

/** One contender's figures. CPU per run over the rounds, in ms; the ratio is to the first name, round by round. */
export type Measured = {
  readonly name: string;
  readonly does: string;
  /** Model calls of a run. */
  readonly calls: number;
  /** Runs of all rounds. */
  readonly runs: number;
  readonly cpuMs: Summary;
  readonly wallMs: Summary;
  readonly ratio: number;
  /** Socket reads of a run, where the contender counts them. */
  readonly reads: number | undefined;
};

/** Contenders that wait, loaded. */
export interface Field {
  /** One run of one contender, to see what it does. */
  once(name: string, base: string): Promise<void>;
  compare(comparison: Comparison): Promise<readonly Measured[]>;
  stop(): void;
}

/** Starts a process for each name. */
export async function startField(
  names: readonly string[],
  nodeOptionsOf: (name: string) => readonly string[] = () => [],
): Promise<Field> {
  const runners = new Map<string, { readonly child: Child; readonly introduction: Introduction }>();
  for (const name of names) {
    const child = startChild("worker.ts", nodeOptionsOf(name));
    runners.set(name, { child, introduction: await child.ask<Introduction>("load", name) });
  }
  const burst = async (name: string, args: Burst): Promise<BurstResult> => {
    const runner = runners.get(name);
    if (!runner) throw new Error(`no process for "${name}"`);
    return runner.child.ask<BurstResult>("burst", args);
  };
  return {
    async once(name, base) {
      await burst(name, { base, runs: 1, ms: 0, concurrency: 1 });
    },
    async compare({ names: compared, base, rounds, runs, ms, warmupMs, concurrency }) {
      const results = new Map<string, BurstResult[]>(compared.map((name) => [name, []]));
      for (const name of compared) await burst(name, { base, runs: 1, ms: warmupMs, concurrency });
      for (let round = 0; round < rounds; round++)
        for (const name of rotate(compared, round))
          results.get(name)?.push(await burst(name, { base, runs, ms, concurrency }));
      const cpuOf = (name: string): readonly number[] =>
        (results.get(name) ?? []).map((result) => result.cpuMs / result.runs);
      return compared.map((name): Measured => {
        const own = results.get(name) ?? [];
        const reads = own[0]?.reads;
        const total = own.reduce((sum, result) => sum + result.runs, 0);
        return {
          name,
          does: runners.get(name)?.introduction.does ?? "",
          calls: runners.get(name)?.introduction.calls ?? 1,
          runs: total,
          cpuMs: summarize(cpuOf(name)),
          wallMs: summarize(own.map((result) => result.wallMs / result.runs)),
          ratio: pairedRatio(cpuOf(name), cpuOf(compared[0] ?? "")),
          reads: reads === undefined ? undefined : reads / (own[0]?.runs ?? 1),
        };
      });
    },
    stop: () => runners.forEach(({ child }) => child.stop()),
  };
}
