// What the journal's file says of runs, for lists and reports.

import type { RunPhase, RunQuery, RunRecord, StepRecord } from "../engine.ts";
import type { Lease } from "./lease.ts";
import type { RunRow, RunTable } from "./run-table.ts";
import type { StepRow } from "./step-table.ts";
import { fromErrorJson, fromStored } from "./value.ts";
import type { EngineParts } from "./engine-parts.ts";

/** A run without a process is interrupted, unless it waits for somebody outside. */
export function phaseOf(row: Pick<RunRow, "phase" | "owner">, lease: Lease): RunPhase {
  return row.phase === "running" && !lease.isHeld(row) ? "interrupted" : row.phase;
}

export function toRecord(
  row: RunRow,
  { lease, blobs }: Pick<EngineParts, "lease" | "blobs">,
): RunRecord {
  const { runId: id, flow, version, queue, priority, tenant, createdAt, endedAt } = row;
  const error =
    row.error === null ? undefined : fromErrorJson(fromStored(row.error, blobs)).message;
  const phase = phaseOf(row, lease);
  const isExecuted = lease.isHeld(row);
  return {
    id,
    flow,
    version,
    phase,
    isExecuted,
    queue,
    priority,
    tenant,
    executions: row.executions,
    createdAt,
    endedAt,
    error,
  };
}

export function toStepRecord({ key, begun, ok, at, ms, value }: StepRow): StepRecord {
  const status = ok === undefined ? "begun" : ok ? "done" : "failed";
  return {
    key,
    status,
    attempt: begun,
    startedAt: at,
    ms,
    bytes: value === null ? 0 : Buffer.byteLength(value),
    ...(status === "begun" && value !== null ? { until: Number(value) } : {}), // as the journal notes it
  };
}

/** With what was given to it already. */
export function withGiven(step: StepRecord, given: ReadonlySet<string>): StepRecord {
  const isGiven = step.status === "begun" && given.has(step.key);
  return isGiven ? { ...step, isGiven } : step;
}

const DEFAULT_LIMIT = 50;
/** Rows that are read at once while those of other phases are left out. */
const PAGE = 500;

/** Newest first. */
export function listRuns(
  parts: { readonly runs: RunTable } & Pick<EngineParts, "lease" | "blobs">,
  query: RunQuery = {},
): readonly RunRecord[] {
  const { phases, flow, queue, limit = DEFAULT_LIMIT } = query;
  const found: RunRecord[] = [];
  for (let before = Number.MAX_SAFE_INTEGER; found.length < limit;) {
    const page = parts.runs.list({ flow, queue, limit: PAGE, before });
    for (const row of page) {
      if (phases === undefined || phases.includes(phaseOf(row, parts.lease)))
        found.push(toRecord(row, parts));
      before = row.id;
    }
    if (page.length < PAGE) break;
  }
  return found.slice(0, limit);
}
