// The cells of a row as node:sqlite gives them: null, numbers, texts.

/** A row. */
export type Cells = Readonly<Record<string, unknown>>;

/** Undefined for null. */
export function textIn(row: Cells, column: string): string | undefined {
  const value = row[column];
  return typeof value === "string" ? value : undefined;
}

/** Undefined for null. */
export function numberIn(row: Cells, column: string): number | undefined {
  const value = row[column];
  return typeof value === "number" ? value : undefined;
}
