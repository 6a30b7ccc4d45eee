// The rows of runs: begun, taken, ended, found.

import type { Sqlite } from "../../../sqlite.ts";
import type { RunPhase } from "../engine.ts";
import { type Cells, numberIn, textIn } from "./cell.ts";
import type { Stored } from "./value.ts";

/** A run as its row has it. `phase` is what was written last: its process may be gone. */
export type RunRow = {
  readonly id: number;
  readonly runId: string;
  readonly flow: string;
  readonly version: string;
  readonly phase: RunPhase;
  readonly input: Stored;
  readonly output: Stored;
  readonly error: Stored;
  readonly queue: string | undefined;
  readonly priority: number;
  readonly tenant: string | undefined;
  readonly createdAt: number;
  readonly begunAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly fence: number;
  /** How long an execution of it may take, as it was started. */
  readonly timeoutMs: number | undefined;
  /** How often it was taken. The fence also counts how often it was given back. */
  readonly executions: number;
  /** The reason, when somebody asked for its end. */
  readonly cancelled: string | undefined;
  /** Of the process that has it. */
  readonly owner: { readonly name: string; readonly beatAt: number } | undefined;
};

/** What a new run's row says. */
export type NewRun = Pick<
  RunRow,
  | "runId"
  | "flow"
  | "version"
  | "input"
  | "queue"
  | "priority"
  | "tenant"
  | "createdAt"
  | "timeoutMs"
> & {
  readonly dueAt: number;
};

/** How a run ended. */
export type Ending = {
  readonly phase: "done" | "failed" | "cancelled";
  readonly output: Stored;
  readonly error: Stored;
  readonly endedAt: number;
};

export interface RunTable {
  /** The new row's id; undefined when there is a run of that id. */
  insert(run: NewRun): number | undefined;
  find(runId: string): RunRow | undefined;
  /** Gives the run to an owner, and returns the fence of its new execution. */
  take(id: number, owner: number, now: number): number;
  end(id: number, ending: Ending): void;
  /** Gives it back: nobody executes it. */
  release(id: number, phase: RunPhase): void;
  /** Of a run that has not ended. */
  setPhase(id: number, phase: RunPhase): void;
  cancel(id: number, reason: string): void;
  /** Runs that somebody wants to end, and that have not ended. */
  cancelled(): readonly { readonly runId: string; readonly reason: string }[];
  list(where: {
    readonly flow?: string | undefined;
    readonly queue?: string | undefined;
    readonly limit: number;
    readonly before: number;
  }): readonly RunRow[];
}

const COLUMNS = `SELECT runs.*, owners.name AS owner_name, owners.beat_at AS beat_at FROM runs LEFT JOIN owners ON owners.id = runs.owner`;

export function createRunTable(sqlite: Sqlite): RunTable {
  const sql = prepare(sqlite);
  return {
    insert({
      runId,
      flow,
      version,
      input,
      queue = null,
      priority,
      tenant = null,
      dueAt,
      createdAt,
      timeoutMs = null,
    }) {
      const row = sql.insert.get(
        runId,
        flow,
        version,
        input,
        queue,
        priority,
        tenant,
        dueAt,
        createdAt,
        timeoutMs,
      );
      return row && Number(row["id"]);
    },
    find(runId) {
      const row = sql.find.get(runId);
      return row && toRow(row);
    },
    take: (id, owner, now) => Number(sql.take.get(owner, now, id)?.["fence"]),
    end: (id, { phase, output, error, endedAt }) =>
      void sql.end.run(phase, output, error, endedAt, id),
    release: (id, phase) => void sql.release.run(phase, id),
    setPhase: (id, phase) => void sql.setPhase.run(phase, id),
    cancel: (id, reason) => void sql.cancel.run(reason, id),
    cancelled: () =>
      sql.cancelled.all().map((row) => ({
        runId: textIn(row, "run_id") ?? "",
        reason: textIn(row, "cancelled") ?? "",
      })),
    list: ({ flow = null, queue = null, limit, before }) =>
      sql.list.all(flow, queue, before, limit).map(toRow),
  };
}

/** The statements, each prepared once. */
function prepare({ database }: Sqlite) {
  const insert = database.prepare(
    `INSERT INTO runs (run_id, flow, version, phase, input, queue, priority, tenant, due_at, created_at, timeout_ms, fence)
     VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (run_id) DO NOTHING RETURNING id`,
  );
  const find = database.prepare(`${COLUMNS} WHERE run_id = ?`);
  const take = database.prepare(
    "UPDATE runs SET owner = ?, fence = fence + 1, executions = executions + 1, phase = 'running', begun_at = COALESCE(begun_at, ?) WHERE id = ? RETURNING fence",
  );
  const end = database.prepare(
    "UPDATE runs SET phase = ?, output = ?, error = ?, ended_at = ?, owner = NULL WHERE id = ?",
  );
  const release = database.prepare(
    "UPDATE runs SET phase = ?, owner = NULL, fence = fence + 1 WHERE id = ?",
  );
  const setPhase = database.prepare("UPDATE runs SET phase = ? WHERE id = ? AND ended_at IS NULL");
  const cancel = database.prepare(
    "UPDATE runs SET cancelled = ? WHERE id = ? AND ended_at IS NULL",
  );
  const cancelled = database.prepare(
    "SELECT run_id, cancelled FROM runs WHERE cancelled IS NOT NULL AND ended_at IS NULL",
  );
  const list = database.prepare(
    `${COLUMNS} WHERE (?1 IS NULL OR flow = ?1) AND (?2 IS NULL OR queue = ?2) AND runs.id < ?3 ORDER BY runs.id DESC LIMIT ?4`,
  );
  return {
    insert,
    find,
    take,
    end,
    release,
    setPhase,
    cancel,
    cancelled,
    list,
  };
}

function toRow(row: Cells): RunRow {
  const ownerName = textIn(row, "owner_name");
  return {
    id: Number(row["id"]),
    runId: textIn(row, "run_id") ?? "",
    flow: textIn(row, "flow") ?? "",
    version: textIn(row, "version") ?? "",
    phase: textIn(row, "phase") as RunPhase, // `as`: only this file fills this column
    input: textIn(row, "input") ?? null,
    output: textIn(row, "output") ?? null,
    error: textIn(row, "error") ?? null,
    queue: textIn(row, "queue"),
    priority: Number(row["priority"]),
    tenant: textIn(row, "tenant"),
    createdAt: Number(row["created_at"]),
    begunAt: numberIn(row, "begun_at"),
    endedAt: numberIn(row, "ended_at"),
    fence: Number(row["fence"]),
    timeoutMs: numberIn(row, "timeout_ms"),
    executions: Number(row["executions"]),
    cancelled: textIn(row, "cancelled"),
    owner:
      ownerName === undefined ? undefined : { name: ownerName, beatAt: Number(row["beat_at"]) },
  };
}
