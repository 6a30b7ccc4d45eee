// Whether an engine takes a request. Pure.
//
// Up to 0.28 vLLM takes whatever fits its context; 0.29 can refuse by the number of requests in flight and by the prompt tokens that
// still wait for their first output (pull request 49445; refused with HTTP 503).

import type { EngineConfig } from "./engine-config.ts";
import type { Sequence } from "./sequence.ts";

/** Why a request is not taken. */
export type Refusal = "dead" | "context-length" | "queue-requests" | "queue-tokens";

export type Admission =
  | { readonly type: "admitted"; readonly sequence: Sequence }
  | { readonly type: "refused"; readonly reason: Refusal };

/** What is in flight when a request comes. */
export type Load = {
  readonly isDead: boolean;
  /** Running and waiting. */
  readonly numRequests: number;
  /** Prompt tokens, cached ones included, of all requests without a first token. */
  readonly tokensInPrefill: number;
};

/** Why a prompt of so many tokens is refused, or undefined when it is taken. */
export function findRefusal(
  numPromptTokens: number,
  load: Load,
  { maxModelLen, maxNumQueuedReqs, maxNumQueuedTokens }: EngineConfig,
): Refusal | undefined {
  if (load.isDead) return "dead";
  if (numPromptTokens >= maxModelLen) return "context-length";
  if (maxNumQueuedReqs !== undefined && load.numRequests >= maxNumQueuedReqs)
    return "queue-requests";
  // Like vLLM: the request that reaches the limit is still taken, whatever its length.
  if (maxNumQueuedTokens !== undefined && load.tokensInPrefill >= maxNumQueuedTokens)
    return "queue-tokens";
  return undefined;
}
