// The embedded engine: runs in one SQLite file, shared by the processes of one host. Nothing to install, nothing to serve.

import { join } from "node:path";
import { openBlobs } from "../../../blob.ts";
import { type Clock, systemClock } from "../../../clock.ts";
import { BosunError } from "../../../error.ts";
import type { Json } from "../../../json.ts";
import { openSqlite, orStoreFailed, toSqliteError } from "../../../sqlite.ts";
import type { Flow } from "../durable.ts";
import type { DurableEngine, JournalProbe, RunHandle, StartOptions } from "../engine.ts";
import type { EngineParts } from "./engine-parts.ts";
import { createDueTable } from "./due-table.ts";
import { Host } from "./host.ts";
import { createLease } from "./lease.ts";
import { createQueueTable } from "./queue-table.ts";
import { createSignalTable } from "./signal-table.ts";
import { listRuns, toRecord, toStepRecord, withGiven } from "./query.ts";
import { removeOld } from "./retention.ts";
import { createRunTable, type RunRow } from "./run-table.ts";
import { MAX_VALUE_BYTES, MIGRATIONS } from "./schema.ts";
import { createStepTable } from "./step-table.ts";
import { blobOf, fromStored, type Stored, toStored } from "./value.ts";
import { createWriter } from "./writer.ts";

/** Options of the embedded engine. */
export type SqliteEngineOptions = {
  readonly clock?: Clock | undefined;
  /** What a kept outcome survives: the end of the process, or the loss of power too, for a sync of the disk at each commit. Default "process". */
  readonly durability?: "process" | "power" | undefined;
  /** Longest try of a step. Default one hour. */
  readonly maxStepMs?: number | undefined;
  /** How long a process may stand still before others take its runs. Default 5,000. */
  readonly leaseMs?: number | undefined;
  /** How often it is looked for what other processes wrote. Default 100. */
  readonly pollMs?: number | undefined;
  /** Ended runs that are kept. Default 10,000. */
  readonly keepRuns?: number | undefined;
  readonly probe?: JournalProbe | undefined;
  /** Executes each run that is done once more from its journal, for development and tests. Default false. */
  readonly checkReplay?: boolean | undefined;
};

const MAX_STEP_MS = 3_600_000;
const LEASE_MS = 5_000;
const POLL_MS = 100;
const KEEP_RUNS = 10_000;

/**
 * Opens the journal of a data folder, which is made when it is not there.
 * @throws BosunError `store/failed` with the path and what to do.
 */
export function openSqliteEngine(folder: string, options: SqliteEngineOptions = {}): DurableEngine {
  const { pollMs = POLL_MS, keepRuns = KEEP_RUNS } = options;
  const flows = new Map<string, Flow<Json, Json>>();
  const parts = openParts(folder, options, (name, version) => flows.get(`${name}@${version}`));
  const { sqlite, blobs, maxStepMs } = parts;
  removeOldest(parts, keepRuns);
  const host = new Host(parts, { pollMs, onEnds: () => void removeOld(sqlite, blobs, keepRuns) });
  const safely = <T>(work: () => T | Promise<T>): Promise<T> => orStoreFailed(sqlite.path, work);
  const register = (flow: Flow<never, Json>): void =>
    void flows.set(`${flow.name}@${flow.version}`, flow); // it is called with the input that it was started with
  return {
    name: "sqlite",
    caps: { maxValueBytes: MAX_VALUE_BYTES, maxStepMs, isMultiNode: false },
    register,
    ...createReader(parts),
    async start<I extends Json, O extends Json>(flow: Flow<I, O>, input: I, started: StartOptions) {
      checkId(started.id);
      register(flow);
      const handle = await safely(() => host.start(flow, input, started));
      return handle as RunHandle<O>; // `as`: the flow says what it gives
    },
    async get<O extends Json>(id: string) {
      const handle = await safely(() => host.handle(existing(parts, id).runId));
      return handle as RunHandle<O>; // `as`: the caller knows the flow
    },
    async resume<O extends Json>(id: string, resumed = {}) {
      const handle = await safely(() => host.resume(existing(parts, id).runId, resumed));
      return handle as RunHandle<O>; // `as`: the caller knows the flow
    },
    fork: (id, forked) => safely(() => fork(parts, existing(parts, id), forked)),
    signal: (rootId, name, value) => host.signal(rootId, name, value),
    send: (id, name, value) => safely(() => host.send(existing(parts, id), name, value)),
    cancel: (id, reason) => safely(() => host.cancel(existing(parts, id), reason)),
    queue: (name, limits) => safely(() => parts.queues.set(name, limits)),
    serve: (served, signal) => safely(() => host.serve(served, signal)),
    suspend: (graceMs) => host.suspend(graceMs),
    async [Symbol.asyncDispose]() {
      await host.suspend(0);
      parts.writer.flush();
      await parts.lease[Symbol.asyncDispose]();
      sqlite.close();
    },
  };
}

