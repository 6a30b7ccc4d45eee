import { describe, expect, it } from "vitest";
import { createVirtualClock, systemClock } from "../src/clock.ts";
import { seeded, settle } from "./orchestration/run/scenario.ts";

const LIVE = new AbortController().signal;

describe("the virtual clock", () => {
  it("starts at 0 and stands still while no timer waits (T3)", async () => {
    const clock = createVirtualClock();

    await settle();

    expect(clock.now()).toBe(0);
  });

  it("jumps from timer to timer when nothing else can happen (T3)", async () => {
    const clock = createVirtualClock();
    const seen: number[] = [];

    await Promise.all(
      [300, 100, 200].map(async (ms) => {
        await clock.sleep(ms, LIVE);
        seen.push(clock.now());
      }),
    );

    expect(seen).toEqual([100, 200, 300]);
  });

  it("lets every microtask run before it moves (T3)", async () => {
    const clock = createVirtualClock();
    const sleeping = clock.sleep(10, LIVE);
    let rounds = 0;

    for (let n = 0; n < 1_000; n++) {
      await Promise.resolve();
      rounds++;
      expect(clock.now()).toBe(0);
    }
    await sleeping;

    expect(rounds).toBe(1_000);
    expect(clock.now()).toBe(10);
  });

  it("fires in the order of time, and of start for equal times, for any timers (T2)", async () => {
    const random = seeded(3);
    const clock = createVirtualClock({ auto: false });
    const fired: [number, number][] = [];
    for (let n = 0; n < 500; n++) {
      const at = Math.floor(random() * 50);
      clock.timer(at, () => fired.push([at, n]));
    }

    await clock.advance(50);

    expect(fired).toEqual(fired.toSorted(([a, m], [b, n]) => a - b || m - n));
    expect(fired).toHaveLength(500);
  });

  it("fires a timer once for each start or restart, never after it was disposed (T1)", async () => {
    const clock = createVirtualClock({ auto: false });
    const fired: string[] = [];
    const timer = clock.timer(10, () => fired.push(`at ${clock.now()}`));

    await clock.advance(5);
    timer.restart(10);
    await clock.advance(9);
    await clock.advance(1);
    await clock.advance(100);
    timer.restart(5);
    await clock.advance(5);
    timer.restart(5);
    timer[Symbol.dispose]();
    timer.restart(1);
    await clock.advance(100);

    expect(fired).toEqual(["at 15", "at 120"]);
  });

  it("stands still while real work is pending, also when that fails (T3)", async () => {
    const clock = createVirtualClock();
    const work = Promise.withResolvers<void>();
    const sleeping = clock.sleep(10, LIVE);

    const external = clock.external(work.promise).catch((error: unknown) => error);
    await settle();
    const during = clock.now();
    work.reject(new Error("broke"));
    await external;
    await sleeping;

    expect([during, clock.now()]).toEqual([0, 10]);
  });

  it("moves by hand when it is not automatic, firing what falls due in its own time", async () => {
    const clock = createVirtualClock({ auto: false });
    const seen: number[] = [];
    clock.timer(10, () => {
      seen.push(clock.now());
      clock.timer(10, () => seen.push(clock.now()));
    });

    await clock.advance(25);

    expect(seen).toEqual([10, 20]);
    expect(clock.now()).toBe(25);
  });

  it("does not move by itself when it is not automatic", async () => {
    const clock = createVirtualClock({ auto: false });
    let hasFired = false;
    clock.timer(1, () => (hasFired = true));

    await settle();

    expect([hasFired, clock.now()]).toEqual([false, 0]);
  });

  it("keeps a million virtual years of sleeping cheap", async () => {
    const clock = createVirtualClock();

    await clock.sleep(1e6 * 365 * 86_400_000, LIVE);

    expect(clock.now()).toBe(1e6 * 365 * 86_400_000);
  });
});

