// LiveState: what is going on in a run at this moment, folded from its events. RunState says what was; this says what waits for what.

import type { CallTimings } from "../inference/model/model.ts";
import { estimateTokens } from "../inference/model/tokens.ts";
import type { RunEvent } from "../orchestration/run/event.ts";
import { taskIn, taskOf } from "../orchestration/run/task-path.ts";
import { duration } from "./number.ts";

/** A model call that has not ended. */
export type LiveCall = {
  readonly agent: string;
  readonly task: string | undefined;
  /** queued: waits for room; prefill: the prompt is read; writing: tokens come; back-off: it is tried again later. */
  readonly phase: "queued" | "prefill" | "writing" | "back-off";
  /** Why it waits. */
  readonly note: string;
  /** Estimated tokens that have come. */
  readonly tokens: number;
  readonly firstTokenAt: number | undefined;
};

/** A tool that runs. */
export type LiveTool = {
  readonly agent: string;
  readonly task: string | undefined;
  readonly tool: string;
};

/** An agent that waits; `to` = the coworker who works for it. */
export type LiveWait = {
  readonly agent: string;
  readonly task: string | undefined;
  readonly what: string;
  readonly to: string | undefined;
};

/** Everything that goes on. Calls and tools are found by their path. */
export type LiveState = {
  /** What each task waits for before it starts. */
  readonly needs: Readonly<Record<string, readonly string[]>>;
  readonly calls: Readonly<Record<string, LiveCall>>;
  readonly tools: Readonly<Record<string, LiveTool>>;
  /** Agents that wait for somebody: a person, or a coworker that does a piece of their work. */
  readonly waits: Readonly<Record<string, LiveWait>>;
  /** Tokens per second of each agent's last answer, first token to last. */
  readonly speeds: Readonly<Record<string, number>>;
  /** Who answered, as "model at endpoint", with the number of answers. */
  readonly models: Readonly<Record<string, number>>;
};

export const NOTHING_LIVE: LiveState = {
  needs: {},
  calls: {},
  tools: {},
  waits: {},
  speeds: {},
  models: {},
};

/** The state after one more event. */
export function applyLive(live: LiveState, event: RunEvent): LiveState {
  switch (event.type) {
    case "run-start":
    case "crew-start": {
      const nameOf = (task: string): string => taskIn(event.path, task);
      const needs = event.tasks.map(({ name, needs: own }) => [nameOf(name), own.map(nameOf)]);
      return { ...live, needs: { ...live.needs, ...Object.fromEntries(needs) } };
    }
    case "run-end":
      return { ...live, calls: {}, tools: {}, waits: {} };
    case "tool-start": {
      const { agent, tool, path } = event;
      return {
        ...live,
        tools: { ...live.tools, [path.join("/")]: { agent, tool, task: taskOf(path) } },
      };
    }
    case "tool-end":
      return { ...live, tools: without(live.tools, event.path.join("/")) };
    case "model-end":
      return endCall(live, event);
    default:
      return applyCall(applyWait(live, event), event);
  }
}

function applyWait(live: LiveState, event: RunEvent): LiveState {
  const key = event.path.join("/");
  const task = taskOf(event.path);
  switch (event.type) {
    case "ask-start": {
      const wait = { agent: event.agent, task, what: "asks a person", to: undefined };
      return { ...live, waits: { ...live.waits, [key]: wait } };
    }
    case "delegation-start": {
      const { agent, to } = event;
      const wait = { agent, task, what: `waits for ${to}`, to };
      return { ...live, waits: { ...live.waits, [key]: wait } };
    }
    case "ask-end":
    case "delegation-end":
      return { ...live, waits: without(live.waits, key) };
    default:
      return live;
  }
}

type EndEvent = Extract<RunEvent, { readonly type: "model-end" }>;

function endCall(live: LiveState, event: EndEvent): LiveState {
  const calls = without(live.calls, event.path.join("/"));
  if (event.status !== "done") return { ...live, calls };
  const { endpoint, model, usage, timings, agent } = event;
  const name = `${model} at ${endpoint}`;
  const speed = speedOf(usage.output.total, timings);
  return {
    ...live,
    calls,
    models: { ...live.models, [name]: (live.models[name] ?? 0) + 1 },
    speeds: speed === undefined ? live.speeds : { ...live.speeds, [agent]: speed },
  };
}

/** Undefined when the answer came at once: a speed of it would say nothing. */
function speedOf(outputTokens: number, timings: CallTimings): number | undefined {
  if (timings.firstTokenMs === undefined) return undefined;
  const writingMs = timings.totalMs - timings.queueMs - timings.firstTokenMs;
  return writingMs >= LEAST_WRITING_MS ? (outputTokens / writingMs) * 1_000 : undefined;
}

/** Shorter than this a speed is noise. */
export const LEAST_WRITING_MS = 100;

function applyCall(live: LiveState, event: RunEvent): LiveState {
  switch (event.type) {
    case "model-queued":
      return withCall(live, event, { ...NEW_CALL, phase: "queued", note: event.reason });
    case "model-start":
      return withCall(live, event, { ...NEW_CALL, phase: "prefill", note: "" });
    case "model-retry": {
      const note = `${duration(event.afterMs)} after ${event.code}`;
      return withCall(live, event, { ...NEW_CALL, phase: "back-off", note });
    }
    case "model-fallback": {
      const note = `goes on with ${event.to} after ${event.code}`;
      return withCall(live, event, { ...NEW_CALL, phase: "queued", note });
    }
    case "model-delta": {
      const { tokens, firstTokenAt } = live.calls[event.path.join("/")] ?? NEW_CALL;
      return withCall(live, event, {
        phase: "writing",
        note: event.channel === "reasoning" ? "thinking" : "",
        tokens: tokens + weightOf(event.text),
        firstTokenAt: firstTokenAt ?? event.at,
      });
    }
    default:
      return live;
  }
}

const NEW_CALL = { tokens: 0, firstTokenAt: undefined };

function withCall(
  live: LiveState,
  event: RunEvent & { readonly agent: string },
  call: Omit<LiveCall, "agent" | "task">,
): LiveState {
  const { agent, path } = event;
  return {
    ...live,
    calls: { ...live.calls, [path.join("/")]: { agent, task: taskOf(path), ...call } },
  };
}

/** The estimate of a piece of text as a fraction: pieces are short, and rounding each up would double the sum. */
function weightOf(text: string): number {
  return estimateTokens(text.repeat(4)) / 4;
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  const { [key]: _, ...rest } = record;
  return rest;
}

/** "model at endpoint" as people read it: a model without a neural network says so. */
export function modelLabel(name: string): string {
  return name.startsWith("extractive at ") ? "extractive (no neural network)" : name;
}
