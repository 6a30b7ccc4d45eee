import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import { createWaker } from "../../../src/inference/pool/wake.ts";
import { createWishes } from "../../../src/inference/pool/wish.ts";
import { createHost, type HostOptions } from "./sleeping-host.ts";

const NEVER = new AbortController().signal;

type BenchOptions = HostOptions & {
  readonly keptAwakeMs?: number;
  /** Its worker does not leave by itself. */
  readonly stays?: boolean;
};

/** Wishes for a host whose worker takes a minute to start and leaves after 5 s, as Runpod's do. */
function bench(options: BenchOptions = {}) {
  const { idleMs = 5_000, keptAwakeMs = 300_000, stays = false } = options;
  const clock = createVirtualClock();
  const host = createHost(clock, { ...options, idleMs: stays ? Infinity : idleMs });
  const scene = { isBusy: false, isGone: false };
  const idle = stays ? undefined : { leavesAfterMs: idleMs, keptAwakeMs };
  const sleeper = { probe: host, idle, isBusy: () => scene.isBusy };
  const sleeperOf = (name: string) => (name === "cold" && !scene.isGone ? sleeper : undefined);
  const waker = createWaker({ clock, sleeperOf });
  const wishes = createWishes({ clock, waker, sleeperOf });
  /** A wish, and what ends it. */
  const wish = (after?: string): (() => void) => {
    const controller = new AbortController();
    wishes.add("cold", { after, signal: controller.signal });
    return () => controller.abort();
  };
  const pass = (ms: number): Promise<void> => clock.sleep(ms, NEVER);
  return { clock, host, scene, waker, wishes, wish, pass };
}

describe("a wish for an endpoint whose workers leave", () => {
  it("has it awake when the step before ends, after minutes and with one cold start", async () => {
    const { clock, host, waker, wish, pass } = bench();

    const end = wish("crew/write");
    await pass(120_000);
    end();
    const endedAt = clock.now();
    await waker.ensureAwake("cold", NEVER);

    expect(clock.now()).toBe(endedAt);
    expect(host.starts()).toHaveLength(1);
  });

  it("is joined by a call that comes while it wakes", async () => {
    const { clock, host, waker, wish, pass } = bench();

    const end = wish("crew/write");
    await pass(50_000);
    await Promise.all([waker.ensureAwake("cold", NEVER), Promise.resolve().then(end)]);

    expect(clock.now()).toBeLessThan(66_000);
    expect(host.starts()).toHaveLength(1);
  });

  it("keeps it awake between two calls of a task, however long the tool takes", async () => {
    const { host, wishes, wish, pass } = bench();

    const end = wish();
    await pass(70_000);
    for (let calls = 0; calls < 5; calls++) {
      host.call();
      wishes.noteCalled("cold");
      await pass(40_000);
    }
    end();

    expect(host.starts()).toHaveLength(1);
    expect(host.isAwake()).toBe(true);
  });

  it("asks no more than its idle time needs, and not while calls are there (K1)", async () => {
    const { host, scene, wish, pass } = bench();

    const end = wish();
    await pass(70_000);
    const [before, looks] = [host.wakes(), host.looks()];
    await pass(100_000);
    const idle = host.wakes() - before;
    scene.isBusy = true;
    await pass(5_000);
    const [quiet, quietLooks] = [host.wakes(), host.looks()];
    await pass(100_000);
    end();

    expect(idle).toBeLessThanOrEqual(51); // every 2 s
    expect(quietLooks - looks).toBeLessThanOrEqual(54);
    expect([host.wakes(), host.looks()]).toEqual([quiet, quietLooks]);
  });

  it("lets it sleep when the wish ends (K2)", async () => {
    const { host, wish, pass } = bench();

    const end = wish();
    await pass(70_000);
    end();
    const asked = [host.looks(), host.wakes()];
    await pass(100_000);

    expect([host.looks(), host.wakes()]).toEqual(asked);
    expect(host.isAwake()).toBe(false);
  });

  it("ends while it wakes: nothing is asked after that (K2)", async () => {
    const { host, wish, pass } = bench();

    const end = wish();
    await pass(10_000);
    end();
    const asked = [host.looks(), host.wakes()];
    await pass(100_000);

    expect([host.looks(), host.wakes()]).toEqual(asked);
  });

  it("stands no longer than it may without a call, and as long again after one (K2)", async () => {
    const { host, wishes, wish, pass } = bench({ keptAwakeMs: 100_000 });

    wish();
    await pass(90_000);
    host.call();
    wishes.noteCalled("cold");
    await pass(95_000);
    const during = host.isAwake();
    await pass(20_000);
    const asked = host.looks();
    await pass(1_000_000);

    expect([during, host.isAwake()]).toEqual([true, false]);
    expect(host.looks()).toBe(asked);
    expect(host.starts()).toHaveLength(1);
  });

  it("is woken and not kept where the owner says so", async () => {
    const { host, wish, pass } = bench({ keptAwakeMs: 0 });

    wish();
    await pass(64_000);
    const during = host.isAwake();
    await pass(100_000);

    expect([during, host.isAwake()]).toEqual([true, false]);
    expect(host.wakes()).toBe(1);
  });

  it("is woken once and not asked any more where nothing leaves by itself (K3)", async () => {
    const { host, wish, pass } = bench({ stays: true });

    wish();
    await pass(70_000);
    const looks = host.looks();
    await pass(200_000);

    expect(host.wakes()).toBe(1);
    expect(host.looks()).toBe(looks);
  });

  it("wakes it anew when its worker was taken away", async () => {
    const { host, wish, pass } = bench();

    const end = wish();
    await pass(70_000);
    host.lose();
    await pass(70_000);
    end();

    expect(host.starts()).toHaveLength(2);
    expect(host.isAwake()).toBe(true);
  });

  it("outlasts a request that fails", async () => {
    const { host, wish, pass } = bench();
    const { wake } = host;

    const end = wish();
    await pass(70_000);
    host.wake = () => {
      host.wake = wake;
      return Promise.reject(new Error("502 Bad Gateway"));
    };
    await pass(60_000);
    end();

    expect(host.starts()).toHaveLength(1);
    expect(host.isAwake()).toBe(true);
  });

  it("is shared: a thousand wishes ask as often as one, and it is kept until the last has ended", async () => {
    const { host, wish, pass } = bench();

    const ends = Array.from({ length: 1_000 }, () => wish());
    await pass(70_000);
    const asked = host.wakes();
    for (const end of ends.slice(1)) end();
    await pass(30_000);
    const kept = host.isAwake();
    ends[0]?.();
    await pass(10_000);

    expect(asked).toBeLessThan(8);
    expect([kept, host.isAwake()]).toEqual([true, false]);
  });

  it.each([
    ["refuses to be woken", { refusesWake: true }],
    ["says that it is not well", { before: "unhealthy" }],
  ] as const)("is given up for one that %s three times in a row (K2)", async (_, options) => {
    const { host, wish, pass } = bench(options);

    wish();
    await pass(200_000);

    expect(host.looks()).toBe(6); // each time by the keeper, then by the wake-up
    expect(host.wakes()).toBe("refusesWake" in options ? 3 : 0);
  });

  it("leaves out wishes beyond ten thousand: their calls wake", async () => {
    const { host, wishes, wish, pass } = bench({ keptAwakeMs: 0 });
    const ends = Array.from({ length: 10_000 }, () => wish());
    await pass(100_000); // all have been served; their signals have not aborted
    const looks = host.looks();

    wish();
    await pass(10_000);
    const beyond = host.looks();
    ends[0]?.();
    wish();
    await pass(10_000);

    expect(beyond).toBe(looks);
    expect(host.looks()).toBeGreaterThan(looks);
    wishes.close();
  });

  it("ends when its server has gone, and for all of them at close", async () => {
    for (const close of [false, true]) {
      const { host, scene, wishes, wish, pass } = bench();
      wish();
      await pass(70_000);
      if (close) wishes.close();
      else scene.isGone = true;
      const looks = host.looks();
      await pass(50_000);

      expect(host.looks()).toBe(looks);
    }
  });

  it("asks nothing for a wish that has ended before it began, or for what never sleeps", async () => {
    const { clock, host, wishes, pass } = bench();

    wishes.add("cold", { signal: AbortSignal.abort() });
    wishes.add("other", { signal: NEVER });
    await pass(10_000);

    expect(host.looks()).toBe(0);
    expect(clock.now()).toBe(10_000);
  });
});

