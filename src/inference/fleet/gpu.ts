// A GPU: what it holds, what it moves and computes per second, and what vLLM sets when it starts on it.
//
// It does not know which GPUs there are (gpu-catalogue.ts), their prices (price.ts), and not how much of a peak a kernel reaches: the numbers are those of datasheets.

import { toPositive } from "./number.ts";
import { GIB } from "./unit.ts";

/** What is known of a kind of GPU. */
export type GpuFacts = {
  /** As the fleet file names it: `H100-SXM`. */
  readonly id: string;
  /** Other names, as nvidia-smi, PyTorch and clouds print them. Letters and digits count, case and the rest do not. */
  readonly aliases: readonly string[];
  /** Bytes in all, as nvidia-smi's `memory.total`. CUDA shows programs 0.3 to 0.9 GiB less, which the reserve covers. */
  readonly memoryBytes: number;
  /** Bytes per second of the memory's peak. */
  readonly bandwidthBytesPerSecond: number;
  /** Dense floating-point operations per second of the tensor cores, without sparsity. */
  readonly bf16FlopsPerSecond: number;
  /** Absent where the tensor cores have no fp8: such a GPU stores fp8 weights and computes in bf16. */
  readonly fp8FlopsPerSecond?: number | undefined;
  readonly fp4FlopsPerSecond?: number | undefined;
};

/** A GPU with the limits that vLLM's API server sets on it when nobody does. */
export type Gpu = GpuFacts & {
  /** Requests that run at once, `--max-num-seqs`. */
  readonly maxNumSeqs: number;
  /** Tokens of one step, `--max-num-batched-tokens`. */
  readonly maxNumBatchedTokens: number;
};

/**
 * A GPU of your own, with vLLM's defaults for it.
 * @throws BosunError `fleet/invalid` for a size that is no positive number.
 */
export function defineGpu(facts: GpuFacts): Gpu {
  const where = `GPU ${facts.id}`;
  toPositive(facts.memoryBytes, `${where}: memoryBytes`);
  toPositive(facts.bandwidthBytesPerSecond, `${where}: bandwidthBytesPerSecond`);
  toPositive(facts.bf16FlopsPerSecond, `${where}: bf16FlopsPerSecond`);
  return { ...facts, ...toBatchDefaults(facts) };
}

/**
 * vLLM's own choice for its API server.
 * Source: vLLM, engine/arg_utils.py, get_batch_defaults, August 2026 (0.28): the A100 is excepted by name, since large steps made it slower.
 */
function toBatchDefaults({
  id,
  memoryBytes,
}: GpuFacts): Pick<Gpu, "maxNumSeqs" | "maxNumBatchedTokens"> {
  if (memoryBytes < 70 * GIB || /a100/i.test(id))
    return { maxNumSeqs: 256, maxNumBatchedTokens: 2048 };
  return { maxNumSeqs: 1024, maxNumBatchedTokens: memoryBytes >= 160 * GIB ? 16_384 : 8192 };
}
