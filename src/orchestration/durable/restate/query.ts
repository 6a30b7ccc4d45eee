// What the server's tables say of runs.

import type { Json } from "../../../json.ts";
import type { RunPhase, RunQuery, RunRecord } from "../engine.ts";
import type { EngineParts } from "./engine-parts.ts";
import { GO } from "./execution.ts";
import { fieldOf, textAt } from "./field.ts";
import type { Row } from "./http.ts";
import { fromHeader, type Meta } from "./meta.ts";
import { flowOf } from "./name.ts";
import { BEGUN } from "./place.ts";
import { readFailure } from "./terminal.ts";

/** A run as the server has it. */
export type RunRow = {
  /** The server's own id of it. */
  readonly invocation: string;
  readonly service: string;
  readonly id: string;
  /** The server's word. */
  readonly status: string;
  readonly deployment: string | undefined;
  /** What its last execution failed by, while it is tried again. */
  readonly lastFailure: string | undefined;
  readonly meta: Meta;
  readonly record: RunRecord;
};

const DEFAULT_LIMIT = 50;
const PAGE = 200;
const COLUMNS =
  "id, target_service_name, target_service_key, status, pinned_deployment_id, created_at, completed_at, completion_result, completion_failure, retry_count, last_failure";

/** How much of a run's first entry is read for what it was started with: its header is among the first. */
const META_BYTES = 8_192;

export async function findRun(parts: EngineParts, id: string): Promise<RunRow | undefined> {
  if (!isRunId(id)) return undefined;
  const found = await rowsOf(parts, `AND target_service_key = '${id}'`, 1);
  return found[0];
}

/** Newest first. */
export async function listRuns(
  parts: EngineParts,
  query: RunQuery = {},
): Promise<readonly RunRecord[]> {
  const { phases, flow, queue, limit = DEFAULT_LIMIT } = query;
  const found: RunRecord[] = [];
  for (let offset = 0; found.length < limit; offset += PAGE) {
    const page = await rowsOf(parts, "", PAGE, offset);
    for (const { record } of page) {
      const isAsked =
        (flow === undefined || record.flow === flow) &&
        (queue === undefined || record.queue === queue) &&
        (phases === undefined || phases.includes(record.phase));
      if (isAsked) found.push(record);
    }
    if (page.length < PAGE) break;
  }
  return found.slice(0, limit);
}

export function isRunId(id: string): boolean {
  return /^[\w-]{1,64}$/.test(id);
}

async function rowsOf(
  parts: EngineParts,
  where: string,
  limit: number,
  offset = 0,
): Promise<readonly RunRow[]> {
  const rows = await parts.http.query(
    `SELECT ${COLUMNS} FROM sys_invocation WHERE target_handler_name = 'run' AND target_service_name LIKE 'bosun.%' ${where} ORDER BY created_at DESC LIMIT ${limit} OFFSET ${offset}`,
  );
  const own = rows.filter((row) => flowOf(textAt(row, "target_service_name")) !== undefined);
  if (own.length === 0) return [];
  const live = own.filter(
    (row) =>
      row["status"] !== "completed" && !parts.executions.has(textAt(row, "target_service_key")),
  );
  const [metas, facts] = await Promise.all([
    readMetas(parts, idsOf(own)),
    live.length === 0 ? new Map<string, Facts>() : readFacts(parts, idsOf(live)),
  ]);
  return own.map((row) => {
    const id = textAt(row, "id");
    return toRow(row, parts, { meta: metas.get(id) ?? {}, facts: facts.get(id) ?? NO_FACTS });
  });
}

/** For a list in SQL. */
function idsOf(rows: readonly Row[]): string {
  return rows.map((row) => `'${textAt(row, "id")}'`).join(", ");
}

async function readMetas({ http }: EngineParts, ids: string): Promise<ReadonlyMap<string, Meta>> {
  const rows = await http.query(
    `SELECT id, left(encode(raw, 'hex'), ${META_BYTES * 2}) AS head FROM sys_journal WHERE "index" = 0 AND id IN (${ids})`,
  );
  return new Map(
    rows.map((row) => {
      const head = Buffer.from(textAt(row, "head"), "hex").toString("latin1");
      return [textAt(row, "id"), fromHeader(head)];
    }),
  );
}

/** What of a run's journal is open. */
type Facts = {
  readonly steps: number;
  readonly pauses: number;
  readonly hasPlace: boolean;
  readonly isHeld: boolean;
};

