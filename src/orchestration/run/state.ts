// RunState: what is known about a run after its events so far. A pure fold: results, tables and the live view all come from it.

import type { ErrorData } from "../../error.ts";
import { type Json, type JsonObject, ownValue } from "../../json.ts";
import type { Purpose } from "../../inference/model/model.ts";
import { addCallCost, type CallCost, type CostSum, NO_COST } from "../../inference/model/price.ts";
import { addUsage, NO_USAGE, type Usage } from "../../inference/model/usage.ts";
import { type HookFault, withFault } from "./hook-fault.ts";
import { addRead } from "./input-read.ts";
import { inOneGo, withEntry } from "./entry.ts";
import type { RunEvent, RunStatus } from "./event.ts";
import { applyStep, atEnd, type FlowSteps } from "./step-state.ts";
import { taskIn, taskOf } from "./task-path.ts";
import { changeTask, startTasks, type TaskState, type TaskStates } from "./task-state.ts";

export type { TaskState } from "./task-state.ts";

/** What one agent did in a run. `busyMs` = time of its model calls and nothing else. */
export type AgentState = {
  readonly name: string;
  readonly calls: number;
  readonly retries: number;
  readonly toolCalls: number;
  /** Those of `toolCalls` that failed. */
  readonly toolFailures: number;
  readonly usage: Usage;
  readonly cost: CostSum;
  readonly busyMs: number;
};

/** What the calls of one purpose cost. */
export type PurposeState = {
  readonly calls: number;
  readonly usage: Usage;
  readonly cost: CostSum;
};

/** A run, folded. `usage` and `cost` are the sums over agents (invariant C2). */
export type RunState = {
  readonly runId: string;
  /** The crew's name, or the flow's. */
  readonly crew: string;
  readonly status: RunStatus | "running";
  /** Of a flow, by name; empty for a crew. */
  readonly steps: FlowSteps;
  /** In a flow, named after their step and crew: `draft/report/write`. */
  readonly tasks: TaskStates;
  readonly agents: Readonly<Record<string, AgentState>>;
  /** By purpose: "manage" tells what a hierarchy costs. Without failed attempts, which have no purpose. */
  readonly purposes: Readonly<Partial<Record<Purpose, PurposeState>>>;
  readonly usage: Usage;
  readonly cost: CostSum;
  /** Hooks that threw, or returned what they may not; the first 100. The run went on without them. */
  readonly hookFaults: readonly HookFault[];
  readonly raw: string;
  /** Of a flow that has ended: what it came to, and its state. */
  readonly output: Json | undefined;
  readonly flowState: JsonObject | undefined;
  readonly error: ErrorData | undefined;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  /** Of the last fact: one that comes again, as a resumed run's do, changes nothing. */
  readonly seq: number;
};

export const EMPTY_RUN: RunState = {
  runId: "",
  crew: "",
  status: "running",
  steps: {},
  tasks: {},
  agents: {},
  purposes: {},
  usage: NO_USAGE,
  cost: NO_COST,
  hookFaults: [],
  raw: "",
  output: undefined,
  flowState: undefined,
  error: undefined,
  startedAt: undefined,
  endedAt: undefined,
  seq: 0,
};

/** The state after some more events; linear, where each `applyEvent` copies all tasks. */
export function applyEvents(state: RunState, events: readonly RunEvent[]): RunState {
  return inOneGo(() => events.reduce(applyEvent, state));
}

/** The state after one more event. Events that only tell progress leave it as it is. */
export function applyEvent(state: RunState, event: RunEvent): RunState {
  if (event.replayed && event.seq <= state.seq) return state;
  const after = applyFact(state, event);
  return event.seq > after.seq ? { ...after, seq: event.seq } : after;
}

function applyFact(state: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case "run-start":
      return { ...startRun(event), startedAt: event.at };
    case "flow-start": {
      const { runId, flow, at } = event;
      return { ...EMPTY_RUN, runId, crew: flow, startedAt: at, steps: applyStep({}, event) };
    }
    case "step-start":
    case "step-retry":
    case "step-end":
      return { ...state, steps: applyStep(state.steps, event) };
    case "crew-start":
      return { ...state, tasks: { ...state.tasks, ...startTasks(event) } };
    case "crew-end":
      return state;
    case "task-start":
      return withTask(state, taskIn(event.path, event.task), (task) => ({
        ...task,
        agent: event.agent,
        status: "running",
        attempts: event.attempt,
        startedAt: task.startedAt ?? event.at,
        inputs: {},
      }));
    case "task-end": {
      const { task: name, agent, status, raw, finish, standIn, error, at } = event;
      return withTask(state, taskIn(event.path, name), (task) => ({
        ...task,
        agent,
        status,
        raw,
        finish,
        standIn,
        error,
        endedAt: at,
      }));
    }
    case "run-end":
      return {
        ...state,
        status: event.status,
        steps: atEnd(state.steps),
        raw: event.raw,
        error: event.error,
        output: event.output,
        flowState: event.state,
        endedAt: event.at,
      };
    default:
      return applyWork(state, event);
  }
}

