import { describe, expect, it } from "vitest";
import { createScreen } from "../../src/cli/screen.ts";
import { createFakeOutput } from "./fake-terminal.ts";
import { createVirtualTerminal } from "./virtual-terminal.ts";

describe("createScreen", () => {
  it("draws a block over the one before, longer or shorter", () => {
    const { screen, seen } = setUp();

    screen.draw(["a1", "b1", "c1"]);
    screen.draw(["a2", "b2"]);
    const shorter = seen();
    screen.draw(["a3", "b3", "c3"]);

    expect(shorter.lines).toEqual(["a2", "b2", ""]);
    expect(seen().lines).toEqual(["a3", "b3", "c3", ""]);
    expect(seen().cursor).toEqual({ row: 3, column: 0 });
  });

  it("prints above the block", () => {
    const { screen, seen } = setUp();

    screen.draw(["block"]);
    screen.print(["one", "漢字".repeat(10)]);
    screen.draw(["block 2"]);

    expect(seen().lines).toEqual([
      "one",
      "漢字漢字漢字漢字漢字",
      "漢字漢字漢字漢字漢字",
      "block 2",
      "",
    ]);
  });

  it("leaves nothing behind when it is cleared, and the cursor where it began", () => {
    const { screen, seen } = setUp();

    screen.draw(["a", "b"]);
    screen.clear();
    screen.clear();

    expect(seen()).toMatchObject({ lines: [""], cursor: { row: 0, column: 0 } });
  });

  it("does not write a frame like the last one, and never hides the cursor", () => {
    const { screen, output } = setUp();

    screen.draw(["a"]);
    screen.draw(["a"]);

    expect(output.writes).toHaveLength(1);
    expect(output.text).not.toContain("?25");
  });

  it("writes each frame at once", () => {
    const { screen, output } = setUp();

    screen.draw(["a", "b", "c"]);

    expect(output.writes).toHaveLength(1);
  });

  it("counts the rows of a block that a narrower terminal has wrapped", () => {
    let columns = 20;
    const output = { ...createFakeOutput({ isTerminal: true }), columns: () => columns };
    const screen = createScreen(output);
    screen.draw(["x".repeat(19), "y"]);
    columns = 10;

    screen.draw(["z"]);

    expect(output.writes[1]).toContain("\u001b[3A");
  });
});

function setUp() {
  const output = createFakeOutput({ isTerminal: true, columns: 20 });
  const screen = createScreen(output);
  const seen = () => {
    const terminal = createVirtualTerminal(20);
    terminal.write(output.text);
    return terminal;
  };
  return { output, screen, seen };
}
