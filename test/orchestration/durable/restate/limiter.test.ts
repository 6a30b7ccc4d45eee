import { describe, expect, it } from "vitest";
import type { QueueLimits } from "../../../../src/orchestration/durable/engine.ts";
import {
  askFor,
  EMPTY_QUEUE,
  grantPlaces,
  leave,
  putInto,
  type QueueState,
  type Waiting,
} from "../../../../src/orchestration/durable/restate/limiter.ts";

const NOW = 1_000_000;

function run(id: string, more: Partial<Waiting> = {}): Waiting {
  return {
    id,
    service: "flow",
    awakeable: `awake ${id}`,
    priority: 0,
    tenant: undefined,
    dueAt: 0,
    hasBegun: false,
    at: NOW,
    ...more,
  };
}

/** One process with room for many. */
function aliveAt(now: number): QueueState["servers"] {
  return { one: { concurrency: 100, until: now + 1, services: ["flow"] } };
}

function queueOf(waiting: readonly Waiting[], limits: QueueLimits = {}): QueueState {
  return { ...EMPTY_QUEUE, limits, servers: aliveAt(NOW), waiting };
}

const granted = (state: QueueState, now = NOW): readonly string[] =>
  grantPlaces(state, now).granted.map(({ id }) => id);

describe("places of a queue", () => {
  it("go to the lowest priority number first, and to the first of equals", () => {
    const waiting = [run("a", { priority: 5 }), run("b"), run("c", { priority: 5 }), run("d")];

    expect(granted(queueOf(waiting))).toEqual(["b", "d", "a", "c"]);
    expect(granted(queueOf(waiting, { concurrency: 3 }))).toEqual(["b", "d", "a"]);
  });

  it("go to those that come back from waiting before all others", () => {
    const waiting = [run("new", { priority: -9 }), run("back", { priority: 9, hasBegun: true })];

    expect(granted(queueOf(waiting, { concurrency: 1 }))).toEqual(["back"]);
  });

  it("are as many as the processes that are there have, and go only to flows that these know", () => {
    const waiting = [run("a"), run("other", { service: "else" }), run("b"), run("c")];
    const state: QueueState = {
      ...queueOf(waiting),
      servers: {
        gone: { concurrency: 50, until: NOW - 1, services: ["flow", "else"] },
        here: { concurrency: 2, until: NOW + 1, services: ["flow"] },
      },
    };

    expect(granted(state)).toEqual(["a", "b"]);
    expect(granted({ ...state, servers: {} })).toEqual([]);
  });

  it("of one tenant are bounded, and others pass it", () => {
    const waiting = [
      run("a1", { tenant: "a" }),
      run("a2", { tenant: "a" }),
      run("b1", { tenant: "b" }),
      run("none"),
    ];

    expect(granted(queueOf(waiting, { perTenant: 1 }))).toEqual(["a1", "b1", "none"]);
  });

  it("are given no faster than the rate, which a run that comes back does not use up", () => {
    const waiting = [run("a"), run("b"), run("c"), run("back", { hasBegun: true })];
    const rate = { count: 2, ms: 1_000 };

    const first = grantPlaces(queueOf(waiting, { rate }), NOW);
    const soon = grantPlaces({ ...first.state, servers: aliveAt(NOW + 999) }, NOW + 999);
    const then = grantPlaces({ ...soon.state, servers: aliveAt(NOW + 1_000) }, NOW + 1_000);

    expect(first.granted.map(({ id }) => id)).toEqual(["back", "a", "b"]);
    expect(first.lookAt).toBe(NOW + 1_000);
    expect(soon.granted).toEqual([]);
    expect(soon.lookAt).toBeUndefined(); // it is arranged already
    expect(then.granted.map(({ id }) => id)).toEqual(["c"]);
  });

  it("wait for a run's time, and say when to look again", () => {
    const state = queueOf([run("late", { dueAt: NOW + 500 }), run("now")]);

    const first = grantPlaces(state, NOW);
    const then = grantPlaces({ ...first.state, servers: aliveAt(NOW + 500) }, NOW + 500);

    expect(first.granted.map(({ id }) => id)).toEqual(["now"]);
    expect(first.lookAt).toBe(NOW + 500);
    expect(then.granted.map(({ id }) => id)).toEqual(["late"]);
  });

  it("are free again when a run ends or only waits", () => {
    const first = grantPlaces(queueOf([run("a"), run("b")], { concurrency: 1 }), NOW);

    expect(granted(first.state)).toEqual([]);
    expect(granted(leave(first.state, "a"))).toEqual(["b"]);
  });
});

describe("a queue", () => {
  it("refuses a run that is one too many, but not one that is there", () => {
    const state = queueOf([run("a"), run("b")], { maxDepth: 2 });

    expect(putInto(state, run("c"))).toBeUndefined();
    expect(putInto(state, run("a"))).toBe(state);
    expect(putInto(queueOf([run("a")], { maxDepth: 2 }), run("c"))?.waiting).toHaveLength(2);
  });

  it("keeps a run's turn when it asks for its place", () => {
    const put = putInto(queueOf([]), run("first", { awakeable: undefined }));
    const both = put && putInto(put, run("second"));
    const asked = both && askFor(both, run("first"));

    expect(asked && granted({ ...asked, limits: { concurrency: 1 } })).toEqual(["first"]);
  });

  it("forgets a run that nobody has asked for in five minutes", () => {
    const state = queueOf([run("lost", { awakeable: undefined }), run("held")], { concurrency: 0 });

    const early = grantPlaces(state, NOW + 299_999).state.waiting;
    const late = grantPlaces(state, NOW + 300_000).state.waiting;

    expect(early.map(({ id }) => id)).toEqual(["lost", "held"]);
    expect(late.map(({ id }) => id)).toEqual(["held"]);
  });
});
