import { describe, expect, it } from "vitest";
import { readJsonc } from "../../../../src/orchestration/crew/project/jsonc.ts";
import { plain } from "./project-folder.ts";

const read = (text: string) => readJsonc({ file: "crew.jsonc", text });

describe("readJsonc", () => {
  it("reads JSON with comments and commas before closing brackets", () => {
    const value = read(
      '// a\n{ "a": [1, -2.5e1, true, null,], /* b\n */ "c": { "d": "e\\n\\u00e4 // no comment" }, }\n',
    );

    expect(plain(value)).toEqual({ a: [1, -25, true, null], c: { d: "e\nä // no comment" } });
  });

  it("gives each key and value its place, also behind a comment of several lines", () => {
    const value = read('{\n /* x\n y */ "a":\n  7 }');

    expect(value).toMatchObject({
      entries: [{ place: { line: 3, column: 7 }, value: { place: { line: 4, column: 3 } } }],
    });
  });

  it('reads { "python": "…" } as a reference to Python', () => {
    expect(
      plain(read('{ "a": { "python": "my.thing" }, "b": { "python": "x", "y": 1 } }')),
    ).toEqual({
      a: { python: "my.thing" },
      b: { python: "x", y: 1 },
    });
  });

  it.each([
    ["an empty file", "", "crew/invalid", /^crew\.jsonc:1:1: the file is empty/],
    ["comments alone", "// a\n/* b */", "crew/invalid", /the file is empty/],
    [
      "a missing bracket",
      '{ "a": [1, 2 }',
      "crew/invalid",
      /^crew\.jsonc:1:14: .* expected "," or "\]", got "}"/,
    ],
    [
      "a missing comma",
      '{ "a": 1\n  "b": 2 }',
      "crew/invalid",
      /^crew\.jsonc:2:3: .* expected "," or "}"/,
    ],
    [
      "a key without quotes",
      "{ a: 1 }",
      "crew/invalid",
      /^crew\.jsonc:1:3: .* expected a key in quotes/,
    ],
    [
      "a line break in a text",
      '{ "a": "x\ny" }',
      "crew/invalid",
      /^crew\.jsonc:1:8: .* expected a value/,
    ],
    ["a comment that never ends", "{ /* ", "crew/invalid", /^crew\.jsonc:1:3: /],
    [
      "something behind the end",
      "{} {}",
      "crew/invalid",
      /^crew\.jsonc:1:4: .* expected the end of the file/,
    ],
    ["a wrong escape", '{ "a": "\\x" }', "crew/invalid", /a wrong escape/],
    [
      "a key that stands twice",
      '{ "a": 1,\n "a": 2 }',
      "crew/duplicate-name",
      /^crew\.jsonc:2:2: the key "a" stands here a second time/,
    ],
    ["a file that is too deep", "[".repeat(100_000), "crew/invalid", /more than 32 levels deep/],
  ])("refuses %s with its place", (_what, text, code, message) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  it("reads a megabyte of blanks, comments and text", () => {
    const long = "x".repeat(400_000);

    expect(
      plain(read(`${" ".repeat(300_000)}${"// c\n".repeat(50_000)}{ "a": "${long}" }`)),
    ).toEqual({ a: long });
  });
});
