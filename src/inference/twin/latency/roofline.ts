// What a step costs by physics: each matrix multiplication is bound by reading its weights or by computing, attention by reading keys
// and values or by computing; the host adds its part. The default of a twin, where nothing was measured.
//
// Pure. Everything that does not change from step to step is worked out once: a step is some twenty multiplications.
//
// What it leaves out: norms and activations (about 5 % of a long prefill), LoRA, CUDA-graph padding, mixtures of experts. How far it
// is off is measured in test/inference/twin/latency/.

import type { Gpu } from "../../fleet/gpu.ts";
import { type KvDtype, toKvBytesPerToken } from "../../fleet/kv.ts";
import type { ModelShape, Quantization } from "../../fleet/model.ts";
import { toProjectionBytes } from "../../fleet/weights.ts";
import { NO_BATCH, type StepBatch, type StepCost } from "../step-cost.ts";
import type { StepCoefficients } from "./coefficients.ts";
import { efficiencyOf, type GpuEfficiency, LARGE_ELEMENTS } from "./efficiency.ts";
import { type StepOverhead, VLLM_OVERHEAD } from "./overhead.ts";

/** A model on a GPU. */
export type RooflineSetup = {
  readonly shape: ModelShape;
  readonly quantization: Quantization;
  readonly kvDtype: KvDtype;
  readonly gpu: Pick<
    Gpu,
    "id" | "bandwidthBytesPerSecond" | "bf16FlopsPerSecond" | "fp8FlopsPerSecond"
  >;
  /** GPUs that share the model. Default 1. */
  readonly tensorParallel?: number | undefined;
  /** Default: measured for the GPU's id, else an H100's. */
  readonly efficiency?: GpuEfficiency | undefined;
  /** Default: vLLM's. `NO_OVERHEAD` gives the operators alone. */
  readonly overhead?: StepOverhead | undefined;
};

/**
 * Milliseconds of a step: Σ over matrices of max(read, compute) + attention of the prefill chunks + attention of the decodes +
 * all-reduces + overhead. Prefill and decode tokens go through the matrices together, as in vLLM, and through attention one after
 * the other.
 * @example Llama-3.1-8B in bf16 on an H100 decodes one sequence in 6.7 ms, of which 5.3 ms read weights; measured 6.48.
 */
export function createRoofline(setup: RooflineSetup): StepCost {
  const linears = toLinears(setup);
  const attention = toAttention(setup);
  const exchange = toExchange(setup);
  const { stepMs, layerMs, requestMs } = setup.overhead ?? VLLM_OVERHEAD;
  const fixedMs = stepMs + layerMs * setup.shape.layers;
  return (batch) => {
    const tokens = batch.prefillTokens + batch.decodeSeqs;
    let ms = fixedMs + requestMs * (batch.prefillSeqs + batch.decodeSeqs);
    for (const { count, readMs, tokenMs, isHead } of linears)
      ms += count * Math.max(readMs, tokenMs * (isHead ? batch.sampledSeqs : tokens));
    return ms + attention(batch) + exchange(tokens);
  };
}

/**
 * The same as seven coefficients: what a fit starts from, and what its numbers are compared with. Reading and computing of all
 * matrices are added up, so a step near the knee, where some are bound by the one and some by the other, comes out a little
 * lower; the floor of an all-reduce is in `fixedMs`, its bytes are in `tokenMs`.
 */
export function toCoefficients(setup: RooflineSetup): StepCoefficients {
  const { stepMs, layerMs, requestMs, frontendMs } = setup.overhead ?? VLLM_OVERHEAD;
  const linears = toLinears(setup);
  const layered = linears.filter(({ isHead }) => !isHead);
  const attention = toAttention(setup);
  const exchange = toExchange(setup);
  return {
    fixedMs: stepMs + layerMs * setup.shape.layers + exchange(0),
    readMs: linears.reduce((sum, { count, readMs }) => sum + count * readMs, 0),
    tokenMs:
      layered.reduce((sum, { count, tokenMs }) => sum + count * tokenMs, 0) +
      (exchange(1) - exchange(0)),
    pairMs: attention({ ...NO_BATCH, prefillAttention: 1 }),
    contextTokenMs: attention({ ...NO_BATCH, decodeContextTokens: 1 }),
    requestMs,
    frontendMs,
  };
}

/** One kind of matrix on one GPU. */
type Linear = {
  /** How many of it a step passes. */
  readonly count: number;
  /** To read it once: the time for few tokens. */
  readonly readMs: number;
  /** To compute one token with it. */
  readonly tokenMs: number;
  /** The output head: it runs for sampled tokens only, and is never quantised. */
  readonly isHead: boolean;
};

