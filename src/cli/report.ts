// What a run came to, as tables: agents, tasks, totals. Pure: the same for a run that just ended and for a stored one.

import { ownValue } from "../json.ts";
import type { AgentState, RunState, TaskState } from "../orchestration/run/state.ts";
import type { FlowStepState } from "../orchestration/run/step-state.ts";
import { commandName } from "./command-name.ts";
import { modelLabel } from "./live.ts";
import { cost, count, duration, share, tokens } from "./number.ts";
import { type Paint, plain, type Style } from "./paint.ts";
import { type Cell, type Column, tableLines } from "./table.ts";
import { taskNotes } from "./task-note.ts";
import { oneLine } from "./width.ts";

/** What a report is made of. */
export type ReportInput = {
  readonly state: RunState;
  /** The run's status as the store sees it, where it differs: "interrupted". */
  readonly status?: string | undefined;
  /** Answers by "model at endpoint" (LiveState). */
  readonly models: Readonly<Record<string, number>>;
  /** Where the run's events were kept; undefined when they were not. */
  readonly keptIn: string | undefined;
  /** What of its steps and tasks only waits, by name, with what for. */
  readonly waits?: Readonly<Record<string, string>> | undefined;
};

export type ReportOptions = {
  readonly columns?: number | undefined;
  readonly paint?: Paint | undefined;
};

/** The lines of a run's tables. */
export function reportLines(input: ReportInput, options: ReportOptions = {}): readonly string[] {
  const { state, models, waits = {} } = input;
  const { paint = plain } = options;
  const agents = Object.values(state.agents);
  const tasks = Object.values(state.tasks);
  const steps = Object.values(state.steps);
  const hasEstimates = agents.some(({ usage }) => usage.source === "estimated");
  return [
    ...tableLines(AGENT_COLUMNS, agentRows(agents, state), options),
    ...(agents.length > 0 ? [""] : []),
    ...(steps.length > 0
      ? [
          ...tableLines(
            STEP_COLUMNS,
            steps.map((step) => stepRow(step, ownValue(waits, step.name))),
            options,
          ),
          "",
        ]
      : []),
    ...tableLines(
      TASK_COLUMNS,
      tasks.map((task) => taskRow(task, ownValue(waits, task.name))),
      options,
    ),
    ...(tasks.length > 0 ? [""] : []),
    ...summaryLines(input, paint),
    ...(hasEstimates ? [paint("dim", "~ estimated from the text: the server did not count")] : []),
    ...Object.keys(models).flatMap((name) =>
      isExtractive(name) ? [paint("yellow", EXTRACTIVE_NOTE)] : [],
    ),
  ];
}

const EXTRACTIVE_NOTE =
  "extractive quotes its sources and writes nothing of its own; give --model for a language model";

const AGENT_COLUMNS: readonly Column[] = [
  { title: "agent", flexible: true },
  { title: "calls", align: "right" },
  { title: "retries", align: "right", dropped: 2 },
  { title: "tools", align: "right" },
  { title: "in", align: "right" },
  { title: "cached", align: "right", dropped: 1 },
  { title: "out", align: "right" },
  { title: "cost", align: "right", dropped: 4 },
  { title: "model time", align: "right" },
  { title: "share", align: "right", dropped: 3 },
];

function agentRows(agents: readonly AgentState[], state: RunState): readonly (readonly Cell[])[] {
  const busyMs = agents.reduce((sum, agent) => sum + agent.busyMs, 0);
  const sum = (field: "calls" | "retries" | "toolCalls" | "toolFailures"): number =>
    agents.reduce((total, agent) => total + agent[field], 0);
  const total: AgentState = {
    name: "total",
    calls: sum("calls"),
    retries: sum("retries"),
    toolCalls: sum("toolCalls"),
    toolFailures: sum("toolFailures"),
    usage: state.usage,
    cost: state.cost,
    busyMs,
  };
  const rows = agents.map((agent) => agentRow(agent, busyMs));
  return agents.length > 1 ? [...rows, agentRow(total, busyMs)] : rows;
}

function agentRow(agent: AgentState, busyMs: number): readonly Cell[] {
  const { name, calls, retries, toolCalls, toolFailures, usage } = agent;
  const { input, output, source } = usage;
  return [
    name,
    count(calls),
    count(retries),
    toolFailures > 0 ? `${count(toolCalls)} (${count(toolFailures)} failed)` : count(toolCalls),
    tokens(input.total, source),
    input.cached === undefined ? "–" : count(input.cached),
    tokens(output.total, source),
    cost(agent.cost, source),
    duration(agent.busyMs),
    share(agent.busyMs, busyMs),
  ];
}

const STEP_COLUMNS: readonly Column[] = [
  { title: "step", flexible: true },
  { title: "status" },
  { title: "calls", align: "right" },
  { title: "tries", align: "right", dropped: 1 },
  { title: "note", flexible: true },
];

