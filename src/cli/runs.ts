// `bosun runs list` and `bosun runs show`: what the store and the journal hold.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createBosun } from "../bosun.ts";
import { BosunError } from "../error.ts";
import { ownValue } from "../json.ts";
import type { DurableEngine, RunPhase, StepRecord } from "../orchestration/durable/engine.ts";
import type { RunEvent } from "../orchestration/run/event.ts";
import { applyEvents, EMPTY_RUN, type RunState } from "../orchestration/run/state.ts";
import type { RunSummary, Store } from "../service/store/store.ts";
import { eventLine } from "./event-line.ts";
import { findRun } from "./find-run.ts";
import { errorText, EXIT } from "./failure.ts";
import { applyLive, type LiveState, NOTHING_LIVE } from "./live.ts";
import { count, duration, moment } from "./number.ts";
import { openWaits, type OpenWait, toWaitReport, waitingParts, waitLines } from "./open-wait.ts";
import { promptLines } from "./prompt-lines.ts";
import { reportLines, statusCell } from "./report.ts";
import { tableLines } from "./table.ts";
import { type Output, type Terminal, writeLines } from "./terminal.ts";
import { unfinishedLines } from "./unfinished.ts";
import { printable } from "./width.ts";

/** Flags of `runs list`. */
export type ListFlags = {
  readonly status?: string | undefined;
  readonly limit?: number | undefined;
  readonly json?: boolean | undefined;
  readonly data?: string | undefined;
};

/** Flags of `runs show`. */
export type ShowFlags = {
  readonly task?: string | undefined;
  readonly events?: boolean | undefined;
  readonly steps?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly data?: string | undefined;
};

const STATUSES = [
  "done",
  "partial",
  "failed",
  "cancelled",
  "timed-out",
  "over-budget",
  "running",
  "waiting",
  "interrupted",
];
const DEFAULT_LIMIT = 20;

/** Prints the newest runs. @returns the exit code. */
export async function listRuns(flags: ListFlags, terminal: Terminal): Promise<number> {
  const { status, limit = DEFAULT_LIMIT, json, data } = flags;
  if (status !== undefined && !STATUSES.includes(status))
    throw new BosunError("usage", `--status ${status}: it must be one of ${STATUSES.join(", ")}`);
  return withStore(data, terminal, async (store, journal) => {
    const runs = await summariesOf(store, journal, { limit, status });
    if (json) terminal.out.write(`${JSON.stringify({ runs })}\n`);
    else writeLines(terminal.out, listLines(runs, store.path, terminal));
    return EXIT.done;
  });
}

/** Most runs that are looked through for those of one status: all that a store keeps. */
const MAX_LISTED = 10_000;

/** The newest runs. That one waits for a person, or was given back, only its journal knows. */
async function summariesOf(
  store: Kept,
  journal: DurableEngine | undefined,
  { limit, status }: { readonly limit: number; readonly status: string | undefined },
): Promise<readonly RunSummary[]> {
  const open = await journal?.list({ phases: ["waiting", "interrupted"], limit: MAX_LISTED });
  const phases = new Map(open?.map(({ id, phase }) => [id, phase]));
  return store
    .list({ limit: MAX_LISTED })
    .map((run) => ({ ...run, status: statusOf(run, phases.get(run.runId)) }))
    .filter((run) => status === undefined || run.status === status)
    .slice(0, limit);
}

/** What the store says, or for a run that has not ended what its journal knows better. */
function statusOf(
  { status, endedAt }: RunSummary,
  phase: RunPhase | undefined,
): RunSummary["status"] {
  const isKnown = endedAt === undefined && (phase === "waiting" || phase === "interrupted");
  return isKnown ? phase : status;
}

function listLines(
  runs: readonly RunSummary[],
  path: string,
  { out, clock }: Terminal,
): readonly string[] {
  if (runs.length === 0) return [`No such runs in ${path}.`];
  const rows = runs.map(({ runId, crew, status, startedAt, endedAt }) => {
    const until = endedAt ?? (status === "running" ? clock.now() : undefined);
    const time = duration(until === undefined ? undefined : until - startedAt);
    return [runId, crew, statusCell(status), moment(startedAt), time];
  });
  const columns = out.isTerminal ? out.columns() : undefined;
  return tableLines(LIST_COLUMNS, rows, { columns, paint: out.paint });
}

const LIST_COLUMNS = [
  { title: "run" },
  { title: "crew or flow", flexible: true },
  { title: "status" },
  { title: "started", flexible: true },
  { title: "time", align: "right" },
] as const;

/** Prints one run. @throws BosunError `run/unknown` with the nearest ids. @returns the exit code. */
export async function showRun(id: string, flags: ShowFlags, terminal: Terminal): Promise<number> {
  return withStore(flags.data, terminal, async (store, journal) => {
    const found = findRun(store, id);
    const { runId } = found;
    if (flags.steps) return showSteps(runId, journal, flags, terminal);
    const record = await journal?.find(runId);
    const summary = { ...found, status: statusOf(found, record?.phase) };
    const events = store.events(runId);
    const isOpen = record !== undefined && record.endedAt === undefined;
    const waits = openWaits(events, isOpen ? ((await journal?.steps(runId)) ?? []) : []);
    const { data } = flags;
    const shown = { summary, path: store.path, waits, data, ...foldEvents(events) };
    const { out } = terminal;
    if (flags.task !== undefined) out.write(`${printable(textOfTask(shown, flags.task))}\n`);
    else if (flags.json)
      out.write(`${JSON.stringify(toReport(shown, flags.events ? events : undefined))}\n`);
    else if (flags.events) writeLines(out, eventLines(events, out));
    else writeLines(out, showLines(shown, terminal));
    return EXIT.done;
  });
}

