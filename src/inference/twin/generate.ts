// A generation: what is asked of a twin's engine and what it says. The façade, the in-process Model and fleets speak this.
//
// It deals in token ids: what the text is was decided before (text sources), so a preempted request ends with the same text.

/** A generation as the engine sees it. */
export type GenerateRequest = {
  readonly id: string;
  /** The prompt. Equal beginnings share cached blocks. At least one. */
  readonly promptIds: Int32Array;
  /** The whole answer, chosen by the text source and already cut to max_tokens. At least one: the end of a text is a token too. */
  readonly outputIds: Int32Array;
  /** Why the answer ends where outputIds end. An answer that the engine cuts at its maxModelLen ends with "length". */
  readonly finish: "stop" | "length";
  /** Lower goes first; only with the priority policy. */
  readonly priority: number;
  /** Requests of different salts share no blocks. */
  readonly cacheSalt: string | undefined;
  readonly lora: string | undefined;
};

/** Milliseconds of one generation, as vLLM's per-request metrics have them. */
export type GenerateTimings = {
  /** From its arrival until it was first scheduled. */
  readonly queueMs: number;
  /** From then until its first token. */
  readonly prefillMs: number;
  /** From its first token until its last. */
  readonly decodeMs: number;
};

/** What happens during a generation, in order. Times are on the replica's clock, in milliseconds. */
export type GenerateEvent =
  /** It was scheduled for the first time, at `atMs`. Told when that step has ended, as vLLM's events come with a step's output. */
  | { readonly type: "start"; readonly atMs: number }
  /**
   * Tokens `from` to `to` (exclusive) of outputIds exist; `times` has the exact time of each. In virtual time they come in chunks, the
   * first token at once; a consumer that is slow gets more in one event.
   */
  | {
      readonly type: "tokens";
      readonly from: number;
      readonly to: number;
      readonly times: Float64Array;
    }
  | {
      readonly type: "end";
      /** abort: the caller left, or the server was told to; error: the engine died. */
      readonly finish: "stop" | "length" | "abort" | "error";
      readonly atMs: number;
      readonly timings: GenerateTimings;
      /** Prompt tokens that came from the prefix cache when it was first scheduled. */
      readonly cachedTokens: number;
      readonly preemptions: number;
    };
