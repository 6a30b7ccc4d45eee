// The rows of steps, and of what else comes to a body: one for each key of a run.

import type { Sqlite } from "../../../sqlite.ts";
import { type Cells, numberIn, textIn } from "./cell.ts";
import type { Stored } from "./value.ts";

/** A row. `seq` = its place in the journal once it is kept; `ok` is undefined until then. */
export type StepRow = {
  readonly key: string;
  readonly seq: number | undefined;
  readonly begun: number;
  readonly ok: boolean | undefined;
  readonly at: number;
  readonly ms: number | undefined;
  readonly value: Stored;
};

/** What a step came to. */
export type Kept = Pick<StepRow, "key" | "begun" | "at" | "value"> & {
  readonly seq: number;
  readonly ok: boolean;
  readonly ms: number;
};

export interface StepTable {
  /** Notes that something has been begun. What is kept already stays. */
  begin(run: number, row: Pick<StepRow, "key" | "begun" | "at" | "value">): void;
  keep(run: number, row: Kept): void;
  of(run: number): readonly StepRow[];
  /** Whether a wait has an outcome, or its time is over and nobody was there to see it. */
  isOver(run: number, key: string, now: number): boolean;
  copy(from: number, to: number, keys: readonly string[]): void;
}

export function createStepTable({ database }: Sqlite): StepTable {
  const begin = database.prepare(
    `INSERT INTO steps (run, key, begun, at, value) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (run, key) DO UPDATE SET begun = excluded.begun, at = excluded.at WHERE ok IS NULL`,
  );
  const keep = database.prepare(
    `INSERT INTO steps (run, key, seq, begun, ok, at, ms, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (run, key) DO UPDATE SET seq = excluded.seq, begun = excluded.begun, ok = excluded.ok,
       at = excluded.at, ms = excluded.ms, value = excluded.value`,
  );
  const all = database.prepare("SELECT * FROM steps WHERE run = ? ORDER BY seq IS NULL, seq");
  const over = database.prepare(
    "SELECT 1 FROM steps WHERE run = ? AND key = ? AND (ok IS NOT NULL OR CAST(value AS REAL) <= ?)",
  );
  const copy = database.prepare(
    "INSERT INTO steps (run, key, seq, begun, ok, at, ms, value) SELECT ?, key, seq, begun, ok, at, ms, value FROM steps WHERE run = ? AND key = ?",
  );
  const copyBlobs = database.prepare(
    "INSERT INTO blobs (run, name) SELECT ?, substr(value, 6) FROM steps WHERE run = ? AND value LIKE 'blob:%'",
  );
  return {
    begin: (run, { key, begun: count, at, value }) => void begin.run(run, key, count, at, value),
    keep: (run, { key, seq, begun: count, ok, at, ms, value }) =>
      void keep.run(run, key, seq, count, Number(ok), at, ms, value),
    isOver: (run, key, now) => over.get(run, key, now) !== undefined,
    of: (run) => all.all(run).map(toRow),
    copy(from, to, keys) {
      for (const key of keys) copy.run(to, from, key);
      copyBlobs.run(to, to);
    },
  };
}

function toRow(row: Cells): StepRow {
  const ok = numberIn(row, "ok");
  return {
    key: textIn(row, "key") ?? "",
    seq: numberIn(row, "seq"),
    begun: Number(row["begun"]),
    ok: ok === undefined ? undefined : ok === 1,
    at: Number(row["at"]),
    ms: numberIn(row, "ms"),
    value: textIn(row, "value") ?? null,
  };
}
