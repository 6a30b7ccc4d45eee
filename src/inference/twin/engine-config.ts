// What an engine is started with: vLLM's own options, by their own names.
//
// Sources: vLLM 0.28 (docs.vllm.ai, config/scheduler.py, config/cache.py), read 2026-11-25.

import { BosunError } from "../../error.ts";

/** The options of one engine, complete. All are whole numbers of tokens, blocks or requests. */
export type EngineConfig = {
  /** Blocks of KV cache, all of them usable (vLLM keeps one of its own as a null block). */
  readonly numGpuBlocks: number;
  /** Tokens in a block. Default 16. */
  readonly blockSize: number;
  /** Prompt and answer of one request together. It must fit into the blocks. */
  readonly maxModelLen: number;
  /** Requests that run at once. Default 256, which servers below 70 GiB have; 1,024 above. */
  readonly maxNumSeqs: number;
  /** Tokens computed in one step. Default 2,048, which servers below 80 GB have; 8,192 on an H100. */
  readonly maxNumBatchedTokens: number;
  /** Tokens of one prompt computed in one step; 0, the default, for no bound of its own. */
  readonly longPrefillTokenThreshold: number;
  /** Lets a prompt be computed in several steps. Default true. */
  readonly enableChunkedPrefill: boolean;
  /** Default "fcfs". */
  readonly schedulingPolicy: "fcfs" | "priority";
  /** Admits a request only if its whole prompt fits into free blocks, not only its first chunk. Default true. */
  readonly schedulerReserveFullIsl: boolean;
  /** Default true. */
  readonly enablePrefixCaching: boolean;
  /** LoRA adapters that run at once. Default 1. */
  readonly maxLoras: number;
  /** Requests in flight above which a new one is refused (since vLLM 0.29). Default undefined: unbounded. */
  readonly maxNumQueuedReqs: number | undefined;
  /** Prompt tokens still without a first token from which on a request is refused (since 0.29). Default undefined: unbounded. */
  readonly maxNumQueuedTokens: number | undefined;
};

/** What must be said; the rest has vLLM's defaults. */
export type EngineOptions = Pick<EngineConfig, "numGpuBlocks" | "maxModelLen"> &
  Partial<EngineConfig>;

const DEFAULTS = {
  blockSize: 16,
  maxNumSeqs: 256,
  maxNumBatchedTokens: 2_048,
  longPrefillTokenThreshold: 0,
  enableChunkedPrefill: true,
  schedulingPolicy: "fcfs",
  schedulerReserveFullIsl: true,
  enablePrefixCaching: true,
  maxLoras: 1,
  maxNumQueuedReqs: undefined,
  maxNumQueuedTokens: undefined,
} as const;

/** The options with vLLM's defaults. @throws config/invalid for what vLLM would not start with. */
export function toEngineConfig(options: EngineOptions): EngineConfig {
  const config: EngineConfig = { ...DEFAULTS, ...options };
  for (const name of COUNTS) checkCount(name, config[name], 1);
  checkCount("longPrefillTokenThreshold", config.longPrefillTokenThreshold, 0);
  for (const name of LIMITS) {
    const value = config[name];
    if (value !== undefined) checkCount(name, value, 1);
  }
  const kvTokens = config.numGpuBlocks * config.blockSize;
  if (kvTokens < config.maxModelLen) {
    throw invalid(
      `to serve one request of maxModelLen ${config.maxModelLen}, more KV cache is needed than ${kvTokens} tokens (${config.numGpuBlocks} blocks): lower maxModelLen or raise numGpuBlocks`,
    );
  }
  if (config.maxNumBatchedTokens < config.maxNumSeqs) {
    throw invalid(
      `maxNumBatchedTokens (${config.maxNumBatchedTokens}) must be at least maxNumSeqs (${config.maxNumSeqs})`,
    );
  }
  if (!config.enableChunkedPrefill && config.maxNumBatchedTokens < config.maxModelLen) {
    throw invalid(
      `without chunked prefill maxNumBatchedTokens (${config.maxNumBatchedTokens}) must be at least maxModelLen (${config.maxModelLen})`,
    );
  }
  return config;
}

const COUNTS = [
  "numGpuBlocks",
  "blockSize",
  "maxModelLen",
  "maxNumSeqs",
  "maxNumBatchedTokens",
  "maxLoras",
] as const;

const LIMITS = ["maxNumQueuedReqs", "maxNumQueuedTokens"] as const;

function checkCount(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw invalid(`${name} must be a whole number of at least ${least}, got ${value}`);
}

function invalid(message: string): BosunError {
  return new BosunError("config/invalid", `twin engine: ${message}`);
}