/** What is too old goes when the file is opened; one that cannot be written to says so. */
function removeOldest({ sqlite, blobs }: EngineParts, keepRuns: number): void {
  try {
    removeOld(sqlite, blobs, keepRuns);
  } catch (error) {
    sqlite.close();
    throw toSqliteError(error, sqlite.path, "open");
  }
}

function openParts(
  folder: string,
  options: SqliteEngineOptions,
  flowOf: EngineParts["flowOf"],
): EngineParts {
  const { clock = systemClock, durability = "process", maxStepMs = MAX_STEP_MS } = options;
  const { leaseMs = LEASE_MS, probe, checkReplay = false } = options;
  const sqlite = openSqlite(join(folder, "journal.db"), MIGRATIONS, {
    synchronous: durability === "power" ? "full" : "normal",
    isVacuumed: true,
  });
  const insertBlob = sqlite.database.prepare("INSERT INTO blobs (run, name) VALUES (?, ?)");
  return {
    clock,
    sqlite,
    writer: createWriter(sqlite, clock),
    lease: createLease(sqlite, leaseMs),
    runs: createRunTable(sqlite),
    due: createDueTable(sqlite),
    steps: createStepTable(sqlite),
    signals: createSignalTable(sqlite),
    queues: createQueueTable(sqlite),
    blobs: openBlobs(join(folder, "blobs")),
    maxStepMs,
    probe,
    checkReplay,
    noteBlob(run, stored) {
      const name = blobOf(stored);
      if (name !== undefined) insertBlob.run(run, name);
    },
    flowOf,
  };
}

/** The methods that only read. */
function createReader(
  parts: EngineParts,
): Pick<DurableEngine, "find" | "input" | "list" | "steps"> {
  const { sqlite, runs, steps, signals, blobs } = parts;
  const reading = async <T>(read: () => T): Promise<T> => {
    parts.writer.flush();
    try {
      return read();
    } catch (error) {
      throw toSqliteError(error, sqlite.path, "read runs from");
    }
  };
  return {
    find: (id) =>
      reading(() => {
        const row = runs.find(id);
        return row && toRecord(row, parts);
      }),
    input: (id) => reading(() => fromStored(existing(parts, id).input, blobs) ?? null),
    list: (query) => reading(() => listRuns(parts, query)),
    steps: (id) =>
      reading(() => {
        const { id: run } = existing(parts, id);
        const given = new Set(signals.of(run).map(({ name }) => `wait:${name}`));
        return steps.of(run).map((row) => withGiven(toStepRecord(row), given));
      }),
  };
}

/** @throws BosunError `run/unknown`. */
function existing({ runs, writer, sqlite }: EngineParts, id: string): RunRow {
  writer.flush();
  const row = runs.find(id);
  if (row) return row;
  throw new BosunError(
    "run/unknown",
    `there is no run "${id}" in ${sqlite.path}. \`bosun runs list\` shows those that there are`,
  );
}

function checkId(id: string): void {
  if (!/^[\w-]{1,64}$/.test(id))
    throw new BosunError("usage", `a run id is 1 to 64 letters, digits, _ or -, got "${id}"`);
}

type Forked = Parameters<DurableEngine["fork"]>[1];

function fork(parts: EngineParts, row: RunRow, { id, input, keep = () => true }: Forked): void {
  checkId(id);
  const { sqlite, runs, steps, blobs, clock } = parts;
  const stored: Stored =
    input === undefined ? row.input : toStored(input, `the input of run ${id}`, blobs);
  const ofRun = steps.of(row.id).filter(({ ok }) => ok !== undefined);
  const keys = ofRun
    .filter((step) => keep(toStepRecord(step), step.seq ?? 0))
    .map(({ key }) => key);
  const { flow, version, priority, tenant, timeoutMs } = row;
  const now = clock.now();
  sqlite.transaction(() => {
    const made = runs.insert({
      runId: id,
      flow,
      version,
      input: stored,
      queue: undefined,
      priority,
      tenant,
      timeoutMs,
      createdAt: now,
      dueAt: now,
    });
    if (made === undefined)
      throw new BosunError("usage", `there is a run "${id}" already. Give another run id`);
    parts.noteBlob(made, stored);
    runs.setPhase(made, "interrupted");
    steps.copy(row.id, made, keys);
  });
}
