// A terminal of a given size, as far as the screen of the command line uses one: text with wrapping, CR, LF, cursor up, erase.

import { displayWidth } from "../../src/cli/width.ts";

export type VirtualTerminal = {
  /** Where the cursor is: row from the first line ever written, column. */
  readonly cursor: { readonly row: number; readonly column: number };
  /** All lines, those that were scrolled away too, without spaces at their ends. */
  readonly lines: readonly string[];
  write(text: string): void;
};

/** A control sequence, or one character. */
// oxlint-disable-next-line no-control-regex -- control characters are what a terminal reads
const PARTS = /\x1b\[[\d;?]*[A-Za-z]|[\s\S]/gu;

/** An empty terminal; it has as many rows as are written. */
export function createVirtualTerminal(columns: number): VirtualTerminal {
  const rows: string[][] = [[]];
  let row = 0;
  let column = 0;
  const rowAt = (at: number): string[] => (rows[at] ??= []);
  const put = (character: string): void => {
    const width = displayWidth(character);
    if (column + width > columns) [row, column] = [row + 1, 0];
    const line = rowAt(row);
    while (line.length < column) line.push(" ");
    line.splice(column, width, character, ...Array<string>(Math.max(0, width - 1)).fill(""));
    column += width;
  };
  const control = (sequence: string): void => {
    const final = sequence.at(-1);
    const parameter = sequence.slice(2, -1);
    if (final === "A") row = Math.max(0, row - Number(parameter || 1));
    else if (final === "K") rowAt(row).splice(column);
    else if (final === "J") {
      rowAt(row).splice(column);
      rows.splice(row + 1);
    } else if (final !== "m" && final !== "h" && final !== "l")
      throw new Error(`the virtual terminal does not know ${JSON.stringify(sequence)}`);
  };
  return {
    get cursor() {
      return { row, column };
    },
    get lines() {
      return rows.map((line) => line.join("").trimEnd());
    },
    write(text) {
      for (const [part] of text.matchAll(PARTS)) {
        if (part === "\r") column = 0;
        else if (part === "\n") {
          [row, column] = [row + 1, 0];
          rowAt(row);
        } else if (part.startsWith("\x1b[")) control(part);
        else put(part);
      }
    },
  };
}
