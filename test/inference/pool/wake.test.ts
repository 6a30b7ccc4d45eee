import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import { BosunError } from "../../../src/error.ts";
import type { Sleeper } from "../../../src/inference/pool/sleeper.ts";
import { createWaker, type Waker } from "../../../src/inference/pool/wake.ts";
import { createHost, type HostOptions } from "./sleeping-host.ts";

function bench(options: HostOptions & { readonly maxMs?: number; readonly freshMs?: number } = {}) {
  const clock = createVirtualClock();
  const host = createHost(clock, options);
  const { maxMs, freshMs } = options;
  const { idleMs } = options;
  const idle = idleMs === undefined ? undefined : { leavesAfterMs: idleMs, keptAwakeMs: 0 };
  const sleeper: Sleeper = { probe: host, idle, isBusy: () => false };
  const sleeperOf = (name: string) => (name === "cold" ? sleeper : undefined);
  return { clock, host, waker: createWaker({ clock, sleeperOf, maxMs, freshMs }) };
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

  it("stops to look when nobody waits any more", async () => {
    const { clock, host, waker } = bench();
    const controller = new AbortController();
    clock.timer(5_000, () => controller.abort(new BosunError("run/cancelled", "enough")));

    await waker.ensureAwake("cold", controller.signal).catch(() => undefined);
    const looks = host.looks();
    await clock.sleep(100_000, calm());

    expect(host.looks()).toBe(looks);
  });

  it("sees one awake before it leaves again, however short it stays", async () => {
    const { host, waker } = bench({ idleMs: 2_000 });

    await waker.ensureAwake("cold", calm());

    expect(host.isAwake()).toBe(true);
    expect(host.starts()).toHaveLength(1);
  });

  it("asks one anew that has come and gone", async () => {
    const { clock, host, waker } = bench();
    clock.timer(30_000, () => host.lose());

    await waker.ensureAwake("cold", calm());

    expect(host.wakes()).toBe(2);
    expect(host.isAwake()).toBe(true);
  });

  it("knows one as awake no longer than its worker stays", async () => {
    const { clock, waker } = bench({ idleMs: 5_000 });
    await waker.ensureAwake("cold", calm());

    const before = waker.isAwake("cold");
    await clock.sleep(5_000, calm());

    expect([before, waker.isAwake("cold")]).toEqual([true, false]);
  });

  it("asks one that is awake, so that its worker does not leave", async () => {
    const { clock, host, waker } = bench({ idleMs: 5_000 });
    await waker.keepAwake("cold", calm());

    await clock.sleep(4_000, calm());
    await waker.keepAwake("cold", calm());
    await clock.sleep(4_000, calm());

    expect(host.isAwake()).toBe(true);
    expect(host.starts()).toHaveLength(1);
  });

  it("believes the answer of one whose host calls it asleep: its worker was there", async () => {
    const { clock, host, waker } = bench({ coldMs: 0, answersWake: true, during: "asleep" });
    const liar = { ...host, health: async () => "asleep" as const };
    const told = createWaker({
      clock,
      sleeperOf: () => ({ probe: liar, idle: undefined, isBusy: () => false }),
    });

    await told.ensureAwake("cold", calm());

    expect(clock.now()).toBe(0);
    expect(told.longestWakeMs("cold")).toBeUndefined();
    waker.close();
  });

  it("tells how long the longest of its newest wake-ups took, and nothing of one that was awake", async () => {
    const { clock, host, waker } = bench({ freshMs: 1 });

    const unknown = waker.longestWakeMs("cold");
    await waker.ensureAwake("cold", calm());
    const first = waker.longestWakeMs("cold");
    await clock.sleep(10, calm());
    await waker.ensureAwake("cold", calm());

    expect(unknown).toBeUndefined();
    expect(first).toBeGreaterThanOrEqual(60_000);
    expect(waker.longestWakeMs("cold")).toBe(first);
    expect(host.wakes()).toBe(1);
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

  it("begins anew after a wake-up that failed", async () => {
    const { host, waker } = bench({ refusesWake: true });

    await waker.ensureAwake("cold", calm()).catch(() => undefined);
    await waker.ensureAwake("cold", calm()).catch(() => undefined);

    expect(host.wakes()).toBe(2);
  });
});
