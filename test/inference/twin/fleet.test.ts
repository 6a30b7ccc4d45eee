import { describe, expect, it } from "vitest";
import { createVirtualClock, type VirtualClock } from "../../../src/clock.ts";
import type { ReplicaOptions } from "../../../src/inference/twin/replica.ts";
import { seeded } from "../../orchestration/run/scenario.ts";
import { OPEN, replicaOn } from "./generation.ts";
import { request, tokens } from "./request.ts";

/** Three replicas, thirty agents that ask, think and leave; every event with the time at which its consumer saw it. */
async function liveThrough(seed: number, vary: (clock: VirtualClock) => Partial<ReplicaOptions>) {
  const clock = createVirtualClock();
  const seen: unknown[] = [];
  const replicas = [0, 1, 2].map((n) =>
    replicaOn(clock, {
      stepCost: ({ prefillTokens, decodeSeqs }) => 3 + prefillTokens / 7 + decodeSeqs / 3,
      config: {
        numGpuBlocks: 40,
        blockSize: 4,
        maxModelLen: 120,
        maxNumSeqs: 6,
        maxNumBatchedTokens: 32,
      },
      seed: n,
      chunkTokens: 8,
      ...vary(clock),
    }),
  );
  const agent = async (name: string, random: () => number): Promise<void> => {
    for (let call = 0; call < 6; call++) {
      await clock.sleep(Math.floor(random() * 400), OPEN);
      const of = request(`${name}.${call}`, {
        prompt: [...tokens("shared", 12), ...tokens(name, 1 + Math.floor(random() * 30))],
        output: 1 + Math.floor(random() * 60),
      });
      const leavesAt = random() < 0.2 ? random() * 300 : Infinity;
      const controller = new AbortController();
      if (leavesAt < Infinity) clock.timer(leavesAt, () => controller.abort());
      const replica = replicas[Math.floor(random() * 3)];
      if (replica === undefined) continue;
      for await (const event of replica.generate(of, controller.signal))
        seen.push([clock.now(), of.id, event]);
    }
  };
  await Promise.all(Array.from({ length: 30 }, (_, n) => agent(`n${n}`, seeded(seed + n))));
  return { seen, counters: replicas.map((replica) => replica.stats().counters) };
}

/** A clock of its own for each replica, which lets nobody run ahead. */
function withoutHorizon(clock: VirtualClock): Partial<ReplicaOptions> {
  return { clock: { ...clock, horizon: () => clock.now() } };
}

describe("a fleet in virtual time", () => {
  it("gives identical events for one seed, and others for another", async () => {
    const [first, again, other] = [
      await liveThrough(1, () => ({})),
      await liveThrough(1, () => ({})),
      await liveThrough(500, () => ({})),
    ];

    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(first.counters.some(({ preemptions }) => preemptions > 0)).toBe(true);
  });

  it("gives the same events when it runs ahead of the clock as with a timer for each step", async () => {
    const [ahead, byTimer] = [
      await liveThrough(7, () => ({})),
      await liveThrough(7, withoutHorizon),
    ];

    expect(byTimer.counters).toEqual(ahead.counters);
    expect(timesOf(byTimer.seen)).toEqual(timesOf(ahead.seen));
  });
});

/** Consumers of one moment may be told in another order. */
function timesOf(seen: readonly unknown[]): readonly string[] {
  return seen.map((entry) => JSON.stringify(entry)).toSorted();
}
