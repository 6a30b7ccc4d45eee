// One event as one line, for logs and pipes. Pure. Deltas and prompts have no line: prompts have a block (prompt-lines.ts).

import type { RunEvent } from "../orchestration/run/event.ts";
import { lengthOf } from "../orchestration/run/range.ts";
import { crewPlace } from "../orchestration/run/task-path.ts";
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
      return `task ${event.task}: ${event.agent} starts${event.attempt > 1 ? `, attempt ${event.attempt}` : ""}`;
    case "task-retry":
      return `task ${event.task}: attempt ${event.attempt} follows [${event.error.code}] ${event.error.message}`;
    case "task-end":
      return `task ${[`${event.task}: ${event.status}`, ...taskNotes(event)].join(", ")}${reasonOf(event.error)}`;
    case "run-end": // the whole error stands at the end of the output
      return `run ${event.runId}: ${event.status}${event.error ? ` [${event.error.code}]` : ""}`;
    case "tool-start":
      return `${event.agent}: calls ${event.tool}(${event.arguments})`;
    case "tool-end":
      return `${event.agent}: ${event.tool} ${event.status}, ${count(event.tokens)} tokens${toolNotes(event)}${event.content === "" ? "" : `: ${cutTo(event.content, SHORT)}`}`;
    default:
      return modelLine(event);
  }
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
      return `${event.agent}: ${DELEGATES[event.kind]} ${event.to} [${event.id}]: ${cutTo(event.text, SHOWN)}`;
    case "delegation-end":
      return `${event.to}: ${ENDED[event.status]} ${event.id} for ${event.agent}${reasonOf(event.error)}`;
    case "guardrail-end":
      return `task ${event.task}: guardrail ${event.guardrail} ${event.status}${because(event.reason)}`;
    case "ask-start":
      return `${event.agent}: waits for a person at most ${duration(event.timeoutMs)}: ${event.subject === "tool" ? `may it call ${event.tool}?` : `is the answer of task ${event.task} good?`}`;
    case "ask-end":
      return `${event.agent}: ${event.answer} by ${ANSWERED_BY[event.by]}${because(event.reason)}`;
    case "hook-end":
      return `hook ${event.hook}: ${event.status}${because(event.reason)}`;
    case "plan-end":
      return event.status === "done"
        ? `plan: made for ${several(Object.keys(event.plans).length, "task")}`
        : `plan: failed, the tasks go on without one${reasonOf(event.error)}`;
    case "file-write":
      return `task ${event.task}: written to ${event.file}`;
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
      return `${event.agent}: has read ${share(lengthOf(event.ranges), event.characters)} of the input ${event.input}`;
    case "model-queued":
      return `${event.agent}: queued: ${event.reason}`;
    case "model-start":
      return `${event.agent}: asks ${modelLabel(`${event.model} at ${event.endpoint}`)}${event.call > 1 ? `, try ${event.call}` : ""}`;
    case "model-retry":
      return `${event.agent}: tries again in ${duration(event.afterMs)} after [${event.code}] ${cutTo(event.message, SHORT)}`;
    case "model-fallback":
      return `${event.agent}: goes on with ${event.to} after [${event.code}] of ${event.from}`;
    case "model-end": {
      if (event.status !== "done")
        return `${event.agent}: call ${event.status}${reasonOf(event.error)}`;
      const { usage, timings, finish, cached } = event;
      if (cached) return `${event.agent}: answers from the response cache, nothing paid`;
      const cut = finish.unified === "length" ? ", cut at maxTokens" : "";
      return `${event.agent}: answers, ${tokens(usage.input.total, usage.source)} tokens in, ${tokens(usage.output.total, usage.source)} out, ${duration(timings.totalMs)}${cut}`;
    }
    case "model-prompt":
    case "model-delta":
      return undefined;
    default:
      return workLine(event);
  }
}

type Trim = Extract<RunEvent, { readonly type: "context-trim" }>;

function trimLine({ part, how = "cut", tokensBefore, tokensAfter, failure }: Trim): string {
  const why = failure ? `, as a summary failed:${reasonOf(failure)}` : "";
  return `context: ${part} ${TRIMMED[how]} from ${count(tokensBefore)} to ${count(tokensAfter)} tokens${why}`;
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
