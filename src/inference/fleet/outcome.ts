// What happens when a vLLM server starts: which of its steps fails first, or what the KV cache holds.
//
// The steps, in vLLM's order: it looks whether its share is free, loads the weights, profiles the largest step, gives what is left
// of its share to the KV cache, and checks that the cache holds one request of max_model_len. Loading and profiling are bounded by the
// GPU, not by the share: weights above the share load well and leave nothing for the cache.

import { BLOCK_TOKENS, toBlocks, toKvBytesPerToken } from "./kv.ts";
import type { MemoryCase } from "./memory-case.ts";
import { toNcclBytes, toReserveBytes } from "./reserve.ts";
import {
  NO_KV_BLOCKS,
  tellContextTooLong,
  tellNoFreeMemory,
  tellOutOfMemory,
  tellStart,
} from "./vllm-message.ts";
import { toProjectionBytes, toWeightBytes } from "./weights.ts";

/** Bytes of one server on each of its GPUs. */
export type MemoryUse = {
  /** All of the GPU. */
  readonly gpuBytes: number;
  /** The server's share: GPU × utilisation. */
  readonly budgetBytes: number;
  readonly weightBytes: number;
  /** Activations, CUDA graphs, what is not PyTorch's, NCCL. */
  readonly reserveBytes: number;
  /** What is left of the share for the KV cache; below 0 when that much is missing. */
  readonly poolBytes: number;
  readonly kvBytesPerToken: number;
};

/** How a start ends. `message` is what the server's log says. */
export type Outcome =
  | {
      readonly type: "fits";
      readonly use: MemoryUse;
      /** Of 16 tokens, of one server. */
      readonly blocks: number;
      readonly kvTokens: number;
      /** Requests of max_model_len that the pool holds, as vLLM prints it: with its fraction. */
      readonly maxConcurrency: number;
      /** Lines that the server prints about it. */
      readonly log: readonly string[];
    }
  /** The share is not free: other servers are on the GPU, or the share is the whole GPU. */
  | {
      readonly type: "no-free-memory";
      readonly use: MemoryUse;
      readonly message: string;
      /** Servers that did start before. */
      readonly copiesThatFit: number;
    }
  /** PyTorch runs out of the GPU's memory. */
  | {
      readonly type: "out-of-memory-at-load";
      readonly use: MemoryUse;
      readonly message: string;
      readonly during: "weights" | "profile";
      readonly missingBytes: number;
    }
  | {
      readonly type: "no-kv-blocks";
      readonly use: MemoryUse;
      readonly message: string;
      /** To hold one block. */
      readonly missingBytes: number;
    }
  /** The KV cache cannot hold max_model_len. */
  | {
      readonly type: "context-too-long";
      readonly use: MemoryUse;
      readonly message: string;
      readonly missingBytes: number;
      /** Tokens of the longest request that it does hold: vLLM's estimated maximum model length. */
      readonly longest: number;
    };

/** How the start of the last of `it.copies` servers ends; the ones before it are alike and have started. Never throws. */
export function toOutcome(it: MemoryCase): Outcome {
  const use = toMemoryUse(it);
  const taken = failToReserve(it, use);
  if (taken?.copiesThatFit === 0) return taken;
  const first = failToLoad(it, use) ?? giveBlocks(it, use);
  return first.type === "fits" ? (taken ?? first) : first;
}

/** The bytes of one server on each of its GPUs, whether they fit or not. */
function toMemoryUse(it: MemoryCase): MemoryUse {
  const gpuBytes = it.gpu.memoryBytes;
  const budgetBytes = Math.ceil(gpuBytes * it.gpuMemoryUtilization); // as vLLM rounds
  const weightBytes = toWeightBytes(it.model, it.quantization, it.tensorParallel);
  const reserveBytes = toReserveBytes(it.reserve) + toNcclBytes(it.tensorParallel);
  const kvBytesPerToken = toKvBytesPerToken(it.model, it.kvDtype, it.tensorParallel);
  const poolBytes = budgetBytes - weightBytes - reserveBytes;
  return { gpuBytes, budgetBytes, weightBytes, reserveBytes, poolBytes, kvBytesPerToken };
}

function failToReserve(
  it: MemoryCase,
  use: MemoryUse,
): Extract<Outcome, { readonly type: "no-free-memory" }> | undefined {
  const usable = use.gpuBytes - it.reserve.nonTorchBytes; // its own CUDA context comes before it looks
  const copiesThatFit = Math.floor(usable / use.budgetBytes);
  if (copiesThatFit >= it.copies) return undefined;
  const message = tellNoFreeMemory({
    freeBytes: usable - copiesThatFit * use.budgetBytes,
    gpuBytes: use.gpuBytes,
    utilization: it.gpuMemoryUtilization,
    budgetBytes: use.budgetBytes,
  });
  return { type: "no-free-memory", use, message, copiesThatFit };
}

function failToLoad(it: MemoryCase, use: MemoryUse): Outcome | undefined {
  const { reserve } = it;
  const loadBytes = use.weightBytes + reserve.nonTorchBytes + toNcclBytes(it.tensorParallel);
  const missingBytes = loadBytes + reserve.activationBytes - use.gpuBytes;
  if (missingBytes <= 0) return undefined;
  const during = loadBytes > use.gpuBytes ? "weights" : "profile";
  // vLLM keeps gate and up projection as one tensor, the first that most likely does not fit.
  const layerBytes = (2 * toProjectionBytes(it.model, it.quantization)) / it.tensorParallel;
  const [wantedBytes, freeBytes] =
    during === "weights"
      ? [layerBytes, (use.gpuBytes - reserve.nonTorchBytes) % layerBytes]
      : [reserve.activationBytes, use.gpuBytes - loadBytes];
  const message = tellOutOfMemory({
    gpu: 0,
    wantedBytes,
    gpuBytes: use.gpuBytes,
    freeBytes,
  });
  return { type: "out-of-memory-at-load", use, message, during, missingBytes };
}

function giveBlocks(it: MemoryCase, use: MemoryUse): Outcome {
  const { poolBytes } = use;
  const blockBytes = use.kvBytesPerToken * BLOCK_TOKENS;
  const blocks = Math.floor(poolBytes / blockBytes);
  if (blocks < 1) {
    const missingBytes = blockBytes - poolBytes;
    return { type: "no-kv-blocks", use, message: NO_KV_BLOCKS, missingBytes };
  }
  const { maxModelLen } = it;
  const [kvTokens, needed] = [blocks * BLOCK_TOKENS, toBlocks(maxModelLen)];
  if (blocks < needed) {
    const neededBytes = needed * blockBytes;
    const message = tellContextTooLong({ maxModelLen, neededBytes, poolBytes, longest: kvTokens });
    const missingBytes = neededBytes - poolBytes;
    return { type: "context-too-long", use, message, missingBytes, longest: kvTokens };
  }
  const maxConcurrency = blocks / needed;
  const log = tellStart({ poolBytes, kvTokens, maxModelLen, maxConcurrency });
  return { type: "fits", use, blocks, kvTokens, maxConcurrency, log };
}
