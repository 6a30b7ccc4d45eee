// The live view of a run as lines: one row per agent. Pure: states, time and size in, lines out.

import { ownValue } from "../json.ts";
import type { RunState, TaskState } from "../orchestration/run/state.ts";
import { LEAST_WRITING_MS, type LiveCall, type LiveState } from "./live.ts";
import { count, elapsed, several, tokens } from "./number.ts";
import { type Paint, plain, type Style } from "./paint.ts";
import { type Cell, type Column, tableLines } from "./table.ts";
import { taskNotes } from "./task-note.ts";
import { cutTo, oneLine } from "./width.ts";

/** How the view is drawn. `now` is on the run's clock. */
export type LiveView = {
  readonly now: number;
  readonly columns: number;
  readonly rows: number;
  readonly paint?: Paint | undefined;
};

/** The view's lines: none wider than `columns` - 1, no more than `rows` - 1, so that the terminal neither wraps nor scrolls. */
export function liveLines(state: RunState, live: LiveState, view: LiveView): readonly string[] {
  const { now, rows, paint = plain } = view;
  const columns = Math.max(1, view.columns - 1);
  const agents = agentRows(state, live, now);
  const room = Math.max(1, rows - 1 - HEAD_LINES);
  const shown = agents.length <= room ? agents : mostAlive(agents, Math.max(1, room - 1));
  const kept = LIVE_COLUMNS.filter(({ from }) => columns >= from);
  const table = tableLines(
    kept,
    shown.map((row) => kept.map(({ cell }) => cell(row))),
    { columns, paint },
  );
  const left = agents.length - shown.length;
  const more =
    left > 0 ? [paint("dim", cutTo(`… and ${several(left, "more agent")}`, columns))] : [];
  const lines = [paint("bold", cutTo(headLine(state, now), columns)), ...table, ...more];
  return lines.slice(0, Math.max(1, rows - 1));
}

/** The head and the titles. */
const HEAD_LINES = 2;

function headLine(state: RunState, now: number): string {
  const steps = Object.values(state.steps);
  const kind = steps.length > 0 ? "steps" : "tasks";
  const tasks: readonly { readonly status: string }[] =
    steps.length > 0 ? steps : Object.values(state.tasks);
  const ended = tasks.filter(({ status }) => status !== "waiting" && status !== "running").length;
  const { runId, crew, status, startedAt = now } = state;
  return oneLine(
    `${crew} · ${status} · ${ended} of ${tasks.length} ${kind} · ${elapsed(now - startedAt)} · ${runId}`,
  );
}

/** What an agent does; the order is that of interest when there is no room for all. */
type Activity = "running" | "failed" | "waiting" | "done";

type AgentRow = {
  readonly name: string;
  readonly task: string;
  readonly activity: Activity;
  readonly doing: string;
  readonly input: string;
  readonly output: string;
  readonly speed: string;
  readonly time: string;
};

type LiveColumn = Column & {
  /** Shown from this many columns on. */
  readonly from: number;
  readonly cell: (row: AgentRow) => Cell;
};

const LIVE_COLUMNS: readonly LiveColumn[] = [
  { title: "", from: 0, cell: ({ activity }) => MARKS[activity] },
  { title: "agent", from: 0, flexible: true, cell: ({ name }) => name },
  { title: "task", from: 50, flexible: true, cell: ({ task }) => task },
  { title: "in", from: 60, align: "right", least: 7, cell: ({ input }) => input },
  { title: "out", from: 40, align: "right", least: 7, cell: ({ output }) => output },
  { title: "tok/s", from: 75, align: "right", cell: ({ speed }) => speed },
  { title: "time", from: 30, align: "right", least: 7, cell: ({ time }) => time },
  { title: "state", from: 0, flexible: true, least: 22, cell: ({ doing }) => doing },
];

const MARKS: Readonly<Record<Activity, { readonly text: string; readonly style: Style }>> = {
  running: { text: "●", style: "cyan" },
  failed: { text: "✗", style: "red" },
  waiting: { text: "○", style: "dim" },
  done: { text: "✓", style: "green" },
};

function agentRows(state: RunState, live: LiveState, now: number): readonly AgentRow[] {
  const byAgent = Map.groupBy(Object.values(state.tasks), ({ agent }) => agent);
  // Agents without a task of their own: they judge, plan, or get delegated work.
  const helpers = Object.values(live.waits).flatMap(({ to }) => to ?? []);
  const names = new Set([...byAgent.keys(), ...Object.keys(state.agents), ...helpers]);
  return [...names].map((name) => {
    const tasks = byAgent.get(name) ?? [];
    return agentRow({ name, tasks, live, state, now });
  });
}

type AgentNow = {
  readonly name: string;
  readonly tasks: readonly TaskState[];
  readonly live: LiveState;
  readonly state: RunState;
  readonly now: number;
};

