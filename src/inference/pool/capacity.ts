// Capacity: what one endpoint holds. Plain data, from the fleet file or told by the endpoint itself.

/** What one endpoint holds. Undefined = not known, and so no bound of its own. */
export type Capacity = {
  /** Tokens of its KV cache; of one worker, where the provider scales it. */
  readonly kvTokens?: number | undefined;
  /** Requests that it computes at once (vLLM's max_num_seqs); of one worker, where the provider scales it. */
  readonly maxNumSeqs?: number | undefined;
  /** Most prompt tokens that are sent and not computed yet. */
  readonly prefillTokens?: number | undefined;
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  /** The part of all this that belongs to this process, above 0 to 1. Default 1. */
  readonly share?: number | undefined;
  /** Workers that its provider may start: the bounds above are then times this. Default 1. */
  readonly maxWorkers?: number | undefined;
};
