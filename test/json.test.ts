import { describe, expect, it } from "vitest";
import { isObject, parseJson } from "../src/json.ts";

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