describe.each([
  ["virtual", () => createVirtualClock()],
  ["system", () => systemClock],
])("sleeping on the %s clock", (_name, make) => {
  it("rejects with the signal's reason as soon as it aborts, also before", async () => {
    const clock = make();
    const controller = new AbortController();
    const reason = new Error("enough");

    const sleeping = clock.sleep(100_000, controller.signal);
    controller.abort(reason);

    await expect(sleeping).rejects.toBe(reason);
    await expect(clock.sleep(1, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it("resolves after its time", async () => {
    const clock = make();
    const began = clock.now();

    await clock.sleep(20, LIVE);

    expect(clock.now() - began).toBeGreaterThanOrEqual(19);
  });
});

describe("a deadline", () => {
  it("aborts with its reason when its time is over, and says that it was the time", async () => {
    const clock = createVirtualClock({ auto: false });
    const reason = new Error("too late");
    using deadline = clock.deadline(100, LIVE, () => reason);

    await clock.advance(99);
    const before = deadline.signal.aborted;
    await clock.advance(1);

    expect([before, deadline.signal.aborted, deadline.expired]).toEqual([false, true, true]);
    expect(deadline.signal.reason).toBe(reason);
  });

  it("aborts with its parent, and never says that it was the time", async () => {
    const clock = createVirtualClock({ auto: false });
    const parent = new AbortController();
    using deadline = clock.deadline(100, parent.signal, () => new Error("too late"));

    await clock.advance(50);
    parent.abort("parent");
    const atOnce = { reason: deadline.signal.reason, expired: deadline.expired };
    await clock.advance(1_000);

    expect(atOnce).toEqual({ reason: "parent", expired: false });
    expect(deadline.expired).toBe(false);
    expect(deadline.signal.reason).toBe("parent");
  });

  it("is over from the start when its parent is", () => {
    const clock = createVirtualClock({ auto: false });
    using deadline = clock.deadline(100, AbortSignal.abort("before"), () => new Error("too late"));

    expect(deadline.signal.reason).toBe("before");
    expect(deadline.expired).toBe(false);
  });

  it("does nothing any more when it was disposed", async () => {
    const clock = createVirtualClock({ auto: false });
    const deadline = clock.deadline(100, LIVE, () => new Error("too late"));

    deadline[Symbol.dispose]();
    await clock.advance(1_000);

    expect(deadline.signal.aborted).toBe(false);
  });
});

describe("the system clock", () => {
  it("tells the time of day", () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
  });

  it("does not fire a timer of thirty days at once", async () => {
    let hasFired = false;
    const timer = systemClock.timer(30 * 86_400_000, () => (hasFired = true));
    await settle();
    timer.restart(40 * 86_400_000);
    await settle();
    timer[Symbol.dispose]();

    expect(hasFired).toBe(false);
  });

  it("restarts a timer with the same and with another time, and not after it was disposed (T1)", async () => {
    let fired = 0;
    const timer = systemClock.timer(60_000, () => fired++);

    timer.restart(60_000);
    timer.restart(1);
    await systemClock.sleep(10, LIVE);
    timer.restart(1);
    await systemClock.sleep(10, LIVE);
    timer[Symbol.dispose]();
    timer.restart(1);
    await systemClock.sleep(10, LIVE);

    expect(fired).toBe(2);
  });
});

describe("a timer for a time that is past", () => {
  it.each([
    ["virtual", () => createVirtualClock()],
    ["system", () => systemClock],
  ])("fires on the %s clock, and warns nobody", async (_name, make) => {
    const clock = make();
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on("warning", note);

    let fired = 0;
    await new Promise<void>((resolve) => {
      const timer = clock.timer(-5, () => (++fired < 2 ? timer.restart(-7) : resolve()));
    });
    await settle();
    process.off("warning", note);

    expect(warnings).toEqual([]);
  });
});

describe("the horizon of a virtual clock", () => {
  it("is the time of the next timer, or never", () => {
    const clock = createVirtualClock();
    const before = clock.horizon?.();
    clock.timer(5, () => {});

    expect([before, clock.horizon?.()]).toEqual([Infinity, 5]);
  });

  it("is now while external work is pending", async () => {
    const clock = createVirtualClock();
    const { promise, resolve } = Promise.withResolvers<void>();
    const work = clock.external(promise);

    expect(clock.horizon?.()).toBe(0);
    resolve();
    await work;
    expect(clock.horizon?.()).toBe(Infinity);
  });

  it("goes no further than the clock is moved", async () => {
    const clock = createVirtualClock({ auto: false });
    const seen: (number | undefined)[] = [];
    clock.timer(2, () => seen.push(clock.horizon?.()));
    clock.timer(4, () => seen.push(clock.horizon?.()));
    await clock.advance(10);

    expect(seen).toEqual([4, 10]);
  });
});
