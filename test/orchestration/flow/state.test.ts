import { describe, expect, it } from "vitest";
import type { BosunError } from "../../../src/error.ts";
import type { Json, JsonObject } from "../../../src/json.ts";
import { createDraft, withChanges } from "../../../src/orchestration/flow/state.ts";

type Writable = Record<string, Json | undefined>;

/** A list in lists, so many times. */
function nested(depth: number): Json {
  return depth === 0 ? [] : [nested(depth - 1)];
}

function draftOf(base: JsonObject): { draft: ReturnType<typeof createDraft>; state: Writable } {
  const draft = createDraft(base);
  return { draft, state: draft.read() };
}

function refusalOf(value: unknown): string {
  const { draft, state } = draftOf({});
  state["field"] = value as Json; // `as`: what a handler may not do
  try {
    draft.changes("here");
  } catch (error) {
    return (error as BosunError).code; // `as`: nothing else is thrown
  }
  return "none";
}

describe("a draft of a flow's state", () => {
  it("has no changes when nobody has looked at it, or has written what was there", () => {
    const { draft, state } = draftOf({ list: [1, { a: null }], none: undefined });

    state["list"] = [1, { a: null }];

    expect(createDraft({ a: 1 }).changes("here")).toEqual({ set: {}, removed: [] });
    expect(draft.changes("here")).toEqual({ set: {}, removed: [] });
  });

  it("has the fields that were set and the ones that were removed", () => {
    const { draft, state } = draftOf({ same: 1, other: [1], gone: 1, unset: 1 });

    (state["other"] as number[]).push(2); // `as`: its draft is the handler's
    delete state["gone"];
    state["unset"] = undefined;
    const changes = draft.changes("here");

    expect(changes).toEqual({ set: { other: [1, 2] }, removed: ["gone", "unset"] });
    expect(withChanges({ same: 1, other: [1], gone: 1, unset: 1 }, changes)).toEqual({
      same: 1,
      other: [1, 2],
    });
  });

  it("shares nothing with the state, and its changes nothing with it", () => {
    const base = { list: [1] };
    const { draft, state } = draftOf(base);
    const list = state["list"] as number[]; // `as`: its draft is the handler's

    list.push(2);
    const changes = draft.changes("here");
    list.push(3);

    expect(base).toEqual({ list: [1] });
    expect(changes.set).toEqual({ list: [1, 2] });
  });

  it("has two values where the state has one object under two names, as after a restart", () => {
    const one = { n: 1 };
    const { draft, state } = draftOf({ a: one, b: one });

    (state["a"] as { n: number }).n = 2; // `as`: its draft is the handler's

    expect(draft.changes("here").set).toEqual({ a: { n: 2 } });
  });

  it("keeps a field called __proto__, at every depth", () => {
    const base = JSON.parse('{"__proto__":{"__proto__":{"a":1}},"b":1}') as JsonObject; // `as`: the text above
    const { draft, state } = draftOf(base);

    expect(JSON.stringify(state)).toBe(JSON.stringify(base));
    expect(draft.changes("here")).toEqual({ set: {}, removed: [] });
  });

  it("refuses what JSON cannot carry, and what is too deep", () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);

    for (const value of [new Date(0), new Map(), () => 1, NaN, 1n, cyclic, nested(100)])
      expect(refusalOf(value)).toBe("flow/state");
    expect(refusalOf(nested(99))).toBe("none");
    const { draft, state } = draftOf({});
    Object.setPrototypeOf(state, Map.prototype);
    expect(() => draft.changes("here")).toThrow("must be an object of JSON values");
  });
});
