// One contender in its own process: does bursts of runs and tells how much processor time the whole process took for each.

import { briefOf, loadContender, type Ready } from "./contender.ts";
import { REPLY } from "./canned.ts";
import { answerParent } from "./child.ts";

/** At least `runs` runs and `ms` milliseconds of them, `concurrency` at once, at an endpoint. */
export type Burst = {
  readonly base: string;
  readonly runs: number;
  readonly ms: number;
  readonly concurrency: number;
};

/** What a burst took. CPU = user + system of all threads of this process, garbage collection and compilation included. */
export type BurstResult = {
  readonly runs: number;
  readonly cpuMs: number;
  readonly wallMs: number;
  /** Socket reads, where the contender counts them. */
  readonly reads: number | undefined;
};

/** What a contender says about itself. */
export type Introduction = { readonly does: string; readonly calls: number };

let create: ((base: string) => Promise<Ready>) | undefined;
const ready = new Map<string, Ready>();

answerParent({
  async load(name: string): Promise<Introduction> {
    const contender = await loadContender(name);
    create = (base) => contender.create(briefOf(base));
    return { does: contender.does, calls: contender.calls };
  },
  async burst({ base, runs, ms, concurrency }: Burst): Promise<BurstResult> {
    const contender = ready.get(base) ?? (await create?.(base));
    if (!contender) throw new Error("load a contender first");
    ready.set(base, contender);
    const readsBefore = contender.reads?.();
    const startedAt = performance.now();
    const before = process.cpuUsage();
    let started = 0;
    const lane = async (): Promise<void> => {
      while (started < runs || performance.now() - startedAt < ms) {
        started++;
        const text = await contender.run();
        if (text !== REPLY)
          throw new Error(`the run came to another text: ${JSON.stringify(text).slice(0, 200)}`);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    const { user, system } = process.cpuUsage(before);
    const reads = contender.reads?.();
    return {
      runs: started,
      cpuMs: (user + system) / 1_000,
      wallMs: performance.now() - startedAt,
      reads: reads === undefined || readsBefore === undefined ? undefined : reads - readsBefore,
    };
  },
});
