// When a server's words mean that memory ran out: of the model, or of the worker that the system then killed. Pure.
//
// Only for statuses of 500 and more: below, such words are somebody's prompt. That an engine "encountered an issue" is no proof: vLLM
// says so for each way to die, and only its log knows which.
//
// Repeating: what runs out while it starts, or says that a model does not fit, runs out again. For all else nobody can know here;
// under load it passes, and the pool, which knows the load, takes the word back for a first request (endpoint-guard.ts).

import type { ErrorCode } from "../../error.ts";

/** What a message about memory means. */
export type MemoryMeaning = {
  readonly code: Extract<ErrorCode, "model/out-of-memory" | "worker/out-of-memory">;
  readonly advice: string;
  readonly retryable: boolean;
  /** Into the error's details: the pool tells a model that does not fit from one that is full. */
  readonly details?: { readonly isTooLarge: true };
};

/** A process that the system ended: Ollama's runner, a container's exit, Kubernetes, the kernel's log, vLLM's table of dead processes. */
const KILLED =
  /signal: killed|exit(ed)?( with)?( exit)?[ _]?(code|status)[ :]{1,2}-?(137|9)\b|OOM[ -]?Killed|oom[-_ ]?killer|SIGKILL|signal 9\b|failed core proc\(s\): \{[^}]{0,200}: -9\b/i;

/** Too large whatever the load is: vLLM at its start, Ollama before it loads, llama.cpp's weights. */
const TOO_LARGE =
  /no available memory for the cache blocks|to serve at least one request|requires more system memory|free memory on device .{0,80}less than desired|error loading model: unable to allocate/i;

/**
 * PyTorch and CUDA (also HIP, Metal), SGLang's two steps and its pool, llama.cpp's cache and buffers. Not "KV cache pool is full.
 * Retract requests": SGLang logs that when it copes.
 */
const FULL =
  /out of memory|OutOfMemoryError|CUBLAS_STATUS_ALLOC_FAILED|cudaErrorMemoryAllocation|(failed|unable) to allocate .{0,80}buffer|failed to find (a memory|a kv cache|free) (slot|space)|could not find a kv (cache )?slot|kv cache( pool)? is full|memory layout cannot be allocated|insufficient memory|kIOGPUCommandBufferCallbackErrorOutOfMemory/i;

/** WebDAV's, and what gateways send for a full GPU. */
const INSUFFICIENT_STORAGE = 507;

/** Undefined when it is about something else. */
export function memoryMeaning(status: number, said: string): MemoryMeaning | undefined {
  if (status < 500) return undefined;
  if (KILLED.test(said)) return WORKER;
  if (TOO_LARGE.test(said)) return MODEL_TOO_LARGE;
  return status === INSUFFICIENT_STORAGE || FULL.test(said) ? MODEL_FULL : undefined;
}

const WORKER: MemoryMeaning = {
  code: "worker/out-of-memory",
  retryable: true,
  advice:
    "The system killed the engine, most often for memory: give its container more, or lower what it holds (vLLM: --max-model-len, Ollama: num_ctx)",
};

const MODEL_TOO_LARGE: MemoryMeaning = {
  code: "model/out-of-memory",
  retryable: false,
  details: { isTooLarge: true },
  advice:
    "The model does not fit: take a stronger quantisation, lower --max-model-len (Ollama: num_ctx), or raise --gpu-memory-utilization",
};

const MODEL_FULL: MemoryMeaning = {
  code: "model/out-of-memory",
  retryable: true,
  advice:
    "Send it less at once: lower maxNumSeqs or kvTokens of the endpoint (vLLM: --max-num-seqs, SGLang: --max-running-requests, llama.cpp: --parallel)",
};
