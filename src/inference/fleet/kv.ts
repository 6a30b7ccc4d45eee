// The KV cache: bytes of a token, blocks of 16 tokens, how many requests of a length a pool holds.
//
// Reproduces docs/kv-cache-sizing.md, section "Formula for KV bytes per token".

import type { ModelShape } from "./model.ts";

/** How keys and values are stored; vLLM's `--kv-cache-dtype`. */
export type KvDtype = "bf16" | "fp8";

/** Tokens of a block, vLLM's default `--block-size`. */
export const BLOCK_TOKENS = 16;

/**
 * Bytes that one token takes on each GPU: 2 (keys and values) × layers × KV heads × head size × bytes of a value.
 * @param tensorParallel GPUs that share the KV heads; with more GPUs than heads, heads are on several GPUs.
 * @example Qwen3-32B: 262 144 in bf16, 131 072 in fp8, 131 072 in bf16 on each of two GPUs.
 */
export function toKvBytesPerToken(shape: ModelShape, kvDtype: KvDtype, tensorParallel = 1): number {
  const headsPerGpu = shape.kvHeads / Math.min(tensorParallel, shape.kvHeads);
  return 2 * shape.layers * headsPerGpu * shape.headDim * (kvDtype === "fp8" ? 1 : 2);
}

/**
 * Blocks that a request of so many tokens occupies.
 * @example 2500 tokens: 157.
 */
export function toBlocks(tokens: number): number {
  return Math.ceil(tokens / BLOCK_TOKENS);
}

/**
 * Requests that can all reach `tokens` (prompt and answer) without a preemption, when no prefix is shared; rounded down.
 * @example a pool of 1 900 blocks holds 7 requests of 4 096 tokens.
 */
export function toSafeConcurrency(blocks: number, tokens: number): number {
  return Math.floor(blocks / toBlocks(tokens));
}
