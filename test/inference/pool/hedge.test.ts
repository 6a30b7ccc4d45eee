import { describe, expect, it } from "vitest";
import { createVirtualClock, type VirtualClock } from "../../../src/clock.ts";
import { BosunError } from "../../../src/error.ts";
import type { Model, ModelEvent, ModelRequest } from "../../../src/inference/model/model.ts";
import {
  createHedgeBudget,
  type Hedge,
  hedged,
  planHedge,
  withFirstToken,
} from "../../../src/inference/pool/hedge.ts";
import { createFaults } from "../../../src/inference/twin/fault.ts";
import { createTwinModel } from "../../../src/inference/twin/model.ts";
import { planTwin } from "../../../src/inference/twin/setup.ts";
import { startTwin } from "../../../src/inference/twin/start.ts";
import { fillerSource } from "../../../src/inference/twin/text/plain-source.ts";
import type { Twin } from "../../../src/inference/twin/twin.ts";
import { type ScriptedAnswer, scriptedModel } from "../../../src/test/scripted-model.ts";
import { seeded } from "../../orchestration/run/scenario.ts";

const REQUEST: ModelRequest = {
  models: ["small"],
  messages: [{ role: "user", content: "How many sailors?" }],
  settings: {},
  hints: { runId: "r", path: [], purpose: "work", remainingCalls: undefined },
};

type Reply = ScriptedAnswer | BosunError;
type Side = { readonly delayMs?: number; readonly reply: Reply };

/** One side as a Model of its own name. */
function sideOf(name: string, { delayMs = 0, reply }: Side, clock: VirtualClock): Model {
  return scriptedModel(
    async () => {
      await clock.sleep(delayMs, new AbortController().signal);
      return reply;
    },
    { clock, name },
  );
}

/** What a race of two scripted models comes to. */
async function race(sides: { first: Side; second?: Side; signal?: AbortSignal }) {
  const clock = createVirtualClock();
  const { second, signal = new AbortController().signal } = sides;
  const events: ModelEvent[] = [];
  const ends: string[] = [];
  const attempt = (name: string, side: Side) => (own: AbortSignal) => {
    own.addEventListener("abort", () => ends.push(`${name} aborted at ${clock.now()}`));
    return sideOf(name, side, clock).call(REQUEST, own);
  };
  let error: unknown;
  const hedge: Hedge = {
    clock,
    afterMs: 100,
    signal,
    first: attempt("first", sides.first),
    second: () => second && attempt("second", second),
  };
  try {
    for await (const event of hedged(hedge)) events.push(event);
  } catch (thrown) {
    error = thrown;
  }
  const names = events.flatMap((event) => (event.type === "start" ? [event.model] : []));
  const text = events.flatMap((event) => (event.type === "end" ? [event.text] : []));
  return { names, text, ends, error, tookMs: clock.now(), events };
}

const says = (text: string): ScriptedAnswer => ({ text });
const fails = (message: string): BosunError => new BosunError("model/server", message);

