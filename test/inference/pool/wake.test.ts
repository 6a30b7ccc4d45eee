import { describe, expect, it } from "vitest";
import { createVirtualClock, type VirtualClock } from "../../../src/clock.ts";
import { BosunError } from "../../../src/error.ts";
import type { Health, Probe } from "../../../src/inference/pool/probe.ts";
import { createWaker, type Waker } from "../../../src/inference/pool/wake.ts";

/** A host whose worker starts when it is asked to, in virtual time, and counts what it is asked. */
type Host = Probe & { readonly looks: () => number; readonly wakes: () => number };

type HostOptions = {
  readonly coldMs?: number;
  /** What it says before it is woken. Default "asleep". */
  readonly before?: Health | "silent";
  /** What it says while it starts. Default "starting". */
  readonly during?: Health | "silent";
  readonly refusesWake?: boolean;
};

function createHost(clock: VirtualClock, options: HostOptions = {}): Host {
  const { coldMs = 60_000, before = "asleep", during = "starting", refusesWake = false } = options;
  let awakeAt = Infinity;
  let looks = 0;
  let wakes = 0;
  return {
    looks: () => looks,
    wakes: () => wakes,
    gauges: async () => undefined,
    capacity: async () => ({}),
    async health(signal) {
      looks++;
      signal.throwIfAborted();
      const said = clock.now() >= awakeAt ? "awake" : awakeAt < Infinity ? during : before;
      if (said === "silent") throw new Error("connect ECONNREFUSED");
      return said;
    },
    async wake() {
      wakes++;
      if (refusesWake) throw new Error("404 no such route");
      awakeAt = clock.now() + coldMs;
    },
  };
}

function bench(options: HostOptions & { readonly maxMs?: number; readonly freshMs?: number } = {}) {
  const clock = createVirtualClock();
  const host = createHost(clock, options);
  const { maxMs, freshMs } = options;
  const probeOf = (name: string) => (name === "cold" ? host : undefined);
  return { clock, host, waker: createWaker({ clock, probeOf, maxMs, freshMs }) };
}

const calm = (): AbortSignal => new AbortController().signal;

async function reasonsOf(waker: Waker, name: string): Promise<readonly string[]> {
  const reasons: string[] = [];
  for await (const event of waker.awaken(name, calm()))
    reasons.push(event.type === "queued" ? event.reason : event.type);
  return reasons;
}

