// What a vLLM server takes of its share of a GPU besides weights and KV cache. The least certain term of the whole sum: correct it
// with `calibrateReserve` from the start-up log of your own server.

import { BosunError } from "../../error.ts";
import { toPositive } from "./number.ts";
import { GIB } from "./unit.ts";

/** Bytes on each GPU. */
export type Reserve = {
  /** Peak of activations while the largest step is profiled. */
  readonly activationBytes: number;
  readonly cudaGraphBytes: number;
  /** What PyTorch does not allocate: the CUDA context, libraries. Without NCCL, which `toNcclBytes` gives. */
  readonly nonTorchBytes: number;
};

/**
 * 2 GiB in all, as docs/kv-cache-sizing.md takes, on the optimistic side. How it is split is an estimate after start-up logs in public
 * repositories (vLLM 0.6 to 0.19, models of 2 to 8 billion parameters, read November 2026): activations 1.19 to 1.45 GiB, CUDA graphs
 * 0.79, non-torch 0.05 to 0.20. For comparison, August 2026: AIConfigurator takes 3.5 GiB, BLIS 5.5 GiB for activations alone (dense
 * model, H100, steps of 8,192 tokens).
 */
export const DEFAULT_RESERVE: Reserve = {
  activationBytes: 1.25 * GIB,
  cudaGraphBytes: 0.625 * GIB,
  nonTorchBytes: 0.125 * GIB,
};

/** All of a reserve, in bytes. */
export function toReserveBytes(reserve: Reserve): number {
  return reserve.activationBytes + reserve.cudaGraphBytes + reserve.nonTorchBytes;
}

/**
 * Bytes that NCCL takes on each GPU when several share a model.
 * Source: AIConfigurator, src/aiconfigurator/systems/l40s.yaml, nccl_mem, August 2026 (NCCL 2.27): 342 MiB for 2 GPUs, 392 for 4 and 8.
 */
export function toNcclBytes(tensorParallel: number): number {
  if (tensorParallel === 1) return 0;
  return tensorParallel === 2 ? 358_612_992 : 411_041_792;
}

/**
 * Tokens of the KV cache that a vLLM server printed when it started (`GPU KV cache size: 30,416 tokens`); undefined without that line.
 * Reads the first 10 million characters.
 */
export function readKvCacheTokens(log: string): number | undefined {
  const tokens = /GPU KV cache size: ([\d,]{1,20}) tokens/.exec(log.slice(0, 10_000_000))?.[1];
  return tokens === undefined ? undefined : Number(tokens.replaceAll(",", ""));
}

/**
 * The reserve that explains a measured pool, so that every further plan for that server agrees with it. The parts keep their
 * proportions.
 * @param planned the pool in tokens that was planned with `reserve`, and its bytes per token on a GPU.
 * @param measuredTokens of the server's log, by `readKvCacheTokens`.
 * @throws BosunError `fleet/invalid` when even no reserve at all does not explain it: then memory, utilisation or quantisation differ.
 * @example planned 30 000 tokens of 262 144 bytes with 2 GiB, measured 28 000: 2.488 GiB.
 */
export function calibrateReserve(
  reserve: Reserve,
  planned: { readonly tokens: number; readonly kvBytesPerToken: number },
  measuredTokens: number,
): Reserve {
  toPositive(measuredTokens, "measuredTokens");
  const before = toPositive(toReserveBytes(reserve), "the reserve to correct");
  const after = before + (planned.tokens - measuredTokens) * planned.kvBytesPerToken;
  if (after < 0)
    throw new BosunError(
      "fleet/invalid",
      `a KV cache of ${measuredTokens} tokens is larger than a server without any reserve has: compare GPU, gpuMemoryUtilization, quantization, kvDtype and tensorParallel with the server's`,
    );
  const factor = after / before;
  return {
    activationBytes: reserve.activationBytes * factor,
    cudaGraphBytes: reserve.cudaGraphBytes * factor,
    nonTorchBytes: reserve.nonTorchBytes * factor,
  };
}
