import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import type { Reply } from "../../../src/inference/model/model.ts";
import type { Capacity } from "../../../src/inference/pool/capacity.ts";
import { createEndpointState } from "../../../src/inference/pool/endpoint-state.ts";
import { NO_PREFIX } from "../../../src/inference/pool/prefix.ts";
import type { Gauges, Probe } from "../../../src/inference/pool/probe.ts";

const LIVE = new AbortController().signal;

function scene(probe: Partial<Probe>) {
  const clock = createVirtualClock();
  const state = createEndpointState({ id: "0", name: "gpu", probe, clock });
  const look = async (afterMs: number): Promise<void> => {
    await clock.sleep(afterMs, LIVE);
    await new Promise<void>((resolve) => state.refresh(resolve));
  };
  return { clock, state, look };
}

const QUEUE: Gauges = {
  at: 0,
  running: 4,
  waiting: 9,
  kvUsage: 0.5,
  preemptions: 0,
  prefixQueries: 0,
  prefixHits: 0,
};

const REPLY: Reply = {
  text: "",
  reasoning: "",
  calls: [],
  finish: { unified: "stop", raw: "stop" },
  usage: {
    input: { total: 900, cached: undefined },
    output: { total: 200, reasoning: undefined },
    source: "server",
  },
  timings: { queueMs: 0, firstTokenMs: 100, totalMs: 4_000 },
  endpoint: "gpu",
  model: "m",
};
const SEEN = {
  hitTokens: 0,
  promptTokens: 900,
  estimatedTokens: 900,
  batch: 1,
  forget: () => undefined,
};

describe("the state of an endpoint", () => {
  it("forgets what others had there when nobody has told it for long", async () => {
    let isTelling = true;
    const { clock, state, look } = scene({
      gauges: async () => {
        if (!isTelling) throw new Error("no answer");
        return { ...QUEUE, at: clock.now() };
      },
    });

    await look(0);
    expect(state.ledger.foreign.seqs).toBe(Infinity);
    isTelling = false;
    await look(1_000);
    expect(state.ledger.foreign.seqs).toBe(Infinity);
    await look(10_000);
    expect(state.ledger.foreign).toEqual({ seqs: 0, tokens: 0 });
  });

  it.each<[string, () => Capacity]>([
    [
      "fails",
      () => {
        throw new Error("it is starting");
      },
    ],
    ["is empty", () => ({ kvTokens: undefined })],
  ])("asks for its size again soon when the first answer %s", async (_, first) => {
    let asked = 0;
    const { state, look } = scene({
      capacity: async () => (asked++ === 0 ? first() : { kvTokens: 5_000 }),
    });

    await look(0);
    expect(state.ledger.bounds.kvTokens).toBe(Infinity);
    await look(10_000);
    expect(state.ledger.bounds.kvTokens).toBe(5_000);
    await look(10_000);
    expect(asked).toBe(2);
  });

  it("may be fuller than its cache while answers from the full cache show no preemption, and no more after one", async () => {
    let preemptions = 0;
    const { clock, state, look } = scene({
      capacity: async () => ({ kvTokens: 1_000 }),
      gauges: async () => ({ ...QUEUE, at: clock.now(), waiting: 0, preemptions }),
    });
    const need = { prefix: NO_PREFIX, promptTokens: 900, outputTokens: 200, prefillTokens: 0 };
    await look(0);

    state.ledger.reserve(need);
    for (let n = 0; n < 64; n++) state.learn(REPLY, SEEN);
    await look(1_000);
    expect(state.ledger.bounds.kvTokens).toBeCloseTo(1_010, 6);

    preemptions = 1;
    await look(1_000);
    expect(state.ledger.bounds.kvTokens).toBe(1_000);
  });
});
