import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import { createLimit } from "../../../src/orchestration/durable/limit.ts";
import { seeded } from "../run/scenario.ts";

describe("a limit", () => {
  it("expires once, when it has gone for its whole time, however often it stood still (300 seeds)", async () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seeded(seed);
      const clock = createVirtualClock({ auto: false });
      const timeoutMs = 1 + Math.floor(random() * 100);
      let [expired, gone, paused] = [0, 0, 0];
      using limit = createLimit(clock, timeoutMs, () => void expired++);
      for (let move = 0; move < 40; move++) {
        const chance = random();
        if (chance < 0.3) {
          limit.pause();
          paused++;
        } else if (chance < 0.6 && paused > 0) {
          limit.resume();
          paused--;
        } else {
          const ms = Math.floor(random() * 12);
          await clock.advance(ms);
          if (paused === 0) gone += ms;
        }
        expect(expired, `seed ${seed}, move ${move}`).toBe(gone >= timeoutMs ? 1 : 0);
      }
    }
  });

  it("without a time never expires, and passes on that it stands still", async () => {
    const clock = createVirtualClock({ auto: false });
    let expired = 0;
    using parent = createLimit(clock, 1_000, () => void expired++);
    using child = createLimit(clock, undefined, () => void expired++, parent);

    child.pause();
    await clock.advance(5_000);
    const whilePaused = expired;
    child.resume();
    await clock.advance(1_000);

    expect([whilePaused, expired]).toEqual([0, 1]);
  });

  it("does not expire when it is over", async () => {
    const clock = createVirtualClock({ auto: false });
    let expired = 0;
    const limit = createLimit(clock, 1_000, () => void expired++);

    limit.pause();
    limit[Symbol.dispose]();
    limit.resume();
    await clock.advance(10_000);

    expect(expired).toBe(0);
  });
});
