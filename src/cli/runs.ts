// `bosun runs list` and `bosun runs show`: what the store holds.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createBosun } from "../bosun.ts";
import { BosunError } from "../error.ts";
import { ownValue } from "../json.ts";
import type { RunEvent } from "../orchestration/run/event.ts";
import { applyEvents, EMPTY_RUN, type RunState } from "../orchestration/run/state.ts";
import type { RunSummary, Store } from "../service/store/store.ts";
import { eventLine } from "./event-line.ts";
import { errorText, EXIT } from "./failure.ts";
import { applyLive, type LiveState, NOTHING_LIVE } from "./live.ts";
import { duration, moment } from "./number.ts";
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
  "interrupted",
];
const DEFAULT_LIMIT = 20;

/** Prints the newest runs. @returns the exit code. */
export async function listRuns(flags: ListFlags, terminal: Terminal): Promise<number> {
  const { status, limit = DEFAULT_LIMIT, json, data } = flags;
  if (status !== undefined && !STATUSES.includes(status))
    throw new BosunError("usage", `--status ${status}: it must be one of ${STATUSES.join(", ")}`);
  return withStore(data, terminal, (store) => {
    const runs = store.list({ limit, status });
    if (json) terminal.out.write(`${JSON.stringify({ runs })}\n`);
    else writeLines(terminal.out, listLines(runs, store.path, terminal));
    return EXIT.done;
  });
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
  { title: "crew", flexible: true },
  { title: "status" },
  { title: "started", flexible: true },
  { title: "time", align: "right" },
] as const;

/** Prints one run. @throws BosunError `run/unknown` with the nearest ids. @returns the exit code. */
export async function showRun(id: string, flags: ShowFlags, terminal: Terminal): Promise<number> {
  return withStore(flags.data, terminal, (store) => {
    const summary = findRun(store, id);
    const events = store.events(summary.runId);
    const shown = { summary, path: store.path, ...foldEvents(events) };
    const { out } = terminal;
    if (flags.task !== undefined) out.write(`${printable(textOfTask(shown, flags.task))}\n`);
    else if (flags.json)
      out.write(`${JSON.stringify(toReport(shown, flags.events ? events : undefined))}\n`);
    else if (flags.events) writeLines(out, eventLines(events, out));
    else writeLines(out, showLines(shown, out));
    return EXIT.done;
  });
}

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
  { summary, state, live }: Shown,
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
    ...(events ? { events } : {}),
  };
}

function eventLines(events: readonly RunEvent[], { paint }: Output): readonly string[] {
  const startedAt = events[0]?.at ?? 0;
  return events.flatMap((event) =>
    event.type === "model-prompt" ? promptLines(event, paint) : (eventLine(event, startedAt) ?? []),
  );
}

function showLines({ summary, path, state, live }: Shown, out: Output): readonly string[] {
  const { paint } = out;
  const columns = out.isTerminal ? out.columns() : undefined;
  const text = state.raw.trim() === "" ? [] : [printable(state.raw), ""];
  return [
    ...(state.status === "done" || state.status === "partial" ? text : []),
    ...unfinishedLines(state, paint),
    ...reportLines(
      { state, status: summary.status, models: live.models, keptIn: path },
      { columns, paint },
    ),
    ...(state.error ? [paint("red", errorText(state.error))] : []),
  ];
}

/** `id` may be LATEST. */
function findRun(store: Kept, id: string): RunSummary {
  const found = id === LATEST ? store.list({ limit: 1 })[0] : store.find(id);
  if (found) return found;
  const ids = store.list({ limit: MAX_LOOKED_AT }).map(({ runId }) => runId);
  const matching = ids.filter((one) => one.startsWith(id));
  if (matching.length > 1)
    throw new BosunError(
      "run/unknown",
      `"${id}" is the beginning of ${matching.length} runs: ${listOf(matching)}. Give more of the id`,
    );
  const near = ids.toSorted((a, b) => sharedStart(b, id) - sharedStart(a, id));
  const advice = near.length > 0 ? `The nearest: ${listOf(near)}` : "There are no runs";
  throw new BosunError("run/unknown", `there is no run "${id}" in ${store.path}. ${advice}`);
}

/** In place of an id: the newest run. */
const LATEST = "latest";
/** Ids among which near ones are looked for. */
const MAX_LOOKED_AT = 1_000;

function listOf(ids: readonly string[]): string {
  return `${ids.slice(0, 3).join(", ")}${ids.length > 3 ? ", …" : ""}`;
}

function sharedStart(a: string, b: string): number {
  let length = 0;
  while (length < b.length && a[length] === b[length]) length++;
  return length;
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
  work: (store: Kept) => number,
): Promise<number> {
  const folder = resolve(data ?? (terminal.env()["BOSUN_DATA"] || ".bosun"));
  const path = join(folder, "runs.db");
  if (!existsSync(path)) return work({ ...NOTHING_KEPT, path }); // to look must write nothing
  const bosun = createBosun({ data, fleet: false, env: terminal.env(), clock: terminal.clock });
  try {
    const store = await bosun.store();
    if (!store) throw new BosunError("usage", "there is no data folder");
    return work(store);
  } finally {
    await bosun.close();
  }
}
