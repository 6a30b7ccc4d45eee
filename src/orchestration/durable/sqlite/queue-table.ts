// The limits of queues, for every process that serves them.

import type { Sqlite } from "../../../sqlite.ts";
import type { QueueLimits } from "../engine.ts";
import { textIn } from "./cell.ts";

export interface QueueTable {
  set(name: string, limits: QueueLimits): void;
  /** No limits for a queue that has none. */
  of(name: string): QueueLimits;
}

export function createQueueTable({ database }: Sqlite): QueueTable {
  const set = database.prepare(
    "INSERT INTO queues (name, limits) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET limits = excluded.limits",
  );
  const find = database.prepare("SELECT limits FROM queues WHERE name = ?");
  return {
    set: (name, limits) => void set.run(name, JSON.stringify(limits)),
    of(name) {
      const row = find.get(name);
      return row === undefined ? {} : (JSON.parse(textIn(row, "limits") ?? "{}") as QueueLimits); // `as`: `set` wrote it
    },
  };
}
