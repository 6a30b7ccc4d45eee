import { describe, expect, it } from "vitest";
import { systemClock } from "../../../../src/clock.ts";
import { Turns } from "../../../../src/orchestration/durable/sqlite/turns.ts";
import { seeded } from "../../run/scenario.ts";

describe("the turns of a replay", () => {
  it("come in the order in which outcomes were kept, however they are asked for (50 seeds)", async () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = seeded(seed);
      const places = Array.from({ length: 60 }, (_, index) => index + 1);
      const asked = places.toSorted(() => random() - 0.5);
      const turns = new Turns(systemClock, true);
      const got: number[] = [];
      const dropped = new Set<number>();

      const { promise: over, resolve } = Promise.withResolvers<void>();
      const takeBack = asked.map((seq) => turns.recall(seq, () => void got.push(seq)));
      for (const [index, seq] of asked.entries())
        if (random() < 0.2) {
          takeBack[index]?.();
          dropped.add(seq);
        }
      turns.begin(resolve);
      await over;

      expect(got, `seed ${seed}`).toEqual(places.filter((seq) => !dropped.has(seq)));
    }
  });
});