function stepRow(step: FlowStepState, wait: string | undefined): readonly Cell[] {
  const { name, status, calls, retries, emitted, error } = step;
  const labels = Object.entries(emitted).map(
    ([label, times]) => `emits ${label}${times > 1 ? ` ×${times}` : ""}`,
  );
  const note = [...(wait === undefined ? [] : [wait]), ...(error ? [error.code] : []), ...labels];
  return [name, cellOf(status, wait), count(calls), count(calls + retries), note.join(", ")];
}

const TASK_COLUMNS: readonly Column[] = [
  { title: "task", flexible: true },
  { title: "status" },
  { title: "agent", flexible: true },
  { title: "attempts", align: "right" },
  { title: "time", align: "right" },
  { title: "note", flexible: true },
];

function taskRow(task: TaskState, wait: string | undefined): readonly Cell[] {
  const { name, status, agent, attempts, startedAt, endedAt, error } = task;
  const isTimed = startedAt !== undefined && endedAt !== undefined;
  return [
    name,
    cellOf(status, wait),
    agent,
    count(attempts),
    duration(isTimed ? endedAt - startedAt : undefined),
    [
      ...(wait === undefined ? [] : [wait]),
      ...(error ? [error.code] : []),
      ...taskNotes(task),
    ].join(", "),
  ];
}

/** What runs and only waits says so, as the run does. */
function cellOf(status: string, wait: string | undefined): Cell {
  return statusCell(wait === undefined ? status : "waiting");
}

/** A status with its mark and colour. */
export function statusCell(status: string): Cell {
  const [mark, style] = STATUS_STYLES[status] ?? ["○", "dim"];
  return { text: `${mark} ${status}`, style };
}

const STATUS_STYLES: Readonly<Record<string, readonly [string, Style]>> = {
  done: ["✓", "green"],
  partial: ["◐", "yellow"],
  failed: ["✗", "red"],
  "timed-out": ["✗", "red"],
  "over-budget": ["✗", "red"],
  interrupted: ["✗", "red"],
  cancelled: ["–", "yellow"],
  skipped: ["–", "dim"],
  running: ["●", "cyan"],
  waiting: ["◌", "yellow"],
};

function summaryLines(input: ReportInput, paint: Paint): readonly string[] {
  const { state, models, keptIn } = input;
  const { runId, crew, startedAt, endedAt } = state;
  const status = input.status ?? state.status;
  const ms = startedAt === undefined || endedAt === undefined ? undefined : endedAt - startedAt;
  const facts: readonly (readonly [string, string])[] = [
    ["run", `${runId} (${crew}): ${status} in ${duration(ms)}`],
    ...costFacts(state),
    ...managerFacts(state),
    ...hookFacts(state),
    ["models", modelNames(models) || "none answered"],
    [
      "kept in",
      keptIn === undefined ? "nowhere" : `${keptIn}; ${commandName()} runs show ${runId}`,
    ],
  ];
  return facts.map(([name, fact]) => `${paint("dim", name.padEnd(9))}${oneLine(fact)}`);
}

/** Where the prices come from (C1). */
function costFacts({
  cost: { sources, unpriced },
}: RunState): readonly (readonly [string, string])[] {
  if (sources.length === 0) return [];
  const missing = unpriced === 0 ? "" : `; ${count(unpriced)} without a price`;
  return [["prices", `${sources.join("; ")}${missing}`]];
}

/** What a hierarchy costs, so that it can be read off. */
function managerFacts({
  purposes,
  agents,
  usage,
}: RunState): readonly (readonly [string, string])[] {
  const { manage } = purposes;
  if (!manage) return [];
  const calls = Object.values(agents).reduce((sum, agent) => sum + agent.calls, 0);
  const used = manage.usage.input.total + manage.usage.output.total;
  const all = usage.input.total + usage.output.total;
  const fact = `${count(manage.calls)} of ${count(calls)} calls, ${tokens(used, manage.usage.source)} of ${tokens(all, usage.source)} tokens (${share(used, all)})`;
  return [["manager", fact]];
}

/** Hooks that failed, each fault once. */
function hookFacts({ hookFaults }: RunState): readonly (readonly [string, string])[] {
  const faults = Map.groupBy(hookFaults, ({ hook, reason }) => `${hook}: ${reason}`);
  return [...faults].map(([fault, all]) => ["hook", `${fault} (×${count(all.length)})`] as const);
}

function modelNames(models: Readonly<Record<string, number>>): string {
  return Object.entries(models)
    .map(([name, answers]) => `${modelLabel(name)} ×${count(answers)}`)
    .join(", ");
}

function isExtractive(name: string): boolean {
  return modelLabel(name) !== name;
}
