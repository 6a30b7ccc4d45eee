// What a step of the engine costs: the batch as the scheduler made it in, milliseconds out.
//
// The engine knows no hardware. Rooflines, operator tables and fits are functions of this type; one that adds noise keeps its own
// seeded generator.

/**
 * One step's work, summed over the sequences in it. A sequence that computes one token is a decode (also the last token of a prompt
 * whose rest was cached: the kernels treat it alike); one that computes more is a prefill chunk. What a preempted sequence
 * computes again counts like any prefill.
 */
export type StepBatch = {
  /** Sequences with a prefill chunk. */
  readonly prefillSeqs: number;
  /** Tokens that they compute. */
  readonly prefillTokens: number;
  /** Sum over chunks of n · (start + n / 2), with n tokens from position `start`: pairs of tokens that attend to each other. */
  readonly prefillAttention: number;
  /** Sum over chunks of start + n: tokens of context whose keys and values these chunks read once. */
  readonly prefillContextTokens: number;
  /** Sequences that compute one token. */
  readonly decodeSeqs: number;
  /** Sum of their contexts, the new token included. */
  readonly decodeContextTokens: number;
  /** Sequences that sample a token at the end of the step: decodes and last chunks. The head of the model runs once for each. */
  readonly sampledSeqs: number;
  /** Sequences that run with a LoRA adapter. */
  readonly loraSeqs: number;
};

/** A batch of nothing, to write others from. */
export const NO_BATCH: StepBatch = {
  prefillSeqs: 0,
  prefillTokens: 0,
  prefillAttention: 0,
  prefillContextTokens: 0,
  decodeSeqs: 0,
  decodeContextTokens: 0,
  sampledSeqs: 0,
  loraSeqs: 0,
};

/**
 * Milliseconds that the step takes: finite and above 0. Called once a step, in order. It must not keep `batch`, which is used again
 * in the next step, and must not throw.
 */
export type StepCost = (batch: StepBatch) => number;

/** Every step takes `ms`. For tests: times are then easy to write down. */
export function constantStepCost(ms: number): StepCost {
  return () => ms;
}
