import { describe, expect, it } from "vitest";
import { fillPlaceholders, placeholdersOf } from "../../../src/orchestration/crew/input.ts";

describe("placeholdersOf", () => {
  it("finds each name once, in the order of the text", () => {
    expect(placeholdersOf("{b} and { a } and {b}, {with-dash}, {under_score}, {x2}")).toEqual([
      "b",
      "a",
      "with-dash",
      "under_score",
      "x2",
    ]);
  });

  it("takes JSON, code and empty braces for what they are", () => {
    const texts = ['{"a": 1}', "{}", "{ }", "{1}", "{a: b}", "{a, b}", "{a.b}", "{a b}", "${"];
    expect(texts.map(placeholdersOf)).toEqual(texts.map(() => []));
  });

  it("finds one inside of JSON", () => {
    expect(placeholdersOf('{"topic": {topic}}')).toEqual(["topic"]);
  });

  it("ends on a long text of braces in little time", () => {
    const began = process.hrtime.bigint();
    placeholdersOf("{".repeat(200_000));
    placeholdersOf(`{${" ".repeat(20_000)}`.repeat(5));
    expect(Number(process.hrtime.bigint() - began) / 1e6).toBeLessThan(2_000);
  });
});

describe("fillPlaceholders", () => {
  it("fills texts, numbers, truth values and JSON", () => {
    const inputs = { a: "x", b: 0, c: false, d: { e: [1] }, f: [] };

    expect(fillPlaceholders("{a} {b} {c} {d} {f} {a}", inputs, "here")).toBe(
      'x 0 false {"e":[1]} [] x',
    );
  });

  it("does not fill what an input brings, nor read its dollar signs", () => {
    expect(fillPlaceholders("{a}", { a: "{b} $& $1", b: "no" }, "here")).toBe("{b} $& $1");
  });
});
