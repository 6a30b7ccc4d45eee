import { describe, expect, it } from "vitest";
import { createVirtualClock, type VirtualClock } from "../../../src/clock.ts";
import type { Model } from "../../../src/inference/model/model.ts";
import type { Deployment } from "../../../src/inference/pool/deployment.ts";
import { createPool } from "../../../src/inference/pool/pool.ts";
import type { Health, Probe } from "../../../src/inference/pool/probe.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import { requestOf } from "./twin-fleet.ts";

const LIVE = new AbortController().signal;
/** Calls that teach when one is late, 20 ms, and then earn second calls. */
const CALLS = 80;

function delayOf(index: number): number {
  if (index === CALLS) return 60_000;
  return index < 40 && index % 8 === 0 ? 20 : 5;
}

/** Its last call is late. */
function late(clock: VirtualClock): Model {
  return scriptedModel((_, index) => ({ text: "slow", delayMs: delayOf(index) }), { clock });
}

/** An endpoint that says how it is when it is asked. */
function asked(health: Health, woken: string[]): Model & Probe {
  return {
    ...scriptedModel(() => "fast"),
    gauges: async () => undefined,
    capacity: async () => ({}),
    health: async () => health,
    wake: async () => woken.push("gpu-1") > 0,
  };
}

describe("the second call of one that is late", () => {
  it.each([
    ["goes to an endpoint that never sleeps", () => scriptedModel(() => "fast"), "fast", 1],
    ["goes to none that may be asleep", (woken: string[]) => asked("asleep", woken), "slow", 0],
  ] as const)("%s", async (_, otherOf, text, hedges) => {
    const clock = createVirtualClock();
    const woken: string[] = [];
    const deployment: Deployment = {
      type: "deployment",
      name: "large",
      route: "least-outstanding",
      hedge: true,
      endpoints: [
        { name: "gpu-0", at: late(clock), capacity: {} },
        { name: "gpu-1", at: otherOf(woken), capacity: {} },
      ],
    };
    const pool = createPool({ clock, resolve: () => deployment });
    const texts: string[] = [];

    for (let count = 0; count <= CALLS; count++)
      for await (const event of pool.call(requestOf(10), LIVE))
        if (event.type === "end") texts.push(event.text);

    expect(texts.at(-1)).toBe(text);
    expect(pool.stats().hedges).toBe(hedges);
    expect(woken).toEqual([]);
  });
});
