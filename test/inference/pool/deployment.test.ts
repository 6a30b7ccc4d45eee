import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import { BosunError } from "../../../src/error.ts";
import type { Model, ModelRequest } from "../../../src/inference/model/model.ts";
import type { Deployment, PoolEndpoint } from "../../../src/inference/pool/deployment.ts";
import { createPool } from "../../../src/inference/pool/pool.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import { endOf, requestOf } from "./twin-fleet.ts";

const LIVE = new AbortController().signal;
const busy = (): BosunError => new BosunError("model/overloaded", "busy", { retryable: true });

function deploymentOf(
  endpoints: readonly [PoolEndpoint, ...PoolEndpoint[]],
  fields: Partial<Deployment> = {},
): Deployment {
  return { type: "deployment", name: "large", endpoints, ...fields };
}

const onlyOf = (name: string, at: Model): Deployment => deploymentOf([{ name, at, capacity: {} }]);

/** A model that notes what it is asked and answers when it is told to. */
function heldModel() {
  const asked: ModelRequest[] = [];
  const gate = Promise.withResolvers<void>();
  const scripted = scriptedModel(() => "fine");
  const model: Model = {
    contextTokens: async () => 8_192,
    async *call(request, signal) {
      asked.push(request);
      await gate.promise;
      yield* scripted.call(request, signal);
    },
  };
  return { asked, model, open: () => gate.resolve() };
}

describe("a deployment", () => {
  it("sends priority, session and cache salt only where the endpoint takes them", async () => {
    const [plain, rich] = [heldModel(), heldModel()];
    const accepts = { priority: true, sessionId: true, cacheSalt: true };
    const deployment = deploymentOf(
      [
        { name: "plain", at: plain.model, capacity: {} },
        { name: "rich", at: rich.model, capacity: {}, accepts },
      ],
      { route: "round-robin" },
    );
    const pool = createPool({ clock: createVirtualClock(), resolve: () => deployment });
    const request = requestOf(10, { runId: "r1", priority: -2, tenant: "acme" });
    for (const { open } of [plain, rich]) open();

    for (let count = 0; count < 2; count++)
      await Array.fromAsync(pool.call({ ...request, settings: { extraBody: { top_k: 5 } } }, LIVE));

    expect(plain.asked.map(({ settings }) => settings.extraBody)).toEqual([{ top_k: 5 }]);
    expect(rich.asked.map(({ settings }) => settings.extraBody)).toEqual([
      { top_k: 5, priority: -2, session_id: "r1", cache_salt: "acme" },
    ]);
  });

  it("tries another endpoint before the one that failed", async () => {
    const broken = scriptedModel([busy(), busy(), busy()]);
    const sound = scriptedModel(["fine", "fine"]);
    const deployment = deploymentOf([
      { name: "broken", at: broken, capacity: {} },
      { name: "sound", at: sound, capacity: {} },
    ]);
    const pool = createPool({ clock: createVirtualClock(), resolve: () => deployment });

    const events = await Array.fromAsync(pool.call(requestOf(10), LIVE));

    expect(events.map(({ type }) => type)).toEqual([
      "start",
      "retry",
      "start",
      "text-delta",
      "end",
    ]);
    expect(pool.stats().retries).toBe(1);
  });

  it("gives no new calls to an endpoint that left, and lets those in flight end", async () => {
    const [old, young] = [heldModel(), heldModel()];
    let now = onlyOf("old", old.model);
    const clock = createVirtualClock();
    const pool = createPool({ clock, resolve: () => now });
    const first = endOf({ pool, clock }, requestOf(10));
    await clock.sleep(1, LIVE);

    now = onlyOf("young", young.model);
    young.open();
    await endOf({ pool, clock }, requestOf(10));
    old.open();

    expect((await first).events.at(-1)).toBe("end");
    expect([old.asked.length, young.asked.length]).toEqual([1, 1]);
  });

  it("takes a call that waits to the endpoints that there are when its turn comes", async () => {
    const [full, added] = [heldModel(), heldModel()];
    const one: PoolEndpoint = { name: "full", at: full.model, capacity: { maxNumSeqs: 1 } };
    let now = deploymentOf([one]);
    const clock = createVirtualClock();
    const pool = createPool({ clock, resolve: () => now });
    const first = endOf({ pool, clock }, requestOf(10));
    const second = endOf({ pool, clock }, requestOf(10));
    await clock.sleep(1, LIVE);

    now = deploymentOf([one, { name: "added", at: added.model, capacity: {} }]);
    added.open();

    expect((await second).events.at(-1)).toBe("end");
    full.open();
    await first;
    expect(added.asked.length).toBe(1);
  });

  it("shares a server's ledger between its aliases", async () => {
    const held = heldModel();
    const endpoint: PoolEndpoint = { name: "gpu", at: held.model, capacity: { maxNumSeqs: 1 } };
    const clock = createVirtualClock();
    const pool = createPool({
      clock,
      resolve: (name) => deploymentOf([endpoint], { name }),
    });
    const base = endOf({ pool, clock }, requestOf(10));
    const adapter = endOf({ pool, clock }, { ...requestOf(10), models: ["adapter"] });
    await clock.sleep(1, LIVE);

    expect(pool.stats()).toMatchObject({ queued: 1, endpoints: [{ inFlight: 1 }] });
    held.open();
    await Promise.all([base, adapter]);
  });

  it("counts what its calls waited in their timings", async () => {
    const held = heldModel();
    const deployment = deploymentOf([{ name: "gpu", at: held.model, capacity: { maxNumSeqs: 1 } }]);
    const clock = createVirtualClock();
    const pool = createPool({ clock, resolve: () => deployment });
    const first = endOf({ pool, clock }, requestOf(10));
    const second = Array.fromAsync(pool.call(requestOf(10), LIVE));
    await clock.sleep(500, LIVE);
    held.open();
    await first;

    const end = (await second).find(({ type }) => type === "end");

    expect(end).toMatchObject({ timings: { queueMs: 500 } });
  });
});