function toLinears(setup: RooflineSetup): readonly Linear[] {
  const { shape, tensorParallel = 1 } = setup;
  const { layers, hiddenSize, intermediateSize, heads, kvHeads, headDim, vocabSize } = shape;
  const kvHeadsPerGpu = Math.max(1, kvHeads / tensorParallel);
  const toLinear = (elements: number, isHead = false): Linear => ({
    count: isHead ? 1 : layers,
    isHead,
    ...timesOf(setup, elements, isHead),
  });
  return [
    toLinear(hiddenSize * (heads / tensorParallel + 2 * kvHeadsPerGpu) * headDim),
    toLinear((heads * headDim * hiddenSize) / tensorParallel),
    toLinear((2 * hiddenSize * intermediateSize) / tensorParallel), // gate and up in one
    toLinear((hiddenSize * intermediateSize) / tensorParallel),
    toLinear((hiddenSize * vocabSize) / tensorParallel, true),
  ];
}

function timesOf(
  { shape, quantization, gpu, efficiency = efficiencyOf(gpu.id) }: RooflineSetup,
  elements: number,
  isHead: boolean,
): Pick<Linear, "readMs" | "tokenMs"> {
  const stored = isHead ? "bf16" : quantization;
  const { fp8FlopsPerSecond } = gpu;
  const { mfu, read } = efficiency;
  // Without fp8 tensor cores fp8 is weight-only, like int4: fewer bytes are read, bf16 is computed.
  const isFp8 = stored === "fp8" && fp8FlopsPerSecond !== undefined && mfu.fp8 !== undefined;
  const flopsPerSecond = isFp8
    ? fp8FlopsPerSecond * (mfu.fp8 ?? 0)
    : gpu.bf16FlopsPerSecond * mfu.bf16;
  const reads = (isFp8 ? read.fp8 : undefined) ?? read.bf16;
  const bytesPerSecond =
    gpu.bandwidthBytesPerSecond * (elements >= LARGE_ELEMENTS ? reads.large : reads.small);
  const bytesPerElement =
    toProjectionBytes(shape, stored) / (shape.hiddenSize * shape.intermediateSize);
  const readMs = (elements * bytesPerElement * 1_000) / bytesPerSecond;
  return {
    readMs: Math.max(readMs, isFp8 ? FLOOR_FP8_MS : FLOOR_MS),
    tokenMs: (2 * elements * 1_000) / flopsPerSecond,
  };
}

/** The quickest GEMM, however small: AIConfigurator's tables, August 2026. */
const FLOOR_MS = 0.003;
const FLOOR_FP8_MS = 0.005;

/** Keys and values of decodes are read; those of prefill chunks are read once a chunk or computed with, whichever takes longer. */
function toAttention(setup: RooflineSetup): (batch: StepBatch) => number {
  const { shape, kvDtype, gpu, tensorParallel = 1 } = setup;
  const { attentionMfu, kvRead } = setup.efficiency ?? efficiencyOf(gpu.id);
  const bytesPerToken = toKvBytesPerToken(shape, kvDtype, tensorParallel);
  const contextTokenMs = (bytesPerToken * 1_000) / (kvRead * gpu.bandwidthBytesPerSecond);
  // Two multiplications (scores, values) of two operations each, for each pair of tokens and each channel of the query heads.
  const pairFlops = (4 * shape.layers * shape.heads * shape.headDim) / tensorParallel;
  const pairMs = (pairFlops * 1_000) / (attentionMfu * gpu.bf16FlopsPerSecond);
  return (batch) =>
    contextTokenMs * batch.decodeContextTokens +
    Math.max(pairMs * batch.prefillAttention, contextTokenMs * batch.prefillContextTokens);
}

/** Two all-reduces a layer, in 16 bits. Each moves 2 (n - 1) / n of the tokens' hidden states through each GPU. */
function toExchange(setup: RooflineSetup): (tokens: number) => number {
  const { shape, gpu, tensorParallel = 1 } = setup;
  if (tensorParallel === 1) return () => 0;
  const { allReduceBytesPerSecond } = setup.efficiency ?? efficiencyOf(gpu.id);
  const { allReduceMs } = setup.overhead ?? VLLM_OVERHEAD;
  const moved = (2 * (tensorParallel - 1)) / tensorParallel;
  const tokenMs = (moved * 2 * shape.hiddenSize * 1_000) / allReduceBytesPerSecond;
  return (tokens) => 2 * shape.layers * (allReduceMs + tokenMs * tokens);
}
