import { describe, expect, it } from "vitest";
import type { BosunError } from "../../../src/error.ts";
import { toJsonResult } from "../../../src/orchestration/tool/result.ts";

function refusal(value: unknown): string {
  try {
    toJsonResult(value);
  } catch (error) {
    expect(error).toMatchObject({ name: "BosunError", code: "tool/failed" });
    return (error as BosunError).message;
  }
  return expect.unreachable("the value was taken");
}

describe("toJsonResult", () => {
  it.each([
    [undefined, null],
    [null, null],
    ["text", "text"],
    [{ a: undefined, b: [undefined, 1] }, { b: [null, 1] }],
    [
      [Number.NaN, Number.POSITIVE_INFINITY, -0],
      [null, null, -0],
    ],
    [new Date(0), "1970-01-01T00:00:00.000Z"],
    [new URL("http://host/x"), "http://host/x"],
    [{ toJSON: () => ({ kept: true }) }, { kept: true }],
  ])("takes %s", (value, expected) => {
    expect(toJsonResult(value)).toEqual(expected);
  });

  it("takes the fields of an object of a class", () => {
    class Point {
      readonly x: number = 1;
    }

    expect(toJsonResult(new Point())).toEqual({ x: 1 });
  });

  it("takes an object that stands in two places, which is no cycle", () => {
    const shared = { a: 1 };

    expect(toJsonResult([shared, shared])).toEqual([{ a: 1 }, { a: 1 }]);
  });

  it("copies, so that a tool cannot change a result that is kept", () => {
    const mine = { list: [1] };

    const result = toJsonResult(mine);
    mine.list.push(2);

    expect(result).toEqual({ list: [1] });
  });

  it("keeps a key named __proto__ a mere key", () => {
    const result = toJsonResult(JSON.parse('{"__proto__":{"admin":true}}'));

    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(JSON.stringify(result)).toBe('{"__proto__":{"admin":true}}');
  });

  it.each([
    [{ rows: [{ id: 1n }] }, "result/rows/0/id is a BigInt"],
    [() => 1, "it is a function"],
    [{ a: Symbol("x") }, "result/a is a symbol"],
    [new Map([["a", 1]]), "it is a Map"],
    [[new Set()], "result/0 is a Set"],
    [{ user: Promise.resolve(1) }, "result/user is a promise. Await it"],
    [new Error("x"), "it is an Error"],
    [{ image: Buffer.from("x") }, "result/image is binary data"],
    [new Array(2_000_000), "more than 1000000 values"],
  ])("refuses %s and says where and what to do", (value, expected) => {
    expect(refusal(value)).toContain(expected);
  });

  it("refuses cycles and endless nesting instead of overflowing the stack", () => {
    const cycle: { self?: unknown } = {};
    cycle.self = { inner: [cycle] };
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    const endless = { toJSON: (): unknown => ({ ...endless }) };

    expect(refusal(cycle)).toContain("result/self/inner/0 is an object that contains itself");
    expect(refusal(deep)).toContain("more than 200 levels");
    expect(refusal(endless)).toContain("more than 200 levels");
  });
});
