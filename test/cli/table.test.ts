import { describe, expect, it } from "vitest";
import { tableLines } from "../../src/cli/table.ts";
import { displayWidth } from "../../src/cli/width.ts";

const COLUMNS = [
  { title: "agent", flexible: true },
  { title: "in", align: "right" },
] as const;

describe("tableLines", () => {
  it("is as wide as its content, with numbers to the right", () => {
    const lines = tableLines(COLUMNS, [
      ["Analyst", "1,200"],
      ["漢字", "7"],
    ]);

    expect(lines).toEqual(["agent       in", "Analyst  1,200", "漢字         7"]);
  });

  it("has no lines without rows", () => {
    expect(tableLines(COLUMNS, [])).toEqual([]);
  });

  it("shortens its flexible column on a narrow terminal", () => {
    const lines = tableLines(COLUMNS, [["Senior research analyst", "1,200"]], { columns: 20 });

    expect(lines[1]).toBe("Senior resea…  1,200");
  });

  it.each([1, 5, 9, 14])("is never wider than %i columns", (columns) => {
    const lines = tableLines(COLUMNS, [["漢字漢字漢字", "1,234,567"]], { columns });

    expect(lines.every((line) => displayWidth(line) <= columns)).toBe(true);
  });

  it("drops the columns that it can do without, the lowest number first", () => {
    const columns = [
      { title: "name" },
      { title: "second", dropped: 2 },
      { title: "first", dropped: 1 },
    ];

    expect(tableLines(columns, [["a", "b", "c"]], { columns: 12 })).toEqual([
      "name  second",
      "a     b",
    ]);
    expect(tableLines(columns, [["a", "b", "c"]], { columns: 11 })).toEqual(["name", "a"]);
  });

  it("makes one line of a cell with several, and takes escapes out", () => {
    const lines = tableLines([{ title: "a" }], [["x\ny\u001b[2J"]]);

    expect(lines).toEqual(["a", "x y"]);
  });

  it("colours a cell after it was padded, so that colours do not count as columns", () => {
    const lines = tableLines(COLUMNS, [[{ text: "ok", style: "green" }, "1"]], {
      paint: (style, text) => (style === "green" ? `<${text}>` : text),
    });

    expect(lines[1]).toBe("<ok   >   1");
  });
});
