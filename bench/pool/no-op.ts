// A Model that does nothing, a pool over some of them, and the calls that they get: what is left is what the pool costs.

import { systemClock } from "../../src/clock.ts";
import type { Model, ModelEvent, ModelRequest } from "../../src/inference/model/model.ts";
import type { PoolEndpoint } from "../../src/inference/pool/deployment.ts";
import { createPool } from "../../src/inference/pool/pool.ts";

export const ENDPOINTS = 8;
/** Characters of a prompt: 500 tokens, as most calls of most crews. */
export const PROMPT_CHARACTERS = 2_000;
/** What a fleet file says of an endpoint. */
export const KNOWN: PoolEndpoint["capacity"] = { kvTokens: 10_000_000, maxNumSeqs: 256 };

/** A pool over so many endpoints, each a no-op Model. */
export function poolOf(capacity: PoolEndpoint["capacity"], count: number): Model {
  const endpoint = (index: number): PoolEndpoint => ({
    name: `endpoint-${index}`,
    at: { ...noop },
    capacity,
  });
  const others = Array.from({ length: count - 1 }, (_, index) => endpoint(index + 1));
  const deployment = {
    type: "deployment",
    name: "model",
    endpoints: [endpoint(0), ...others],
  } as const;
  return createPool({ clock: systemClock, resolve: () => deployment });
}

const USAGE = {
  input: { total: 500, cached: undefined },
  output: { total: 20, reasoning: undefined },
  source: "server",
} as const;

/** Answers at once. */
export const noop: Model = {
  async *call(): AsyncGenerator<ModelEvent> {
    yield { type: "start", endpoint: "no-op", model: "no-op", attempt: 1 };
    yield {
      type: "end",
      text: "done",
      reasoning: "",
      calls: [],
      finish: { unified: "stop", raw: "stop" },
      usage: USAGE,
      timings: { queueMs: 0, firstTokenMs: 0, totalMs: 0 },
      endpoint: "no-op",
      model: "no-op",
    };
  },
  contextTokens: async () => 100_000,
};

const SHARED = "You are an analyst who answers in one word. "
  .repeat(30)
  .slice(0, PROMPT_CHARACTERS / 2);

/** A call of a crew; half of its prompt is what all have. */
export function requestOf(index: number): ModelRequest {
  const own = `Question ${index}: `.padEnd(PROMPT_CHARACTERS / 2, "what is it? ");
  return {
    models: ["model"],
    messages: [
      { role: "system", content: SHARED },
      { role: "user", content: own },
    ],
    settings: { maxTokens: 100 },
    hints: {
      runId: `run-${index % 100}`,
      path: ["task:a", "turn:1"],
      purpose: "work",
      remainingCalls: index % 20,
      agent: "analyst",
      task: "a",
    },
  };
}