/** So many runs of a step of 5 minutes, and when the worker of the next began to start in each, from the step's begin. */
async function startsOf(runs: number, options: BenchOptions = {}): Promise<readonly number[]> {
  const { clock, host, wish, pass } = bench(options);
  const starts: number[] = [];
  for (let run = 0; run < runs; run++) {
    const beganAt = clock.now();
    const end = wish("crew/write");
    await pass(300_000);
    end();
    starts.push((host.starts().at(-1) ?? 0) - beganAt);
    await pass(600_000);
  }
  return starts;
}

describe("a wish for after a step whose length is known", () => {
  it("wakes at once until the step was seen three times, then later, with room for a shorter step and a longer start", async () => {
    const starts = await startsOf(5);

    expect(starts.slice(0, 3)).toEqual([0, 0, 0]);
    for (const at of starts.slice(3)) {
      expect(at).toBeGreaterThan(150_000);
      expect(at).toBeLessThan(180_000);
    }
  });

  it("is not ended by its bound before it was due", async () => {
    const { host, wish, pass } = bench({ keptAwakeMs: 200_000 });
    for (let run = 0; run < 3; run++) {
      const end = wish("crew/write");
      await pass(500_000);
      end();
      await pass(100_000);
    }

    const end = wish("crew/write");
    await pass(490_000);
    const awake = host.isAwake();
    end();

    expect(awake).toBe(true);
  });

  it("wakes at once when a call comes now, also while another wish is not due", async () => {
    const { host, wish, pass } = bench();
    for (let run = 0; run < 3; run++) {
      const end = wish("crew/write");
      await pass(300_000);
      end();
      await pass(100_000);
    }
    const before = host.starts().length;

    const ends = [wish("crew/write")];
    await pass(10_000);
    const early = host.starts().length;
    ends.push(wish());
    await pass(1_000);
    const late = host.starts().length;
    for (const end of ends) end();

    expect([early - before, late - before]).toEqual([0, 1]);
  });
});
