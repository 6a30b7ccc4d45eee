// How long answers get: a quantile of what was seen, learned for each agent and task. What is reserved for an answer is what it will
// probably take, not what it may take: with maxTokens for each, a KV cache would stand three quarters empty.

import type { ModelHints } from "../model/model.ts";
import { putNewest } from "../../newest.ts";

export interface ExpectedOutput {
  /** Tokens of a call's answer, at most `maxTokens`. */
  tokens(hints: ModelHints, maxTokens: number): number;
  learn(hints: ModelHints, tokens: number): void;
  /** What was learned of an agent's work at a task; undefined before there is enough. */
  known(agent: string, task: string): number | undefined;
}

/** Of the answers seen, this share was shorter. */
const QUANTILE = 0.6;
/** Answers remembered of each kind, and kinds remembered. */
const MAX_SAMPLES = 64;
const MAX_KINDS = 4_096;
/** Before anything was seen. Answers of agents have some hundred tokens. */
const UNSEEN_TOKENS = 512;
/** An answer of a kind counts by itself once it was seen so often; before, all answers together are asked. */
const LEAST_SAMPLES = 3;

/** @param quantile 0 to 1. Default 0.6. */
export function createExpectedOutput(quantile: number = QUANTILE): ExpectedOutput {
  const kinds = new Map<string, Samples>();
  const all = createSamples(quantile);
  return {
    tokens(hints, maxTokens) {
      const own = kinds.get(kindOf(hints));
      const seen = own && own.count() >= LEAST_SAMPLES ? own : all;
      const expected = hints.expectedTokens ?? (seen.count() > 0 ? seen.quantile() : UNSEEN_TOKENS);
      return Math.max(1, Math.min(maxTokens, expected));
    },
    known(agent, task) {
      const own = kinds.get(kindOf({ agent, task, purpose: "work" }));
      return own && own.count() >= LEAST_SAMPLES ? own.quantile() : undefined;
    },
    learn(hints, tokens) {
      all.add(tokens);
      const kind = kindOf(hints);
      const samples = kinds.get(kind) ?? createSamples(quantile);
      samples.add(tokens);
      putNewest(kinds, [kind, samples], MAX_KINDS);
    },
  };
}

function kindOf({
  agent = "",
  task = "",
  purpose,
}: Pick<ModelHints, "agent" | "task" | "purpose">): string {
  return `${agent}\n${task}\n${purpose}`;
}

type Samples = { add(value: number): void; count(): number; quantile(): number };

/** The newest samples; the quantile is made anew only after a new one. */
function createSamples(quantile: number): Samples {
  const ring: number[] = [];
  let next = 0;
  let known: number | undefined;
  return {
    add(value) {
      ring[next] = value;
      next = (next + 1) % MAX_SAMPLES;
      known = undefined;
    },
    count: () => ring.length,
    quantile() {
      known ??= ring.toSorted((a, b) => a - b)[Math.floor(ring.length * quantile)];
      return known ?? UNSEEN_TOKENS;
    },
  };
}