describe("createWaker", () => {
  it("wakes an endpoint once for all who wait, and all go on when it is awake", async () => {
    const { clock, host, waker } = bench();

    await Promise.all(Array.from({ length: 50 }, () => waker.ensureAwake("cold", calm())));

    expect(host.wakes()).toBe(1);
    expect(clock.now()).toBeGreaterThanOrEqual(60_000);
    expect(clock.now()).toBeLessThan(65_000);
    expect(host.looks()).toBeLessThan(25);
  });

  it.each([
    ["nobody answers for", { before: "silent", during: "silent" }],
    ["starts by itself", { before: "asleep", during: "unhealthy" }],
  ] as const)("wakes one that %s", async (_, options) => {
    const { host, waker } = bench(options);

    await waker.ensureAwake("cold", calm());

    expect(host.wakes()).toBe(1);
  });

  it("does not ask one to wake that is starting", async () => {
    const { host, waker } = bench({ before: "starting", maxMs: 10_000 });

    await expect(waker.ensureAwake("cold", calm())).rejects.toMatchObject({
      code: "model/timed-out",
    });
    expect(host.wakes()).toBe(0);
  });

  it("says once what a call waits for, and nothing when it need not wait", async () => {
    const { host, waker } = bench();

    const [one, two] = await Promise.all([reasonsOf(waker, "cold"), reasonsOf(waker, "cold")]);
    const looks = host.looks();
    const later = await reasonsOf(waker, "cold");

    expect([one, two, later]).toEqual([["waking cold"], ["waking cold"], []]);
    expect(host.looks()).toBe(looks); // W-U3
  });

  it("asks nothing of an endpoint that cannot be asked", async () => {
    const { waker } = bench();

    await expect(waker.ensureAwake("other", calm())).resolves.toBeUndefined();
    expect(await reasonsOf(waker, "other")).toEqual([]);
  });

  it("looks again when what it knows is old, or a call was lost", async () => {
    const { clock, host, waker } = bench({ before: "awake", freshMs: 1_000 });
    const looks: number[] = [];
    const look = async () => {
      await waker.ensureAwake("cold", calm());
      looks.push(host.looks());
    };

    await look();
    await look();
    waker.noteLost("cold");
    await look();
    await clock.sleep(1_000, calm());
    await look();
    waker.noteAwake("cold");
    await clock.sleep(999, calm());
    await look();

    expect(looks).toEqual([1, 1, 2, 3, 3]);
  });

  it("has the next step's endpoint awake when its predecessor ends: one cold start for both", async () => {
    const { clock, host, waker } = bench();

    waker.prewarm("cold");
    await clock.sleep(70_000, calm());
    const before = clock.now();
    await waker.ensureAwake("cold", calm());

    expect(clock.now()).toBe(before);
    expect(host.wakes()).toBe(1);
  });

  it("joins a prewarm that is still running", async () => {
    const { clock, host, waker } = bench();

    waker.prewarm("cold");
    await clock.sleep(50_000, calm());
    await waker.ensureAwake("cold", calm());

    expect(clock.now()).toBeLessThan(66_000);
    expect(host.wakes()).toBe(1);
  });

  it("lets one go who gives up, and the others wait on", async () => {
    const { clock, waker } = bench();
    const controller = new AbortController();
    clock.timer(5_000, () => controller.abort(new BosunError("run/cancelled", "enough")));

    let goneAt: number | undefined;

    const [gone, stayed] = await Promise.allSettled([
      waker.ensureAwake("cold", controller.signal).finally(() => (goneAt = clock.now())),
      waker.ensureAwake("cold", calm()),
    ]);

    expect(gone).toMatchObject({ status: "rejected", reason: { code: "run/cancelled" } });
    expect(goneAt).toBe(5_000);
    expect(stayed.status).toBe("fulfilled");
  });

  it("stops to look when nobody waits any more, unless it is a prewarm", async () => {
    for (const isPrewarm of [false, true]) {
      const { clock, host, waker } = bench();
      const controller = new AbortController();
      clock.timer(5_000, () => controller.abort(new BosunError("run/cancelled", "enough")));
      if (isPrewarm) waker.prewarm("cold");

      await waker.ensureAwake("cold", controller.signal).catch(() => undefined);
      const looks = host.looks();
      await clock.sleep(100_000, calm());

      expect(host.looks() > looks).toBe(isPrewarm);
    }
  });

  it("ends every wake-up at close", async () => {
    const { clock, waker } = bench();
    clock.timer(1_000, () => waker.close());

    await expect(waker.ensureAwake("cold", calm())).rejects.toMatchObject({
      code: "model/cancelled",
    });
    expect(clock.now()).toBe(1_000);
  });

  it.each([
    ["takes too long", { coldMs: 1_000_000 }, "model/timed-out", 600_000],
    ["is not well", { before: "unhealthy" }, "model/unreachable", 0],
    ["has nothing that could wake it", { refusesWake: true }, "model/unreachable", 0],
  ] as const)("says when it %s", async (_, options, code, atMs) => {
    const { clock, waker } = bench(options);

    await expect(waker.ensureAwake("cold", calm())).rejects.toMatchObject({
      code,
      retryable: true,
    });
    expect(clock.now()).toBe(atMs);
  });

  it("throws nothing from a prewarm, and begins anew after one that failed", async () => {
    const { clock, host, waker } = bench({ refusesWake: true });

    waker.prewarm("cold");
    await clock.sleep(10, calm());
    const first = host.wakes();
    await waker.ensureAwake("cold", calm()).catch(() => undefined);

    expect([first, host.wakes()]).toEqual([1, 2]);
  });
});
