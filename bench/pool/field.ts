// A field: one workload with several seeds, what the fleet can take of it, and what each contender makes of a load.

import type { TwinSetup } from "../../src/twin.ts";
import { type Contender, noPool } from "./contender.ts";
import { measureUnloaded, play, type RunRecord, type Stage } from "./measure.ts";
import { type Measured, quantileOf, tally, type Tally } from "./tally.ts";
import { drawWorkload, type Profile, type Workload } from "./workload.ts";

export type FieldOptions = {
  readonly profile: Profile;
  readonly setup: TwinSetup;
  readonly replicas: number;
  readonly programs: number;
  readonly seeds: readonly number[];
};

export interface Field {
  readonly profile: Profile;
  readonly replicas: number;
  /** Runs per second that the fleet ends at most, without a pool. */
  readonly capacity: number;
  /** The 95th percentile of run latency by calls, each run alone on a replica: nothing is faster. */
  readonly aloneP95PerCall: number;
  /**
   * A contender at so many times the capacity.
   * @param make is given the workload, for those who may know it.
   * @param setup of the replicas, where it is not the field's own.
   */
  at(load: number, make: (workload: Workload) => Contender, setup?: TwinSetup): Promise<Tally>;
}

/** Draws, measures the unloaded latency of every run, and the capacity. */
export async function createField(options: FieldOptions): Promise<Field> {
  const { profile, setup, replicas, programs, seeds } = options;
  const stages = seeds.map((seed): Stage => ({
    workload: drawWorkload(profile, programs, seed),
    setup,
    replicas,
    seed,
  }));
  const unloaded: ReadonlyMap<string, number>[] = [];
  for (const stage of stages) unloaded.push(await measureUnloaded(stage));
  const capacity = await measureCapacity(stages);
  const toAlone = ({ workload }: Stage, index: number): readonly number[] =>
    workload.programs.map(({ id, calls }) => (unloaded[index]?.get(id) ?? NaN) / calls.length);
  return {
    profile,
    replicas,
    capacity,
    aloneP95PerCall: quantileOf(stages.flatMap(toAlone), 0.95),
    async at(load, make, other = setup) {
      const measured: Measured[] = [];
      for (const [index, stage] of stages.entries()) {
        const arrival = { type: "open", perSecond: load * capacity } as const;
        const played = await play({ ...stage, setup: other }, make(stage.workload), arrival);
        measured.push({ played, unloaded: unloaded[index] ?? new Map() });
      }
      const [one, ...others] = measured;
      if (!one) throw new Error("a field has at least one seed");
      return tally([one, ...others]);
    },
  };
}

/** Runs that are kept going for each replica while capacity is measured: with more, caches thrash; with less, they stand empty. */
const AT_ONCE = [8, 12, 16, 24, 40] as const;

/** The best of several widths, straight to the replicas, each over all seeds: one seed's capacity is up to 8 % off the others'. */
async function measureCapacity(stages: readonly Stage[]): Promise<number> {
  let best = 0;
  for (const width of AT_ONCE) {
    let sum = 0;
    for (const stage of stages) {
      const atOnce = width * stage.replicas;
      const { runs } = await play(stage, noPool, { type: "closed", atOnce });
      sum += throughputOf(runs);
    }
    best = Math.max(best, sum / stages.length);
  }
  return best;
}

/** Runs per second in the middle half, where the fleet is full. */
function throughputOf(runs: readonly RunRecord[]): number {
  const ends = runs.map(({ endedAt }) => endedAt).toSorted((a, b) => a - b);
  const [from, to] = [Math.floor(runs.length * 0.2), Math.floor(runs.length * 0.7)];
  return ((to - from) * 1_000) / ((ends[to] ?? NaN) - (ends[from] ?? NaN));
}