describe("hedged", () => {
  it.each([0, 1])(
    "lets the attempt that answers end as far as its last line (%i deltas)",
    async (deltas) => {
      const left = Promise.withResolvers<string>();
      async function* attempt(own: AbortSignal): AsyncGenerator<ModelEvent> {
        const clock = createVirtualClock();
        try {
          for await (const event of sideOf("first", { reply: says("one") }, clock).call(
            REQUEST,
            own,
          ))
            if (event.type !== "text-delta" || deltas > 0) yield event;
        } finally {
          left.resolve("left");
        }
      }
      const { signal } = new AbortController();
      const clock = createVirtualClock();
      const events = hedged({
        clock,
        afterMs: 100,
        signal,
        first: attempt,
        second: () => undefined,
      });

      expect((await Array.fromAsync(events)).at(-1)?.type).toBe("end");
      expect(await left.promise).toBe("left");
    },
  );

  it("is the first alone when its token comes in time", async () => {
    const { names, text, ends } = await race({
      first: { delayMs: 99, reply: says("one") },
      second: { reply: says("two") },
    });

    expect({ names, text, ends }).toEqual({ names: ["first"], text: ["one"], ends: [] });
  });

  it("is the second when the first is late and the second has the first token; the first ends at once", async () => {
    const { names, text, ends } = await race({
      first: { delayMs: 1_000, reply: says("one") },
      second: { delayMs: 50, reply: says("two") },
    });

    expect(names).toEqual(["first", "second"]);
    expect(text).toEqual(["two"]);
    expect(ends).toEqual(["first aborted at 150"]);
  });

  it("is the first when it still has the first token; the second ends at once", async () => {
    const { names, text, ends } = await race({
      first: { delayMs: 150, reply: says("one") },
      second: { delayMs: 500, reply: says("two") },
    });

    expect({ names, text }).toEqual({ names: ["first"], text: ["one"] });
    expect(ends).toEqual(["second aborted at 150"]);
  });

  it("stays with the first when there is no second to be had", async () => {
    const { text, tookMs } = await race({ first: { delayMs: 1_000, reply: says("one") } });

    expect(text).toEqual(["one"]);
    expect(tookMs).toBe(1_000);
  });

  it("goes on with the second when the first fails, and with the first when the second does", async () => {
    const one = await race({
      first: { delayMs: 150, reply: fails("no") },
      second: { delayMs: 500, reply: says("two") },
    });
    const other = await race({
      first: { delayMs: 900, reply: says("one") },
      second: { delayMs: 10, reply: fails("no") },
    });

    expect([one.text, other.text]).toEqual([["two"], ["one"]]);
    expect([one.error, other.error]).toEqual([undefined, undefined]);
  });

  it("throws at once when the first fails in time: repeating is for others to decide", async () => {
    const { error, tookMs } = await race({
      first: { delayMs: 10, reply: fails("no") },
      second: { reply: says("two") },
    });

    expect(error).toMatchObject({ message: "no" });
    expect(tookMs).toBe(10);
  });

  it("throws the error of the first when both fail, whichever failed first", async () => {
    const one = await race({
      first: { delayMs: 200, reply: fails("one") },
      second: { delayMs: 10, reply: fails("two") },
    });
    const other = await race({
      first: { delayMs: 200, reply: fails("one") },
      second: { delayMs: 500, reply: fails("two") },
    });

    expect([one.error, other.error]).toMatchObject(
      [{ message: "one" }, { message: "two" }].map(() => ({ message: "one" })),
    );
  });

  it("answers from one of them only, whatever the times are", async () => {
    const random = seeded(5);
    for (let n = 0; n < 200; n++) {
      const side = (name: string): Side => ({
        delayMs: Math.floor(random() * 300),
        reply: random() < 0.2 ? fails(name) : { deltas: [name, name, name] },
      });
      const { text, error, events } = await race({ first: side("one"), second: side("two") });
      const deltas = events.flatMap((event) => (event.type === "text-delta" ? [event.text] : []));
      const told = deltas.join("");
      expect(error === undefined ? ["oneoneone", "twotwotwo"] : [""]).toContain(told);
      expect(text).toEqual(error === undefined ? [told] : []); // H-G3
    }
  });
});

const TWIN = planTwin({ gpu: "L4", model: "Qwen/Qwen3-0.6B", maxModelLen: 8_192 });

/** Two twins in virtual time, the first of them busy with `load` calls. */
async function raceTwins(load: number) {
  const clock = createVirtualClock();
  const [busy, idle] = [0, 1].map(() =>
    startTwin(TWIN, { clock, source: fillerSource(200), faults: createFaults([], 1) }),
  ) as [Twin, Twin]; // `as`: two of two
  const loading = new AbortController();
  const others = Array.from({ length: load }, () =>
    drain(createTwinModel(busy).call(longRequest(), loading.signal)),
  );
  await clock.sleep(5, loading.signal);
  return { clock, busy, idle, loading, others };
}

function longRequest(): ModelRequest {
  const content = Array.from({ length: 1_000 }, (_, n) => `word${n}`).join(" ");
  return { ...REQUEST, messages: [{ role: "user", content }] };
}

async function drain(events: AsyncIterable<ModelEvent>): Promise<void> {
  try {
    for await (const _ of events);
  } catch {
    // aborted: what a test does with its load
  }
}

const running = (twin: Twin): readonly number[] =>
  twin.replicas.map(({ stats }) => stats().numRequestsRunning + stats().numRequestsWaiting);