function agentRow(agent: AgentNow): AgentRow {
  const { name, tasks, live, state, now } = agent;
  const calls = Object.values(live.calls).filter((call) => call.agent === name);
  const usage = ownValue(state.agents, name)?.usage;
  const liveTokens = calls.reduce((sum, call) => sum + call.tokens, 0);
  const output = (usage?.output.total ?? 0) + liveTokens;
  const source = liveTokens > 0 ? "estimated" : (usage?.source ?? "server");
  const { activity, task, doing } = activityOf(agent, calls);
  return {
    name,
    activity,
    task,
    doing,
    input: usage ? tokens(usage.input.total, usage.source) : "",
    output: output > 0 ? tokens(output, source) : "",
    speed: speedOf(calls, ownValue(live.speeds, name), now),
    time: timeOf(tasks, now),
  };
}

function activityOf(
  { name, tasks, live, state }: AgentNow,
  calls: readonly LiveCall[],
): Pick<AgentRow, "activity" | "task" | "doing"> {
  const tools = Object.values(live.tools).filter(({ agent }) => agent === name);
  const waits = Object.values(live.waits).filter(({ agent }) => agent === name);
  const given = Object.values(live.waits).filter(({ to }) => to === name);
  const doing = [
    ...waits.map(({ what }) => what),
    ...tools.map(({ tool }) => `tool ${tool}`),
    ...calls.map(doingOf),
  ];
  const running = tasks.filter(({ status }) => status === "running").map((task) => task.name);
  // What it does for other agents' tasks.
  const helped = [...given, ...calls].flatMap(({ task = "" }) =>
    ownValue(state.tasks, task)?.status === "running" || tasks.length === 0 ? [task] : [],
  );
  const [first] = [...running, ...helped];
  if (first !== undefined) {
    const more = running.length > 1 ? ` +${running.length - 1}` : "";
    return {
      activity: "running",
      task: first + more,
      doing: doing[0] === undefined ? "working" : moreOf(doing),
    };
  }
  const next = tasks.find(({ status }) => status === "waiting");
  if (next) return { activity: "waiting", task: next.name, doing: waitOf(next, state, live) };
  const bad = tasks.find(({ status }) => !GOOD.has(status));
  if (bad) return { activity: "failed", task: bad.name, doing: reasonOf(bad) };
  const last = tasks.at(-1);
  const ended = last ? [last.status, ...taskNotes(last)].join(", ") : "";
  return { activity: "done", task: last?.name ?? "", doing: ended };
}

const GOOD: ReadonlySet<string> = new Set(["done", "partial", "skipped"]);

function moreOf(doing: readonly string[]): string {
  const [first = ""] = doing;
  return doing.length > 1 ? `${first}, +${doing.length - 1}` : first;
}

function doingOf({ phase, note }: LiveCall): string {
  switch (phase) {
    case "queued":
      return `queued: ${note}`;
    case "prefill":
      return "awaits its first token";
    case "writing":
      return note || "writing";
    case "back-off":
      return `tries again in ${note}`;
    default:
      return phase satisfies never;
  }
}

function waitOf(task: TaskState, { tasks }: RunState, live: LiveState): string {
  const open = (ownValue(live.needs, task.name) ?? []).filter((name) => {
    const status = ownValue(tasks, name)?.status;
    return status === "waiting" || status === "running";
  });
  return open.length > 0 ? `waits for ${open.join(", ")}` : "waits";
}

function reasonOf({ status, error }: TaskState): string {
  return error ? `${status}: ${error.code}` : status;
}

function speedOf(calls: readonly LiveCall[], last: number | undefined, now: number): string {
  const writing = calls.filter(
    ({ firstTokenAt }) => firstTokenAt !== undefined && now - firstTokenAt >= LEAST_WRITING_MS,
  );
  if (writing.length === 0) return last === undefined ? "" : count(last);
  const perSecond = writing.reduce(
    (sum, { tokens: some, firstTokenAt = now }) => sum + (some / (now - firstTokenAt)) * 1_000,
    0,
  );
  return `~${count(perSecond)}`;
}

/** Time that the agent's tasks have taken; tasks at the same time count twice. */
function timeOf(tasks: readonly TaskState[], now: number): string {
  const started = tasks.filter(({ startedAt }) => startedAt !== undefined);
  if (started.length === 0) return "";
  return elapsed(
    started.reduce((sum, { startedAt = now, endedAt = now }) => sum + endedAt - startedAt, 0),
  );
}

const ORDER: readonly Activity[] = ["running", "failed", "waiting", "done"];

/** The rows that say most, in their own order. */
function mostAlive(rows: readonly AgentRow[], most: number): readonly AgentRow[] {
  const ranked = rows.toSorted((a, b) => ORDER.indexOf(a.activity) - ORDER.indexOf(b.activity));
  const kept = new Set(ranked.slice(0, most));
  return rows.filter((row) => kept.has(row));
}
