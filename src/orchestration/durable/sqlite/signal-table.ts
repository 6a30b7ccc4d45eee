// What runs are told from outside, kept until they are removed: a wait finds what came before it.

import type { Sqlite } from "../../../sqlite.ts";
import { type Cells, textIn } from "./cell.ts";

/** One that was given. */
export type SignalRow = {
  readonly id: number;
  readonly runId: string;
  readonly name: string;
  readonly value: string;
};

export interface SignalTable {
  /** False when this name has been given already. */
  insert(run: number, signal: Pick<SignalRow, "name" | "value"> & { readonly at: number }): boolean;
  of(run: number): readonly SignalRow[];
  /** Of all runs, after the one with this id, oldest first; a bounded number. */
  after(id: number): readonly SignalRow[];
  lastId(): number;
}

const COLUMNS =
  "SELECT signals.id AS id, run_id, name, value FROM signals JOIN runs ON runs.id = signals.run";

export function createSignalTable({ database }: Sqlite): SignalTable {
  const insert = database.prepare(
    "INSERT INTO signals (run, name, value, at) VALUES (?, ?, ?, ?) ON CONFLICT (run, name) DO NOTHING",
  );
  const of = database.prepare(`${COLUMNS} WHERE signals.run = ?`);
  const after = database.prepare(`${COLUMNS} WHERE signals.id > ? ORDER BY signals.id LIMIT 1000`);
  const last = database.prepare("SELECT max(id) AS id FROM signals");
  return {
    insert: (run, { name, value, at }) => insert.run(run, name, value, at).changes > 0,
    of: (run) => of.all(run).map(toRow),
    after: (id) => after.all(id).map(toRow),
    lastId: () => Number(last.get()?.["id"] ?? 0),
  };
}

function toRow(row: Cells): SignalRow {
  return {
    id: Number(row["id"]),
    runId: textIn(row, "run_id") ?? "",
    name: textIn(row, "name") ?? "",
    value: textIn(row, "value") ?? "null",
  };
}
