import { describe, expect, it } from "vitest";
import { matchOf } from "../../../../src/inference/local/extractive/pattern.ts";

describe("a text for a pattern", () => {
  it.each([
    "^[A-Z]{3}$",
    "^\\d{4}-\\d{2}-\\d{2}$",
    "^(?:a|b)+c?$",
    "^[^a0-9_ ]{2,}$",
    "^https?://\\S+$",
    "a|b",
    "^\\p{Lu}\\p{Ll}*$",
    "^(?<year>\\d{4})$",
    "^[\\w.+-]+@\\w+\\.\\w{2,}$",
    "^$",
    "\\bword\\b",
    "^\\$\\d+(\\.\\d\\d)?$",
  ])("matches %s", (pattern) => {
    expect(matchOf(pattern)).toMatch(new RegExp(pattern, "u"));
  });

  it("is as long as it must be where a repetition allows it", () => {
    expect(matchOf("^[a-z]+$", 30)).toHaveLength(30);
    expect(matchOf("^x{2,5}$", 4)).toHaveLength(4);
  });

  it.each(["^(?=a)b$", "(", "[", "a)", "^(a)\\1$", "*a", "^x{9999}$"])(
    "is undefined for %s",
    (pattern) => {
      expect(matchOf(pattern)).toBeUndefined();
    },
  );
});
