// The question of this folder: does it fit, what does it hold, and if not, what would?

import { type MemoryCase, type MemoryRequest, toMemoryCase } from "./memory-case.ts";
import { type Outcome, toOutcome } from "./outcome.ts";
import { findRemedies, type Remedy } from "./remedy.ts";

/** The answer: how the start ends, with all that was assumed. */
export type MemoryPlan = Outcome & {
  /** The request with every default filled in. */
  readonly assumed: MemoryCase;
  /** What would fit, cheapest first; empty when it fits. */
  readonly remedies: readonly Remedy[];
};

/**
 * Whether a vLLM server with this model starts on this GPU, and how many tokens its KV cache then holds.
 * Source: docs/kv-cache-sizing.md. Its reserve of 2 GiB is optimistic; `calibrateReserve` corrects it from a server's log.
 * @throws BosunError `fleet/unknown-gpu`, `fleet/unknown-model`, or `fleet/invalid` for a number that vLLM refuses too.
 * @example
 * planMemory({ gpu: "L40S", model: "Qwen/Qwen3-32B-FP8", maxModelLen: 8192 })
 * // { type: "fits", kvTokens: 30416, maxConcurrency: 3.71, … }
 */
export function planMemory(request: MemoryRequest): MemoryPlan {
  const assumed = toMemoryCase(request);
  const outcome = toOutcome(assumed);
  return { ...outcome, assumed, remedies: findRemedies(assumed, outcome) };
}
