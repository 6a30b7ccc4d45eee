import { describe, expect, it } from "vitest";
import { type Clock, createVirtualClock, type VirtualClock } from "../../../src/clock.ts";
import { StepLimit } from "../../../src/orchestration/durable/step-limit.ts";
import { seeded } from "../run/scenario.ts";

describe("the time that all steps of a run have", () => {
  it("is over for each of them when its own is, in the order of their beginning (200 seeds)", async () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = seeded(seed);
      const clock = createVirtualClock({ auto: false });
      const ms = 1 + Math.floor(random() * 60) / 7;
      const limit = new StepLimit(clock, ms);
      const wanted: string[] = [];
      const told: string[] = [];
      for (let index = 0; index < 12; index++) {
        const beganAt = clock.now();
        const one = { expire: () => void told.push(`${index} at ${clock.now()}`) };
        limit.begin(one);
        const takes = random() * 12;
        if (takes > ms) wanted.push(`${index} at ${beganAt + ms}`);
        else clock.timer(takes, () => limit.end(one));
        await clock.advance(random() * 4);
      }
      await clock.advance(100);
      expect(told, `seed ${seed}`).toEqual(wanted);
    }
  });

  it("needs one timer for any number of them, and none when none is under way", () => {
    const timers = countTimers(createVirtualClock({ auto: false }));
    const limit = new StepLimit(timers.clock, 1_000);
    const [one, other] = [{ expire: () => undefined }, { expire: () => undefined }];

    limit.begin(one);
    limit.begin(other);
    const underWay = timers.running();
    limit.end(one);
    limit.end(other);
    limit.end(other);

    expect([underWay, timers.running()]).toEqual([1, 0]);
  });
});

function countTimers(base: VirtualClock): { readonly clock: Clock; running(): number } {
  let count = 0;
  const clock: Clock = {
    ...base,
    timer(ms, fire) {
      count++;
      const timer = base.timer(ms, fire);
      return {
        restart: (again) => timer.restart(again),
        [Symbol.dispose]() {
          count--;
          timer[Symbol.dispose]();
        },
      };
    },
  };
  return { clock, running: () => count };
}
