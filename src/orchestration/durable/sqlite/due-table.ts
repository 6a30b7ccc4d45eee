// What the journal's file says of the queues: what waits, what runs, what began lately.

import type { Sqlite } from "../../../sqlite.ts";
import { type Cells, numberIn, textIn } from "./cell.ts";

/** A run that waits for a process. */
export type DueRun = {
  readonly id: number;
  readonly runId: string;
  readonly flow: string;
  readonly version: string;
  readonly queue: string;
  readonly priority: number;
  readonly tenant: string | undefined;
  readonly begunAt: number | undefined;
};

/** Whose runs cannot begin: queues, and JSON texts of [queue, tenant] and of [flow, version]. */
export type Full = {
  readonly queues: Set<string>;
  readonly tenants: Set<string>;
  readonly flows: Set<string>;
};

export type DueQuery = {
  readonly now: number;
  /** Default: all. */
  readonly queues: readonly string[] | undefined;
  /** Owners whose runs are theirs. */
  readonly alive: readonly number[];
  /** The last one that was read. */
  readonly after: DueRun | undefined;
  readonly full: Full;
  readonly limit: number;
};

export interface DueTable {
  /** Runs whose time has come, in the order of their priority, then of their coming. */
  next(query: DueQuery): readonly DueRun[];
  /** How many of each queue and tenant these owners execute that do not wait. */
  busy(alive: readonly number[]): readonly {
    readonly queue: string;
    readonly tenant: string | undefined;
    readonly count: number;
  }[];
  /** How many of the queue began after `since`. */
  begunSince(queue: string, since: number): number;
  /** How many of the queue wait to be begun. */
  depth(queue: string): number;
  /** When the next delayed run is due; undefined when there is none. */
  nextAt(now: number): number | undefined;
}

export function createDueTable({ database }: Sqlite): DueTable {
  const next = database.prepare(
    `SELECT id, run_id, flow, version, queue, priority, tenant, begun_at FROM runs
     WHERE ended_at IS NULL AND queue IS NOT NULL AND (priority, id) > (?1, ?2) AND due_at <= ?3
     AND (?4 IS NULL OR queue ${within(4)}) AND (owner IS NULL OR owner NOT ${within(5)})
     AND queue NOT ${within(6)} AND json_array(queue, tenant) NOT ${within(7)} AND json_array(flow, version) NOT ${within(8)}
     ORDER BY priority, id LIMIT ?9`,
  );
  const busy = database.prepare(
    `SELECT queue, tenant, count(*) AS n FROM runs
     WHERE phase = 'running' AND queue IS NOT NULL AND owner ${within(1)} GROUP BY queue, tenant`,
  );
  const begunSince = database.prepare(
    "SELECT count(*) AS n FROM runs WHERE queue = ? AND begun_at > ?",
  );
  const depth = database.prepare(
    "SELECT count(*) AS n FROM runs WHERE queue = ? AND phase = 'queued'",
  );
  const nextAt = database.prepare(
    "SELECT min(due_at) AS at FROM runs WHERE ended_at IS NULL AND queue IS NOT NULL AND due_at > ?",
  );
  return {
    next: ({ now, queues, alive, after, full, limit }) =>
      next
        .all(
          after?.priority ?? -Infinity,
          after?.id ?? 0,
          now,
          queues ? JSON.stringify(queues) : null,
          JSON.stringify(alive),
          listOf(full.queues),
          listOf(full.tenants),
          listOf(full.flows),
          limit,
        )
        .map(toDueRun),
    busy: (alive) =>
      busy.all(JSON.stringify(alive)).map((row) => ({
        queue: textIn(row, "queue") ?? "",
        tenant: textIn(row, "tenant"),
        count: Number(row["n"]),
      })),
    begunSince: (queue, since) => Number(begunSince.get(queue, since)?.["n"]),
    depth: (queue) => Number(depth.get(queue)?.["n"]),
    nextAt: (now) => numberIn(nextAt.get(now) ?? {}, "at"),
  };
}

function toDueRun(row: Cells): DueRun {
  return {
    id: Number(row["id"]),
    runId: textIn(row, "run_id") ?? "",
    flow: textIn(row, "flow") ?? "",
    version: textIn(row, "version") ?? "",
    queue: textIn(row, "queue") ?? "",
    priority: Number(row["priority"]),
    tenant: textIn(row, "tenant"),
    begunAt: numberIn(row, "begun_at"),
  };
}

/** Within the list that is given as the n-th value. */
const within = (n: number): string => `IN (SELECT value FROM json_each(?${n}))`;

const listOf = (all: Iterable<string>): string => JSON.stringify([...all]);
