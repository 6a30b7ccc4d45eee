// One event as one line, for logs and pipes. Pure. Deltas and prompts have no line: prompts have a block (prompt-lines.ts).

import type { RunEvent } from "../orchestration/run/event.ts";
import { lengthOf } from "../orchestration/run/range.ts";
import { crewPlace, taskIn, taskOf } from "../orchestration/run/task-path.ts";
import { modelLabel } from "./live.ts";
import { count, duration, several, share, tokens } from "./number.ts";
import { taskNotes } from "./task-note.ts";
import { cutTo, oneLine } from "./width.ts";

/** Most characters of a line: messages and names come from outside. */
const MAX_LINE = 400;

/** The line, with the seconds since the run's start in front; undefined for an event that has none. */
export function eventLine(event: RunEvent, startedAt: number): string | undefined {
  const said = saidOf(event);
  if (said === undefined) return undefined;
  const seconds = `${((event.at - startedAt) / 1_000).toFixed(1)} s`.padStart(8);
  return oneLineOf(seconds, said);
}

function oneLineOf(seconds: string, said: string): string {
  const line = oneLine(said);
  return `${seconds}  ${line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line}`;
}

function saidOf(event: RunEvent): string | undefined {
  return isOfFlow(event) ? flowLine(event) : runLine(event);
}

function isOfFlow(event: RunEvent): event is FlowLineEvent {
  return /^(?:flow|step|crew)-/.test(event.type);
}

function runLine(event: Exclude<RunEvent, FlowLineEvent>): string | undefined {
  switch (event.type) {
    case "run-start":
      return `run ${event.runId}: crew ${event.crew}, ${several(event.tasks.length, "task")}, ${event.process}`;
    case "task-start":
      return `${taskLabel(event)}: ${event.agent} starts${event.attempt > 1 ? `, attempt ${event.attempt}` : ""}`;
    case "task-retry":
      return `${taskLabel(event)}: attempt ${event.attempt} follows [${event.error.code}] ${event.error.message}`;
    case "task-end":
      return `${[`${taskLabel(event)}: ${event.status}`, ...taskNotes(event)].join(", ")}${reasonOf(event.error)}`;
    case "run-end": // the whole error stands at the end of the output
      return `run ${event.runId}: ${event.status}${event.error ? ` [${event.error.code}]` : ""}`;
    case "tool-start":
      return `${agentLabel(event)}: calls ${event.tool}(${event.arguments})`;
    case "tool-end":
      return `${agentLabel(event)}: ${event.tool} ${event.status}, ${count(event.tokens)} tokens${toolNotes(event)}${event.content === "" ? "" : `: ${cutTo(event.content, SHORT)}`}`;
    default:
      return modelLine(event);
  }
}

/** A task, in a flow by its place, as the report names it: crews that run at once are told apart. */
function taskLabel({ path, task }: Pick<TaskEvent, "path" | "task">): string {
  return `task ${taskIn(path, task)}`;
}

type TaskEvent = Extract<RunEvent, { readonly type: "task-start" }>;

/** Who does or wants something; in a flow with the place before it. A step that asks a person is its own agent. */
function agentLabel({ path, agent }: Pick<TaskEvent, "path" | "agent">): string {
  const place = crewPlace(path);
  if (place.length === 0) return agent;
  return place.length === 1 ? `step ${place[0]}` : `${taskOf(path) ?? place.join("/")}, ${agent}`;
}

/** Before what is neither a task's nor an agent's; nothing for a crew's own run. */
function placeLabel({ path }: Pick<TaskEvent, "path">): string {
  return crewPlace(path).length === 0 ? "" : `${taskOf(path) ?? crewPlace(path).join("/")}: `;
}

type FlowLineEvent = Extract<
  RunEvent,
  { readonly type: "flow-start" | `${"step" | "crew"}-${string}` }
>;

function flowLine(event: FlowLineEvent): string {
  switch (event.type) {
    case "flow-start":
      return `run ${event.runId}: flow ${event.flow}, ${several(event.steps.length, "step")}`;
    case "step-start":
      return `step ${event.step}: starts${event.call > 1 ? `, call ${event.call}` : ""}`;
    case "step-retry":
      return `step ${event.step}: ${event.by === "retry" ? "another try" : "its onError"} follows [${event.error.code}] ${event.error.message}`;
    case "step-end":
      return `step ${event.step}: ${[event.status, ...event.labels.map((label) => `emits ${label}`)].join(", ")}${reasonOf(event.error)}`;
    case "crew-start":
      return `${crewPlace(event.path).join("/")}: crew ${event.crew}, ${several(event.tasks.length, "task")}, ${event.process}`;
    case "crew-end":
      return `${crewPlace(event.path).join("/")}: ${event.status}${reasonOf(event.error)}`;
    default:
      return event satisfies never;
  }
}

/** Longest text of somebody else's that a line shows, and of an error that is told again when it stays. */
const SHOWN = 200;
const SHORT = 80;

