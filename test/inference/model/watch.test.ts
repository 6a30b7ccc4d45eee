import { describe, expect, it } from "vitest";
import { createVirtualClock, type VirtualClock } from "../../../src/clock.ts";
import type { BosunError } from "../../../src/error.ts";
import { createWatch, type Watch } from "../../../src/inference/model/watch.ts";

const TIMEOUTS = {
  queue: 300,
  connect: 10,
  "first-token": 200,
  "inter-token": 60,
  total: 900,
} as const;

type Expired = { readonly phase: unknown; readonly at: number; readonly retryable: boolean };

function watching(timeouts: Partial<Record<keyof typeof TIMEOUTS, number>> = {}): {
  readonly clock: VirtualClock;
  readonly watch: Watch;
  readonly expired: Expired[];
} {
  const clock = createVirtualClock({ auto: false });
  const expired: Expired[] = [];
  const options = { clock, timeouts: { ...TIMEOUTS, ...timeouts }, where: "here" };
  const watch: Watch = createWatch(options, (error: BosunError) => {
    watch.stop();
    const { retryable, details } = error;
    expired.push({ phase: details?.["phase"], at: clock.now(), retryable });
  });
  return { clock, watch, expired };
}

describe("the time-outs of an exchange", () => {
  it.each(["queue", "connect", "first-token", "inter-token"] as const)(
    "end the wait of the phase %s to the millisecond",
    async (phase) => {
      const { clock, watch, expired } = watching();

      await clock.advance(5);
      watch.enter(phase);
      await clock.advance(2_000);

      expect(expired).toEqual([{ phase, at: 5 + TIMEOUTS[phase], retryable: true }]);
    },
  );

  it("count from the last token, not from the first", async () => {
    const { clock, watch, expired } = watching();

    for (let token = 0; token < 5; token++) {
      await clock.advance(50);
      watch.enter("inter-token");
    }
    await clock.advance(1_000);

    expect(expired).toEqual([{ phase: "inter-token", at: 250 + 60, retryable: true }]);
  });

  it("end everything when the time over all is up, tokens or not", async () => {
    const { clock, watch, expired } = watching();

    for (let at = 0; at < 1_000; at += 50) {
      watch.enter("inter-token");
      await clock.advance(50);
    }

    expect(expired).toEqual([{ phase: "total", at: 900, retryable: false }]);
  });

  it("do not count while the reader is slow, and count anew from when it is not", async () => {
    const { clock, watch, expired } = watching();

    watch.enter("inter-token");
    watch.pause();
    await clock.advance(500);
    watch.enter("inter-token");
    await clock.advance(1_000);

    expect(expired).toEqual([{ phase: "inter-token", at: 560, retryable: true }]);
  });

  it("let a paused exchange run into the time over all", async () => {
    const { clock, watch, expired } = watching();

    watch.enter("inter-token");
    watch.pause();
    await clock.advance(2_000);

    expect(expired).toEqual([{ phase: "total", at: 900, retryable: false }]);
  });

  it("name the queue when it takes all the time that there is", async () => {
    const { clock, expired } = watching({ total: 300 });

    await clock.advance(1_000);

    expect(expired).toEqual([{ phase: "queue", at: 300, retryable: true }]);
  });

  it("do nothing after the exchange is over", async () => {
    const { clock, watch, expired } = watching();

    expect(watch.stop()).toBe(true);
    await clock.advance(2_000);

    expect(watch.enter("first-token")).toBe(false);
    expect(watch.stop()).toBe(false);
    expect(watch.isOn()).toBe(false);
    expect(expired).toEqual([]);
  });
});