/** What a run has kept. */
async function showSteps(
  runId: string,
  journal: DurableEngine | undefined,
  { json }: ShowFlags,
  { out }: Terminal,
): Promise<number> {
  const isKept = (await journal?.find(runId)) !== undefined;
  const steps = isKept ? ((await journal?.steps(runId)) ?? []) : [];
  if (json) out.write(`${JSON.stringify({ runId, steps })}\n`);
  else if (steps.length === 0) writeLines(out, [`No steps of run ${runId} are kept.`]);
  else writeLines(out, stepLines(steps, out));
  return EXIT.done;
}

function stepLines(steps: readonly StepRecord[], out: Output): readonly string[] {
  const rows = steps.map(({ key, status, attempt, ms, bytes }) => [
    key,
    statusCell(status === "begun" ? "running" : status),
    count(attempt),
    duration(ms),
    count(bytes),
  ]);
  const columns = out.isTerminal ? out.columns() : undefined;
  return tableLines(STEP_COLUMNS, rows, { columns, paint: out.paint });
}

const STEP_COLUMNS = [
  { title: "step", flexible: true },
  { title: "status" },
  { title: "begun", align: "right" },
  { title: "time", align: "right" },
  { title: "bytes", align: "right" },
] as const;

/** What one task came to. @throws BosunError `usage` with the tasks that there are. */
function textOfTask({ summary, state }: Shown, name: string): string {
  const task = ownValue(state.tasks, name);
  if (task) return task.raw;
  const names = Object.keys(state.tasks).join(", ") || "none";
  throw new BosunError("usage", `run ${summary.runId} has no task "${name}". Its tasks: ${names}`);
}

type Shown = {
  readonly summary: RunSummary;
  readonly path: string;
  /** What it waits for, when it has not ended. */
  readonly waits: readonly OpenWait[];
  readonly data: string | undefined;
  readonly state: RunState;
  readonly live: LiveState;
};

function foldEvents(events: readonly RunEvent[]): Pick<Shown, "state" | "live"> {
  return {
    state: applyEvents(EMPTY_RUN, events),
    live: events.reduce(applyLive, NOTHING_LIVE),
  };
}

function toReport(
  { summary, waits, state, live }: Shown,
  events: readonly RunEvent[] | undefined,
): object {
  const { tasks, agents, usage, raw, error } = state;
  return {
    ...summary,
    raw,
    error,
    tasks,
    agents,
    usage,
    models: live.models,
    ...(waits.length > 0 ? { waitsFor: waits.map(toWaitReport) } : {}),
    ...(events ? { events } : {}),
  };
}

function eventLines(events: readonly RunEvent[], { paint }: Output): readonly string[] {
  const startedAt = events[0]?.at ?? 0;
  return events.flatMap((event) =>
    event.type === "model-prompt" ? promptLines(event, paint) : (eventLine(event, startedAt) ?? []),
  );
}

function showLines(shown: Shown, { out, clock }: Terminal): readonly string[] {
  const { summary, path, waits, data, state, live } = shown;
  const { runId, status } = summary;
  const { paint } = out;
  const columns = out.isTerminal ? out.columns() : undefined;
  const text = state.raw.trim() === "" ? [] : [printable(state.raw), ""];
  return [
    ...(state.status === "done" || state.status === "partial" ? text : []),
    ...unfinishedLines(state, paint),
    ...waitLines(waits, { runId, data, now: clock.now(), paint }),
    ...reportLines(
      {
        state,
        status,
        models: live.models,
        keptIn: path,
        waits: waitingParts(state, waits, status === "waiting"),
      },
      { columns, paint },
    ),
    ...(state.error ? [paint("red", errorText(state.error))] : []),
  ];
}

/** What is read of a store. */
type Kept = Pick<Store, "path" | "list" | "find" | "events">;

const NOTHING_KEPT: Omit<Kept, "path"> = {
  list: () => [],
  find: () => undefined,
  events: () => [],
};

async function withStore(
  data: string | undefined,
  terminal: Terminal,
  work: (store: Kept, journal: DurableEngine | undefined) => Promise<number>,
): Promise<number> {
  const folder = resolve(data ?? (terminal.env()["BOSUN_DATA"] || ".bosun"));
  const path = join(folder, "runs.db");
  if (!existsSync(path)) return work({ ...NOTHING_KEPT, path }, undefined); // to look must write nothing
  const bosun = createBosun({ data, fleet: false, env: terminal.env(), clock: terminal.clock });
  try {
    const store = await bosun.store();
    if (!store) throw new BosunError("usage", "there is no data folder");
    const hasJournal = existsSync(join(folder, "journal.db"));
    return await work(store, hasJournal ? await bosun.journal() : undefined);
  } finally {
    await bosun.close();
  }
}
