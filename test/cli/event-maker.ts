// RunEvents for tests: facts in order, numbered and placed.

import type { Path } from "../../src/inference/model/model.ts";
import type { Usage } from "../../src/inference/model/usage.ts";
import type { RunEvent, RunFact } from "../../src/orchestration/run/event.ts";
import { applyEvent, EMPTY_RUN, type RunState } from "../../src/orchestration/run/state.ts";
import { applyLive, type LiveState, NOTHING_LIVE } from "../../src/cli/live.ts";

/** A fact with its time and its place. */
export type Placed = { readonly at: number; readonly path?: Path; readonly fact: RunFact };

export function toEvents(placed: readonly Placed[]): readonly RunEvent[] {
  return placed.map(({ at, path = [], fact }, index) => ({
    ...fact,
    runId: "r1",
    path,
    attempt: 1,
    n: 0,
    seq: index + 1,
    at,
    replayed: false,
  }));
}

export function fold(placed: readonly Placed[]): {
  readonly state: RunState;
  readonly live: LiveState;
} {
  const events = toEvents(placed);
  return {
    state: events.reduce((state, event) => applyEvent(state, event), EMPTY_RUN),
    live: events.reduce((live, event) => applyLive(live, event), NOTHING_LIVE),
  };
}

export function usage(input: number, output: number, source: Usage["source"] = "server"): Usage {
  return {
    input: { total: input, cached: undefined },
    output: { total: output, reasoning: undefined },
    source,
  };
}

/** Two agents one after the other; the first one's call has begun to write. */
export const WRITING: readonly Placed[] = [
  {
    at: 0,
    fact: {
      type: "run-start",
      crew: "report",
      process: "sequential",
      inputs: {},
      tasks: [
        { name: "research", agent: "Analyst", needs: [] },
        { name: "write", agent: "Writer", needs: ["research"] },
      ],
      width: 1,
    },
  },
  { at: 0, fact: { type: "task-start", task: "research", agent: "Analyst" } },
  {
    at: 10,
    path: ["task:research", "turn:1"],
    fact: {
      type: "model-start",
      agent: "Analyst",
      endpoint: "gpu-1:8000",
      model: "m",
      purpose: "work",
      call: 1,
    },
  },
  {
    at: 1_000,
    path: ["task:research", "turn:1"],
    fact: { type: "model-delta", agent: "Analyst", channel: "text", text: "x".repeat(400) },
  },
];

/** The same, with the first call and task ended. */
export const FIRST_DONE: readonly Placed[] = [
  ...WRITING,
  {
    at: 3_000,
    path: ["task:research", "turn:1"],
    fact: {
      type: "model-end",
      agent: "Analyst",
      purpose: "work",
      status: "done",
      endpoint: "gpu-1:8000",
      model: "m",
      finish: { unified: "stop", raw: "stop" },
      usage: usage(1_200, 90),
      timings: { queueMs: 0, firstTokenMs: 990, totalMs: 2_990 },
    },
  },
  {
    at: 3_000,
    path: ["task:research"],
    fact: { type: "task-end", task: "research", agent: "Analyst", status: "done", raw: "facts" },
  },
];
