// What vLLM and PyTorch print about memory when a server starts, word for word: people search for these lines.
//
// Source: vLLM 0.28, August 2026: v1/core/kv_cache_utils.py and v1/worker; PyTorch 2. The texts are compared with start-up
// logs that public issues show. Numbers are rounded as Python does.

import { GIB, MIB } from "./unit.ts";

/** The engine has nothing left for the KV cache. */
export const NO_KV_BLOCKS =
  "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.";

/** The KV cache cannot hold one request of max_model_len tokens. */
export function tellContextTooLong(sizes: {
  readonly maxModelLen: number;
  readonly neededBytes: number;
  readonly poolBytes: number;
  readonly longest: number;
}): string {
  const { maxModelLen, neededBytes, poolBytes, longest } = sizes;
  return `ValueError: To serve at least one request with the models's max seq len (${maxModelLen}), (${toShort(neededBytes / GIB)} GiB KV cache is needed, which is larger than the available KV cache memory (${toShort(poolBytes / GIB)} GiB). Based on the available memory, the estimated maximum model length is ${longest}. Try increasing \`gpu_memory_utilization\` or decreasing \`max_model_len\` when initializing the engine.`;
}

/** Others hold so much of the GPU that the server does not even begin. */
export function tellNoFreeMemory(sizes: {
  readonly freeBytes: number;
  readonly gpuBytes: number;
  readonly utilization: number;
  readonly budgetBytes: number;
}): string {
  const [free, total, wanted] = [sizes.freeBytes, sizes.gpuBytes, sizes.budgetBytes].map((bytes) =>
    toFixed(bytes / GIB),
  );
  return `ValueError: Free memory on device cuda:0 (${free}/${total} GiB) on startup is less than desired GPU memory utilization (${toFloat(sizes.utilization)}, ${wanted} GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.`;
}

/** PyTorch cannot allocate a tensor. */
export function tellOutOfMemory(sizes: {
  readonly gpu: number;
  readonly wantedBytes: number;
  readonly gpuBytes: number;
  readonly freeBytes: number;
}): string {
  return `torch.OutOfMemoryError: CUDA out of memory. Tried to allocate ${toSize(sizes.wantedBytes)}. GPU ${sizes.gpu} has a total capacity of ${toSize(sizes.gpuBytes)} of which ${toSize(sizes.freeBytes)} is free.`;
}

/** What a server that starts prints about its KV cache. */
export function tellStart(sizes: {
  readonly poolBytes: number;
  readonly kvTokens: number;
  readonly maxModelLen: number;
  readonly maxConcurrency: number;
}): readonly string[] {
  return [
    `Available KV cache memory: ${toFixed(sizes.poolBytes / GIB)} GiB`,
    `GPU KV cache size: ${toGrouped(sizes.kvTokens)} tokens`,
    `Maximum concurrency for ${toGrouped(sizes.maxModelLen)} tokens per request: ${toFixed(sizes.maxConcurrency)}x`,
  ];
}

function toSize(bytes: number): string {
  return bytes >= GIB ? `${toFixed(bytes / GIB)} GiB` : `${toFixed(bytes / MIB)} MiB`;
}

/** As Python prints a float: 1 as 1.0. */
function toFloat(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** 41136 as 41,136. */
function toGrouped(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** As Python's round(value, 2) prints: 3.0, 5.62. */
function toShort(value: number): string {
  return toFixed(value).replace(/0$/, "");
}

/** As Python's `.2f`: an exact half goes to the even digit, where JavaScript takes the upper one. */
function toFixed(value: number): string {
  const hundredths = value * 100;
  const isHalf = hundredths - Math.floor(hundredths) === 0.5 && hundredths / 100 === value;
  return isHalf ? ((2 * Math.round(hundredths / 2)) / 100).toFixed(2) : value.toFixed(2);
}