describe("hedged over two twins", () => {
  it("takes the loser's request out of its engine, with its blocks, before the winner goes on", async () => {
    const { clock, busy, idle, loading, others } = await raceTwins(20);
    const signal = new AbortController().signal;
    const seen: (readonly number[])[] = [];

    for await (const event of hedged({
      clock,
      afterMs: 20,
      signal,
      first: (own) => createTwinModel(busy).call(REQUEST, own),
      second: () => (own) => createTwinModel(idle).call(REQUEST, own),
    }))
      if (event.type === "text-delta" && seen.length < 1) seen.push(running(busy), running(idle));

    expect(seen).toEqual([[20], [1]]);
    loading.abort(new BosunError("model/cancelled", "enough"));
    await Promise.all(others);
    expect([running(busy), running(idle)]).toEqual([[0], [0]]);
    expect(busy.replicas.map(({ stats }) => stats().kvCacheUsage)).toEqual([0]);
  });

  it("takes both out when it is aborted, or left, before or after the first token", async () => {
    for (const leaveAt of ["start", "text-delta"]) {
      const { clock, busy, idle, loading, others } = await raceTwins(20);
      const controller = new AbortController();
      const events = hedged({
        clock,
        afterMs: 1,
        signal: controller.signal,
        first: (own) => createTwinModel(busy).call(REQUEST, own),
        second: () => (own) => createTwinModel(idle).call(REQUEST, own),
      });

      for await (const event of events) if (event.type === leaveAt) break;

      expect(running(busy)[0]).toBeLessThanOrEqual(20);
      loading.abort(new BosunError("model/cancelled", "enough"));
      await Promise.all(others);
      await clock.sleep(1, signalOf());
      expect([running(busy), running(idle)]).toEqual([[0], [0]]);
    }
  });
});

const signalOf = (): AbortSignal => new AbortController().signal;

describe("planHedge", () => {
  const late = { lateMs: () => 250 };
  const plain = { isOn: true, request: REQUEST, others: 1, queued: 0 };
  const tool = { name: "search", description: "", parameters: {} };

  it("hedges after the 95th percentile of first tokens", () => {
    expect(planHedge(plain, late)).toEqual({ type: "hedge", afterMs: 250 });
  });

  it.each([
    ["it is not asked for", { isOn: false }, "off"],
    ["no other endpoint could take it", { others: 0 }, "alone"],
    ["calls wait", { queued: 1 }, "busy"],
    [
      "its answer may be tool calls, which show no token",
      { request: { tools: [tool] } },
      "no-token",
    ],
    ["it is no stream", { request: { stream: false } }, "no-token"],
  ])("does not when %s", (_, fields, reason) => {
    expect(planHedge({ ...plain, ...fields }, late)).toEqual({ type: "single", reason });
  });

  it("does not while too few first tokens are known", () => {
    const budget = createHedgeBudget();
    for (let n = 0; n < 19; n++) budget.onFirstToken(100);

    expect(planHedge(plain, budget)).toEqual({ type: "single", reason: "unknown" });
  });
});

describe("createHedgeBudget", () => {
  it("knows the 95th percentile of the newest first tokens", () => {
    const budget = createHedgeBudget();

    for (let n = 1; n <= 1_000; n++) budget.onFirstToken(n <= 800 ? 10_000 : n);

    expect(budget.lateMs()).toBeGreaterThan(980);
    expect(budget.lateMs()).toBeLessThanOrEqual(1_000);
  });

  it("never gives more than 5 second calls for 100 first ones", () => {
    const random = seeded(9);
    const budget = createHedgeBudget();
    let hedges = 0;
    for (let calls = 1; calls <= 2_000; calls++) {
      budget.onCall();
      while (random() < 0.3 && budget.spend()) hedges++;
      expect(hedges).toBeLessThanOrEqual(calls * 0.05 + 1e-6); // H-G1
    }
    expect(hedges).toBeGreaterThan(80);
  });
});

describe("withFirstToken", () => {
  it("watches the deltas of a call until the first, then as before", () => {
    let hasToken = false;
    const request = { ...REQUEST, hints: { ...REQUEST.hints, isWatched: () => false } };
    const own = withFirstToken(request, () => hasToken);

    const before = own.hints.isWatched?.();
    hasToken = true;

    expect([before, own.hints.isWatched?.()]).toEqual([true, false]);
    expect(withFirstToken(REQUEST, () => false)).toBe(REQUEST);
  });
});
