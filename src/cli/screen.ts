// A block of lines at the end of the terminal that is drawn over and over, with other lines printed above it.
//
// The cursor is never hidden and rests below the block: a process that is killed leaves a sane terminal. A frame is one write, wrapped
// in the marks of synchronised output (ignored by terminals that do not know them), and a frame like the last one is not written.

import type { Output } from "./terminal.ts";
import { displayWidth } from "./width.ts";

export interface Screen {
  /** Replaces the block. Lines must be narrower than the terminal. */
  draw(lines: readonly string[]): void;
  /** Writes lines above the block. */
  print(lines: readonly string[]): void;
  /** Removes the block. */
  clear(): void;
}

/** A screen at the end of `output`, which is a terminal. */
export function createScreen(output: Output): Screen {
  let drawn: readonly string[] = [];
  const write = (above: readonly string[], lines: readonly string[]): void => {
    const up = rowsOf(drawn, output.columns());
    const back = up > 0 ? `\r${ESC}[${up}A` : "\r";
    const body = [...above, ...lines].map((line) => `${line}${ESC}[K\n`).join("");
    output.write(`${BEGIN}${back}${body}${ESC}[J${END}`);
    drawn = lines;
  };
  return {
    draw(lines) {
      if (lines.length !== drawn.length || lines.some((line, index) => line !== drawn[index]))
        write([], lines);
    },
    print: (lines) => write(lines, drawn),
    clear() {
      if (drawn.length > 0) write([], []);
    },
  };
}

const ESC = "\x1b";
const BEGIN = `${ESC}[?2026h`;
const END = `${ESC}[?2026l`;

/** Rows that lines take now: a terminal that was made narrower has wrapped them. */
function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
}

function widthOf(line: string): number {
  // oxlint-disable-next-line no-control-regex -- the colours are control characters
  return displayWidth(line.replace(/\x1b\[[0-9;]*m/g, ""));
}