type WorkEvent = Exclude<
  RunEvent,
  { readonly type: "task-start" | "task-end" | `${"run" | "crew" | "flow" | "step"}-${string}` }
>;

/** Counts what calls and tools cost. */
function applyWork(state: RunState, event: WorkEvent): RunState {
  switch (event.type) {
    case "model-retry":
    case "model-fallback":
      return count(state, event, {
        usage: event.usage ?? NO_USAGE,
        cost: event.cost,
        retries: 1,
      });
    case "model-end":
      return count(countPurpose(state, event), event, {
        usage: event.usage,
        cost: event.cost,
        calls: 1,
        busyMs: event.status === "done" ? event.timings.totalMs : 0,
      });
    case "tool-end":
      return count(state, event, {
        toolCalls: 1,
        toolFailures: event.status === "failed" ? 1 : 0,
      });
    case "delegation-end":
      return withTask(state, taskOf(event.path) ?? "", (task) => ({
        ...task,
        delegations: task.delegations + 1,
        delegationFailures: task.delegationFailures + (event.status === "failed" ? 1 : 0),
      }));
    case "input-read":
      return withTask(state, taskOf(event.path) ?? "", (task) => ({
        ...task,
        inputs: addRead(task.inputs, event),
      }));
    case "hook-end":
      return { ...state, hookFaults: withFault(state.hookFaults, event) };
    default:
      return state; // all others tell progress, and cost nothing
  }
}

function startRun(event: Extract<RunEvent, { type: "run-start" }>): RunState {
  return { ...EMPTY_RUN, runId: event.runId, crew: event.crew, tasks: startTasks(event) };
}

const EMPTY_AGENT: Omit<AgentState, "name"> = {
  calls: 0,
  retries: 0,
  toolCalls: 0,
  toolFailures: 0,
  usage: NO_USAGE,
  cost: NO_COST,
  busyMs: 0,
};

function withTask(state: RunState, name: string, change: (task: TaskState) => TaskState): RunState {
  return { ...state, tasks: changeTask(state.tasks, name, change) };
}

type Increments = {
  readonly usage?: Usage;
  readonly cost?: CallCost | undefined;
  readonly calls?: number;
  readonly retries?: number;
  readonly toolCalls?: number;
  readonly toolFailures?: number;
  readonly busyMs?: number;
};

function countPurpose(
  state: RunState,
  { purpose, usage, cost }: Extract<RunEvent, { readonly type: "model-end" }>,
): RunState {
  const before = state.purposes[purpose] ?? { calls: 0, usage: NO_USAGE, cost: NO_COST };
  const after = {
    calls: before.calls + 1,
    usage: addUsage(before.usage, usage),
    cost: addCallCost(before.cost, usage, cost),
  };
  return { ...state, purposes: { ...state.purposes, [purpose]: after } };
}

/** Adds to the agent, the task and the run at once, so that their sums cannot differ (C2). */
function count(
  state: RunState,
  event: RunEvent & { readonly agent: string },
  add: Increments,
): RunState {
  const { usage = NO_USAGE, calls = 0, retries = 0, busyMs = 0 } = add;
  const { toolCalls = 0, toolFailures = 0 } = add;
  const agent = ownValue(state.agents, event.agent) ?? { ...EMPTY_AGENT, name: event.agent };
  const counted: RunState = {
    ...state,
    usage: addUsage(state.usage, usage),
    cost: addCallCost(state.cost, usage, add.cost),
    agents: withEntry(state.agents, event.agent, {
      name: agent.name,
      calls: agent.calls + calls,
      retries: agent.retries + retries,
      toolCalls: agent.toolCalls + toolCalls,
      toolFailures: agent.toolFailures + toolFailures,
      usage: addUsage(agent.usage, usage),
      cost: addCallCost(agent.cost, usage, add.cost),
      busyMs: agent.busyMs + busyMs,
    }),
  };
  const name = taskOf(event.path);
  if (name === undefined) return counted;
  return withTask(counted, name, (task) => ({
    ...task,
    calls: task.calls + calls,
    usage: addUsage(task.usage, usage),
    cost: addCallCost(task.cost, usage, add.cost),
  }));
}
