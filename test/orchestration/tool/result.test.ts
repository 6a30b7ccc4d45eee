import { describe, expect, it } from "vitest";
import { toJsonResult } from "../../../src/orchestration/tool/result.ts";
import { failureOf } from "./failure.ts";

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
    [Object.assign([], { length: 2_000_000 }), "more than 1000000 values"],
  ])("refuses %s and says where and what to do", async (value, expected) => {
    const failure = await failureOf(() => toJsonResult(value));

    expect(failure.code).toBe("tool/failed");
    expect(failure.message).toContain(expected);
  });

  it("refuses cycles and endless nesting instead of overflowing the stack", async () => {
    const cycle: { self?: unknown } = {};
    cycle.self = { inner: [cycle] };
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    const endless = { toJSON: (): unknown => ({ ...endless }) };

    expect((await failureOf(() => toJsonResult(cycle))).message).toContain(
      "result/self/inner/0 is an object that contains itself",
    );
    expect((await failureOf(() => toJsonResult(deep))).message).toContain("more than 200 levels");
    expect((await failureOf(() => toJsonResult(endless))).message).toContain(
      "more than 200 levels",
    );
  });
});