const NO_FACTS: Facts = { steps: 0, pauses: 0, hasPlace: false, isHeld: true };

async function readFacts({ http }: EngineParts, ids: string): Promise<ReadonlyMap<string, Facts>> {
  const rows = await http.query(
    `SELECT id, entry_lite_json FROM sys_journal WHERE "index" > 0 AND id IN (${ids}) ORDER BY id, "index"`,
  );
  const entries = new Map<string, Json[]>();
  for (const row of rows) {
    const id = textAt(row, "id");
    const of = entries.get(id) ?? [];
    entries.set(id, of);
    of.push(JSON.parse(textAt(row, "entry_lite_json")) as Json); // `as`: JSON text
  }
  return new Map([...entries].map(([id, of]) => [id, factsOf(of)]));
}

function factsOf(entries: readonly Json[]): Facts {
  const open = new Map<Json | undefined, "step" | "pause" | "go">();
  let hasPlace = false;
  let isHeld = true;
  for (const entry of entries) {
    const command = fieldOf(entry, "Command");
    const id = fieldOf(fieldOf(entry, "Notification"), "id");
    const of = (kind: string): Json | undefined => fieldOf(command, kind);
    const promise = of("GetPromise");
    if (id !== undefined) {
      if (open.get(fieldOf(id, "CompletionId")) === "go") isHeld = false;
      open.delete(fieldOf(id, "CompletionId"));
    } else if (of("Run")) open.set(fieldOf(of("Run"), "completion_id"), "step");
    else if (of("Sleep")) open.set(fieldOf(of("Sleep"), "completion_id"), "pause");
    else if (promise && textAt(promise, "key").startsWith("wait:"))
      open.set(fieldOf(promise, "completion_id"), "pause");
    else if (promise && fieldOf(promise, "key") === GO)
      open.set(fieldOf(promise, "completion_id"), "go");
    else if (fieldOf(of("SetState"), "key") === BEGUN) hasPlace = true;
  }
  const count = (kind: "step" | "pause"): number =>
    [...open.values()].filter((one) => one === kind).length;
  return { steps: count("step"), pauses: count("pause"), hasPlace, isHeld };
}

function toRow(
  row: Row,
  parts: EngineParts,
  { meta, facts }: { readonly meta: Meta; readonly facts: Facts },
): RunRow {
  const id = textAt(row, "target_service_key");
  const service = textAt(row, "target_service_name");
  const { name: flow = service, version = "" } = flowOf(service) ?? {};
  const failure = row["completion_failure"];
  const isOver = row["status"] === "completed";
  const phase = phaseOf(row, parts, { meta, facts });
  const createdAt = Date.parse(textAt(row, "created_at"));
  return {
    invocation: textAt(row, "id"),
    service,
    id,
    status: textAt(row, "status"),
    deployment: optional(row["pinned_deployment_id"]),
    lastFailure: optional(row["last_failure"]),
    meta,
    record: {
      id,
      flow,
      version,
      phase,
      isExecuted: row["status"] === "running",
      queue: meta.queue,
      priority: meta.priority ?? 0,
      tenant: meta.tenant,
      executions: phase === "queued" ? 0 : Number(row["retry_count"] ?? 1),
      createdAt,
      endedAt: isOver ? Date.parse(textAt(row, "completed_at")) : undefined,
      error: typeof failure === "string" ? readFailure(failure).message : undefined,
    },
  };
}

function phaseOf(
  row: Row,
  { executions }: EngineParts,
  { meta, facts }: { readonly meta: Meta; readonly facts: Facts },
): RunPhase {
  const status = textAt(row, "status");
  if (status === "completed") return endOf(row);
  if (["scheduled", "inboxed", "ready"].includes(status)) return "queued";
  const execution = executions.get(textAt(row, "target_service_key"));
  if (execution && status === "running") return execution.phase;
  if (meta.isHeld && facts.isHeld) return "interrupted";
  if (meta.queue !== undefined && !facts.hasPlace) return "queued";
  if (status === "backing-off" || status === "paused") return "interrupted";
  if (status === "suspended") return "waiting";
  return facts.pauses > 0 && facts.steps === 0 ? "waiting" : "running";
}

function endOf(row: Row): RunPhase {
  if (row["completion_result"] === "success") return "done";
  return readFailure(textAt(row, "completion_failure")).isCancelled ? "cancelled" : "failed";
}

function optional(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
