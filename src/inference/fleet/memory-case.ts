// A question about memory, with every blank filled in and every number checked.

import { BosunError } from "../../error.ts";
import type { Gpu } from "./gpu.ts";
import { requireGpu } from "./gpu-catalogue.ts";
import type { KvDtype } from "./kv.ts";
import type { ModelFacts, ModelChoice, Quantization } from "./model.ts";
import { requireModel } from "./model-catalogue.ts";
import { toAmount, toCount, toPositive } from "./number.ts";
import { DEFAULT_RESERVE, type Reserve } from "./reserve.ts";

/** vLLM's `--gpu-memory-utilization` when nobody says otherwise. Source: vLLM, config/cache.py, August 2026; 0.9 before. */
export const DEFAULT_UTILIZATION = 0.92;

/** What is asked: one vLLM server, or several alike, on one GPU or a group that shares the model. */
export type MemoryRequest = {
  /** A GPU, or any name of one in the catalogue: `"L40S"`. */
  readonly gpu: Gpu | string;
  /** A model in a checkpoint, or any name of one in the catalogue: `"Qwen/Qwen3-32B-FP8"`. */
  readonly model: ModelChoice | string;
  /** Of the weights. Default: the checkpoint's. */
  readonly quantization?: Quantization | undefined;
  /** Of the KV cache. Default `bf16`. Whether the GPU has kernels for fp8 is not checked. */
  readonly kvDtype?: KvDtype | undefined;
  /** GPUs that share the model. Default 1; 2, 4 or 8 for most models: it divides the heads, and divides or is divided by the KV heads. */
  readonly tensorParallel?: number | undefined;
  /** Tokens of the longest request, prompt and answer. Default and bound: the model's context. */
  readonly maxModelLen?: number | undefined;
  /** Share of each GPU that one server may take, above 0 and at most 1. Default 0.92. */
  readonly gpuMemoryUtilization?: number | undefined;
  /** Servers on the same GPUs, each with its share. Default 1, at most 64. */
  readonly copies?: number | undefined;
  /** What servers take besides weights and KV cache. Default 2 GiB. */
  readonly reserve?: Reserve | undefined;
};

/** A request without blanks. */
export type MemoryCase = {
  readonly gpu: Gpu;
  readonly model: ModelFacts;
  readonly quantization: Quantization;
  readonly kvDtype: KvDtype;
  readonly tensorParallel: number;
  readonly maxModelLen: number;
  readonly gpuMemoryUtilization: number;
  readonly copies: number;
  readonly reserve: Reserve;
};

const MAX_GPUS = 64;
const MAX_COPIES = 64;

/**
 * The request with vLLM's defaults.
 * @throws BosunError `fleet/unknown-gpu`, `fleet/unknown-model`, or `fleet/invalid` for a number that vLLM refuses too.
 */
export function toMemoryCase(request: MemoryRequest): MemoryCase {
  const gpu = typeof request.gpu === "string" ? requireGpu(request.gpu) : request.gpu;
  const { model, checkpoint } =
    typeof request.model === "string" ? requireModel(request.model) : request.model;
  const utilization = request.gpuMemoryUtilization ?? DEFAULT_UTILIZATION;
  if (toPositive(utilization, "gpuMemoryUtilization") > 1)
    throw new BosunError(
      "fleet/invalid",
      `gpuMemoryUtilization is a share of the GPU, at most 1, not ${utilization}`,
    );
  const tensorParallel = toCount(request.tensorParallel ?? 1, "tensorParallel", MAX_GPUS);
  if (!isShareable(model, tensorParallel))
    throw new BosunError(
      "fleet/invalid",
      `tensorParallel ${tensorParallel} does not share out ${model.heads} heads and ${model.kvHeads} KV heads of ${model.name}`,
    );
  return {
    gpu,
    model,
    quantization: request.quantization ?? checkpoint.quantization,
    kvDtype: request.kvDtype ?? "bf16",
    tensorParallel,
    maxModelLen: toCount(request.maxModelLen ?? model.maxContext, "maxModelLen", model.maxContext),
    gpuMemoryUtilization: utilization,
    copies: toCount(request.copies ?? 1, "copies", MAX_COPIES),
    reserve: checkReserve(request.reserve ?? DEFAULT_RESERVE),
  };
}

function checkReserve(reserve: Reserve): Reserve {
  toAmount(reserve.activationBytes, "reserve: activationBytes");
  toAmount(reserve.cudaGraphBytes, "reserve: cudaGraphBytes");
  toAmount(reserve.nonTorchBytes, "reserve: nonTorchBytes");
  return reserve;
}

/** Whether vLLM can share a model among so many GPUs: each has equally many heads, and whole KV heads. */
export function isShareable({ heads, kvHeads }: ModelFacts, tensorParallel: number): boolean {
  return (
    heads % tensorParallel === 0 &&
    (kvHeads % tensorParallel === 0 || tensorParallel % kvHeads === 0)
  );
}
