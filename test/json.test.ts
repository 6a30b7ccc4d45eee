import { describe, expect, it } from "vitest";
import { isJson, isObject, notJsonIn, parseJson } from "../src/json.ts";

describe("parseJson", () => {
  it("gives what the text says, and undefined for what is no JSON", () => {
    expect(['{"a":[1]}', "null", '"x"', "1e3"].map(parseJson)).toEqual([
      { a: [1] },
      null,
      "x",
      1_000,
    ]);
    expect(["", "{", "undefined", "{'a':1}", "NaN"].map(parseJson)).toEqual(
      Array(5).fill(undefined),
    );
  });

  it("lets no key of a text change an object's prototype", () => {
    const value = parseJson('{"__proto__":{"polluted":true}}');

    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(isObject(value) && Object.hasOwn(value, "__proto__")).toBe(true);
  });
});

describe("isObject", () => {
  it("is true for plain objects only", () => {
    expect([{}, Object.create(null), { a: 1 }].map(isObject)).toEqual([true, true, true]);
    expect([null, [], "x", 1, undefined, () => 1].map(isObject)).toEqual(Array(6).fill(false));
  });
});

/** Lists in each other, `depth` of them. */
function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

function cycle(): unknown {
  const value: Record<string, unknown> = { list: [1] };
  value["again"] = { back: value };
  return value;
}

class Own {
  readonly n = 1;
}

describe("what is no JSON", () => {
  it.each([
    [{ list: [1, null, { when: new Date(0) }] }, "list[2].when is a Date"],
    [{ n: 1n }, "n is a bigint"],
    [{ a: { "two words": Symbol("s") } }, 'a["two words"] is a symbol'],
    [[1, undefined], "[1] is undefined"],
    [{ n: NaN, m: 1 }, "n is NaN"],
    [{ ok: undefined, own: new Own() }, "own is an Own"],
    [{ map: new Map() }, "map is a Map"],
    [cycle(), "again.back is a cycle"],
    [() => 1, "it is a function"],
    [new Set(), "it is a Set"],
    [Object.create({}), "it is an Object"],
    [nested(102), `${"[0]".repeat(66)}[0 is deeper than 100 levels`],
  ])("is said with its place and its kind: %#", (value, says) => {
    expect(isJson(value)).toBe(false);
    expect(notJsonIn(value)).toBe(says);
  });

  it("is not what stands in two places and in no cycle", () => {
    const shared = { a: 1 };

    expect(isJson([shared, shared])).toBe(true);
    expect(notJsonIn([shared, shared, 1n])).toBe("[2] is a bigint");
  });
});
