import { describe, expect, it } from "vitest";
import { readLenientJson } from "../../../src/orchestration/tool/lenient-json.ts";

describe("readLenientJson", () => {
  it.each([
    ['{"a":1,"b":[true,null,"x"]}', { a: 1, b: [true, null, "x"] }],
    ['"text"', "text"],
    ["  [1, -2.5e3]  ", [1, -2500]],
    ['{"a":1,}', { a: 1 }],
    ["[1,2,]", [1, 2]],
    ['{"a":[{"b":1,},],}', { a: [{ b: 1 }] }],
    ["{'a': 'it\\'s \"so\"'}", { a: 'it\'s "so"' }],
    ["{'ok': True, 'not': False, 'nothing': None}", { ok: true, not: false, nothing: null }],
    ['{query: "x", max_results: 3}', { query: "x", max_results: 3 }],
    ['{"text":"two\nlines\tand a tab",}', { text: "two\nlines\tand a tab" }],
    ['{"path":"C:\\\\x","unicode":"\\u00e9",}', { path: "C:\\x", unicode: "é" }],
    ["{}", {}],
  ])("reads %j", (text, expected) => {
    const read = readLenientJson(text);

    expect(read).toEqual({ type: "value", value: expected });
  });

  it.each([
    ['{"a" 1}', 5, "':' after the key"],
    ['{"a":1 "b":2}', 7, "',' or '}'"],
    ["[1 2]", 3, "',' or ']'"],
    ['{"a":nothing}', 5, "a value"],
    ['{"a":NaN,}', 5, "a value"],
    ['{"a":012}', 5, "a value"],
    ['{"a":1e999,}', 5, "a value"],
    ['{"a":1} and more', 8, "the end of the text"],
    ['{"a":', 5, "a value"],
    ['{"a":"cut of', 12, 'the closing "'],
    ['{"a":"\\d"}', 5, "JSON's escapes"],
    ["", 0, "a value"],
    ["{'a': 'it''}", 10, "',' or '}'"],
    ["{,}", 1, "a key in double quotes"],
  ])("says where %j breaks", (text, position, expected) => {
    const read = readLenientJson(text);

    expect(read).toMatchObject({ type: "fault", position });
    expect(read.type === "fault" && read.expected).toContain(expected);
  });

  it.each([
    '{"__proto__":{"admin":true},"a":{"__proto__":1,"b":2}}',
    '{"__proto__":{"admin":true},"a":{"\\u005f_proto__":1,"b":2},}',
  ])("drops prototype keys at every level of %j", (text) => {
    const read = readLenientJson(text);

    expect(read).toEqual({ type: "value", value: { a: { b: 2 } } });
    const value = read.type === "value" ? Object(read.value) : undefined;
    expect(Object.keys(value)).toEqual(["a"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value.admin).toBeUndefined();
  });

  it("refuses values that are nested too deeply, whether they are JSON or almost JSON", () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);

    expect(readLenientJson(deep)).toMatchObject({
      type: "fault",
      expected: "at most 64 levels of lists and objects",
    });
    expect(readLenientJson("[".repeat(100_000))).toMatchObject({
      type: "fault",
      expected: "at most 64 levels of lists and objects",
    });
  });

  it("reads a megabyte of almost JSON in linear time", () => {
    const text = `{"a":"${"x\n".repeat(500_000)}",}`;

    const read = readLenientJson(text);

    expect(read.type).toBe("value");
  });
});
