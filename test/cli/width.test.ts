import { describe, expect, it } from "vitest";
import { cutTo, displayWidth, oneLine, padTo, printable } from "../../src/cli/width.ts";

describe("displayWidth", () => {
  it.each([
    ["", 0],
    ["abc", 3],
    ["漢字", 4],
    ["한글", 4],
    ["ﾊﾝ", 2],
    ["Ａ", 2],
    ["e\u0301", 1],
    ["🚢", 2],
    ["👩‍👩‍👧", 2],
    ["🇩🇪", 2],
    ["❤️", 2],
    ["●✓–…", 4],
    ["\u200b", 0],
  ])("of %j is %i", (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe("cutTo", () => {
  it.each([
    ["abc", 3, "abc"],
    ["abcd", 3, "ab…"],
    ["漢字漢字", 5, "漢字…"],
    ["漢字漢字", 4, "漢…"],
    ["abc", 1, "…"],
    ["abc", 0, ""],
    ["👩‍👩‍👧👩‍👩‍👧", 3, "👩‍👩‍👧…"],
  ])("cuts %j to %i columns", (text, columns, cut) => {
    expect(cutTo(text, columns)).toBe(cut);
    expect(displayWidth(cut)).toBeLessThanOrEqual(columns);
  });
});

describe("padTo", () => {
  it("fills to the left or the right, and cuts what is too long", () => {
    expect(padTo("漢", 4)).toBe("漢  ");
    expect(padTo("7", 3, "right")).toBe("  7");
    expect(padTo("漢字", 3)).toBe("漢…");
  });
});

describe("printable", () => {
  it.each([
    ["a colour", "\u001b[31mred\u001b[0m", "red"],
    ["a move of the cursor", "a\u001b[2Ab", "ab"],
    ["a title", "a\u001b]0;evil\u0007b", "ab"],
    ["a carriage return, which would overwrite the line", "good\rbad", "goodbad"],
    ["C1 controls and DEL", "a\u009b\u007fb", "ab"],
    ["marks that turn the direction", "a\u202eb", "ab"],
  ])("takes out %s", (_what, text, clean) => {
    expect(printable(text)).toBe(clean);
  });

  it("keeps lines and tabs; oneLine makes one line of them", () => {
    expect(printable("a\n\tb")).toBe("a\n\tb");
    expect(oneLine(" a\n\t b ")).toBe("a b");
  });
});
