// How many parameters a model has, and how many bytes they take. Reproduces the table of docs/kv-cache-sizing.md, section "Formula
// for weight bytes".

import type { ModelShape, Quantization } from "./model.ts";

/** Parameters by how a quantised checkpoint treats them. */
export type Parameters = {
  readonly total: number;
  /** Of the projections of attention and MLP: what fp8 and int4 shrink. */
  readonly linear: number;
  /** Embeddings, output head, norms, biases: stay in 16 bits. */
  readonly rest: number;
};

/**
 * The parameters of a model, exact: with V the vocabulary, h the hidden size, i the intermediate one, L layers, q and k query and
 * key-value heads of d, linear = L·(h·(q+2k)·d + q·d·h + 3·h·i), and the rest the embedding V·h, the same again for an output head of
 * its own, two norms of h a layer and a last one.
 * @example Qwen3-8B: 8 190 735 360.
 */
export function toParameters(shape: ModelShape): Parameters {
  const { layers, hiddenSize, intermediateSize, heads, kvHeads, headDim, vocabSize } = shape;
  const attention = hiddenSize * (heads + 2 * kvHeads) * headDim + heads * headDim * hiddenSize;
  const linear = layers * (attention + 3 * hiddenSize * intermediateSize);
  const small =
    2 * hiddenSize +
    (shape.qkNorm ? 2 * headDim : 0) +
    (shape.qkvBias ? (heads + 2 * kvHeads) * headDim : 0);
  const rest =
    vocabSize * hiddenSize * (shape.tiedEmbeddings ? 1 : 2) + layers * small + hiddenSize;
  return { total: linear + rest, linear, rest };
}

/**
 * Bytes of a model's weights on each GPU.
 * @param tensorParallel GPUs that share the weights. Norms and, above the number of KV heads, key and value projections are on each
 *   GPU; that is less than 0.1 % and, at twice the KV heads, about 2 %, and is left out.
 * @example Qwen3-32B in fp8: 34 318 624 768 bytes; two GPUs hold 17 159 312 384 each.
 */
export function toWeightBytes(
  shape: ModelShape,
  quantization: Quantization,
  tensorParallel = 1,
): number {
  const { linear, rest } = toParameters(shape);
  return Math.ceil((linear * BYTES_PER_LINEAR[quantization] + rest * 2) / tensorParallel);
}

/** Bytes of the largest tensors of most models: a projection of the MLP. What PyTorch fails to allocate when weights do not fit. */
export function toProjectionBytes(shape: ModelShape, quantization: Quantization): number {
  return shape.hiddenSize * shape.intermediateSize * BYTES_PER_LINEAR[quantization];
}

/** Bytes of one parameter of a linear layer. */
const BYTES_PER_LINEAR: Readonly<Record<Quantization, number>> = {
  bf16: 2,
  fp8: 1, // and a scale for each tensor or for 128 × 128 weights: less than 0.03 %
  int4: 0.5 + 2.5 / 128, // for 128 weights one scale of 16 bits and one zero point of 4
};