function workLine(event: WorkLineEvent): string {
  switch (event.type) {
    case "delegation-start":
      return `${agentLabel(event)}: ${DELEGATES[event.kind]} ${event.to} [${event.id}]: ${cutTo(event.text, SHOWN)}`;
    case "delegation-end":
      return `${agentLabel({ ...event, agent: event.to })}: ${ENDED[event.status]} ${event.id} for ${event.agent}${reasonOf(event.error)}`;
    case "guardrail-end":
      return `${taskLabel(event)}: guardrail ${event.guardrail} ${event.status}${because(event.reason)}`;
    case "ask-start":
      return askLine(event);
    case "ask-end":
      return `${agentLabel(event)}: ${event.answer} by ${ANSWERED_BY[event.by]}${because(event.reason)}`;
    case "hook-end":
      return `${placeLabel(event)}hook ${event.hook}: ${event.status}${because(event.reason)}`;
    case "plan-end":
      return event.status === "done"
        ? `${placeLabel(event)}plan: made for ${several(Object.keys(event.plans).length, "task")}`
        : `${placeLabel(event)}plan: failed, the tasks go on without one${reasonOf(event.error)}`;
    case "file-write":
      return `${taskLabel(event)}: written to ${event.file}`;
    default:
      return event satisfies never;
  }
}

type Ask = Extract<RunEvent, { readonly type: "ask-start" }>;

function askLine(event: Ask): string {
  const wait = `waits for a person at most ${duration(event.timeoutMs)}`;
  switch (event.subject) {
    case "tool":
      return `${agentLabel(event)}: ${wait}: may it call ${event.tool}?`;
    case "answer":
      return `${agentLabel(event)}: ${wait}: is the answer of ${taskLabel(event)} good?`;
    case "question":
      return `${agentLabel(event)} asks: ${cutTo(oneLine(event.text), SHOWN)} (${wait})`;
    default:
      return event satisfies never;
  }
}

const ENDED = { done: "has done", failed: "could not do", cancelled: "was cancelled at" } as const;

const DELEGATES = {
  delegate: "gives work to",
  ask: "asks",
  "send-back": "sends back to",
} as const;

const ANSWERED_BY = { person: "a person", timeout: "time-out", nobody: "nobody" } as const;

function because(reason: string | undefined): string {
  return reason === undefined ? "" : `: ${cutTo(reason, SHOWN)}`;
}

type ModelLineEvent = Exclude<
  RunEvent,
  {
    readonly type:
      | FlowLineEvent["type"]
      | "run-start"
      | "task-start"
      | "task-retry"
      | "task-end"
      | "run-end"
      | "tool-start"
      | "tool-end";
  }
>;

function modelLine(event: ModelLineEvent): string | undefined {
  switch (event.type) {
    case "context-trim":
      return trimLine(event);
    case "input-read":
      return `${agentLabel(event)}: has read ${share(lengthOf(event.ranges), event.characters)} of the input ${event.input}`;
    case "model-queued":
      return `${agentLabel(event)}: queued: ${event.reason}`;
    case "model-start":
      return `${agentLabel(event)}: asks ${modelLabel(`${event.model} at ${event.endpoint}`)}${event.call > 1 ? `, try ${event.call}` : ""}`;
    case "model-retry":
      return `${agentLabel(event)}: tries again in ${duration(event.afterMs)} after [${event.code}] ${cutTo(event.message, SHORT)}`;
    case "model-fallback":
      return `${agentLabel(event)}: goes on with ${event.to} after [${event.code}] of ${event.from}`;
    case "model-end": {
      if (event.status !== "done")
        return `${agentLabel(event)}: call ${event.status}${reasonOf(event.error)}`;
      const { usage, timings, finish, cached } = event;
      if (cached) return `${agentLabel(event)}: answers from the response cache, nothing paid`;
      const cut = finish.unified === "length" ? ", cut at maxTokens" : "";
      return `${agentLabel(event)}: answers, ${tokens(usage.input.total, usage.source)} tokens in, ${tokens(usage.output.total, usage.source)} out, ${duration(timings.totalMs)}${cut}`;
    }
    case "model-prompt":
    case "model-delta":
      return undefined;
    default:
      return workLine(event);
  }
}

type Trim = Extract<RunEvent, { readonly type: "context-trim" }>;

function trimLine(event: Trim): string {
  const { part, how = "cut", tokensBefore, tokensAfter, failure } = event;
  const why = failure ? `, as a summary failed:${reasonOf(failure)}` : "";
  return `${placeLabel(event)}context: ${part} ${TRIMMED[how]} from ${count(tokensBefore)} to ${count(tokensAfter)} tokens${why}`;
}

const TRIMMED = { cut: "cut", summary: "summarised", retrieval: "made searchable," } as const;

type WorkLineEvent = Exclude<
  ModelLineEvent,
  { readonly type: "context-trim" | "input-read" | `model-${string}` }
>;

type ToolEnd = Extract<RunEvent, { readonly type: "tool-end" }>;

function toolNotes({ truncated, cached, error }: ToolEnd): string {
  return `${truncated ? ", cut" : ""}${cached ? ", from the cache" : ""}${reasonOf(error)}`;
}

function reasonOf(error: { readonly code: string; readonly message: string } | undefined): string {
  return error ? ` [${error.code}] ${error.message}` : "";
}
