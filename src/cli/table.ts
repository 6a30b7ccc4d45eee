// Tables of text: columns as wide as their content, numbers to the right, cut where the terminal is narrow. Pure.

import { type Paint, plain, type Style } from "./paint.ts";
import { cutTo, displayWidth, oneLine, padTo } from "./width.ts";

/** One column. `flexible` columns give way first when the table is too wide. */
export type Column = {
  readonly title: string;
  readonly align?: "left" | "right" | undefined;
  /** Never narrower than this, so that a table that is drawn again and again stands still. Default 0. */
  readonly least?: number | undefined;
  readonly flexible?: boolean | undefined;
  /** A column that a table can do without: where there is no room the lowest number goes first. */
  readonly dropped?: number | undefined;
};

/** One cell; a plain text has no style. */
export type Cell = string | { readonly text: string; readonly style: Style };

export type TableOptions = {
  /** Columns of the terminal. Default: no bound. */
  readonly columns?: number | undefined;
  readonly paint?: Paint | undefined;
};

/** A flexible column is never made narrower than this. */
const LEAST_COLUMNS = 6;
const GAP = "  ";

/** The lines of a table, its titles first. Without rows there are no lines. */
export function tableLines(
  allColumns: readonly Column[],
  allRows: readonly (readonly Cell[])[],
  options: TableOptions = {},
): readonly string[] {
  if (allRows.length === 0) return [];
  const { columns: most = Infinity, paint = plain } = options;
  const kept = keptColumns(allColumns, contentWidths(allColumns, allRows), most);
  const columns = allColumns.filter((_, index) => kept.has(index));
  const rows = allRows.map((row) => row.filter((_, index) => kept.has(index)));
  const widths = fitWidths(columns, contentWidths(columns, rows), most);
  const isTooWide = totalOf(widths) > most;
  const ink = isTooWide ? plain : paint; // a line that has to be cut must hold no colours
  const titles = columns.map(({ title }): Cell => ({ text: title, style: "dim" }));
  return [titles, ...rows].map((row) => {
    const cells = columns.map((column, index) => {
      const cell = row[index] ?? "";
      const text = padTo(oneLine(textOf(cell)), widths[index] ?? 0, column.align);
      return typeof cell === "string" ? text : ink(cell.style, text);
    });
    const line = cells.join(GAP).trimEnd();
    return isTooWide ? cutTo(line, most) : line;
  });
}

function contentWidths(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
): readonly number[] {
  return columns.map(({ title, least = 0 }, index) =>
    rows.reduce(
      (most, row) => Math.max(most, displayWidth(oneLine(textOf(row[index] ?? "")))),
      Math.max(least, displayWidth(title)),
    ),
  );
}

/** Flexible columns give way down to this before a column is dropped. */
const READABLE_COLUMNS = 16;

/** The indexes of the columns that there is room for. */
function keptColumns(
  columns: readonly Column[],
  content: readonly number[],
  most: number,
): ReadonlySet<number> {
  const kept = new Set(columns.keys());
  const isTooWide = (): boolean => {
    const widths = [...kept].map((index) => {
      const width = content[index] ?? 0;
      return columns[index]?.flexible ? Math.min(width, READABLE_COLUMNS) : width;
    });
    return totalOf(widths) > most;
  };
  const droppable = [...columns.entries()]
    .flatMap(([index, { dropped }]) => (dropped === undefined ? [] : [{ index, dropped }]))
    .toSorted((a, b) => a.dropped - b.dropped);
  for (const { index } of droppable) {
    if (!isTooWide()) break;
    kept.delete(index);
  }
  return kept;
}

/** Takes what is too much from the widest flexible column, again and again. */
function fitWidths(
  columns: readonly Column[],
  content: readonly number[],
  most: number,
): readonly number[] {
  const widths = [...content];
  for (let over = totalOf(widths) - most; over > 0; over--) {
    let widest = -1;
    for (const [index, column] of columns.entries()) {
      const width = widths[index] ?? 0;
      if (column.flexible && width > LEAST_COLUMNS && width > (widths[widest] ?? 0)) widest = index;
    }
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
}

function textOf(cell: Cell): string {
  return typeof cell === "string" ? cell : cell.text;
}
