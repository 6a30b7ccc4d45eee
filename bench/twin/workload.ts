// Requests of a fleet of agents: one system prompt for all, a task of its own for each call, answers of many lengths. Seeded.

import type { GenerateRequest, StepCost } from "../../src/twin.ts";

/** Tokens of a call. */
const SHARED_TOKENS = 1_024;
const OWN_TOKENS = 256;
const SHORTEST_ANSWER = 128;
const LONGEST_ANSWER = 384;
/** Different prompts. More than a cache of the benchmark holds, so that only the shared part is hit. */
const PROMPTS = 2_000;

/**
 * Milliseconds of a step as a 32B model in FP8 on one H100 might take: 12 for weights and overhead, 0.08 for each prompt token, 0.00008
 * for each token of context. Not fitted to anything: the benchmark asks what a step costs us, not what it costs a GPU.
 */
export const benchStepCost: StepCost = ({ prefillTokens, decodeSeqs, decodeContextTokens }) =>
  12 + 0.08 * (prefillTokens + decodeSeqs) + 0.000_08 * decodeContextTokens;

/** Gives one request after the other. The arrays are made once, so that their making is not measured. */
export function createWorkload(seed: number): () => GenerateRequest {
  const random = seeded(seed);
  const drawIds = (count: number): Int32Array =>
    Int32Array.from({ length: count }, () => Math.floor(random() * 150_000));
  const shared = drawIds(SHARED_TOKENS);
  const prompts = Array.from({ length: PROMPTS }, () => {
    const prompt = new Int32Array(SHARED_TOKENS + OWN_TOKENS);
    prompt.set(shared);
    prompt.set(drawIds(OWN_TOKENS), SHARED_TOKENS);
    return prompt;
  });
  const answer = drawIds(LONGEST_ANSWER);
  let made = 0;
  return () => {
    const length = Math.floor(SHORTEST_ANSWER + random() * (LONGEST_ANSWER - SHORTEST_ANSWER));
    return {
      id: `r${made}`,
      promptIds: prompts[made++ % PROMPTS] ?? shared,
      outputIds: answer.subarray(0, length),
      finish: "stop",
      priority: 0,
      cacheSalt: undefined,
      lora: undefined,
    };
  };
}

/** Park and Miller's generator: good enough to draw lengths. */
function seeded(seed: number): () => number {
  let state = seed % 2_147_483_647 || 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
