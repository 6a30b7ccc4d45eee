// What is known of an endpoint's memory when it runs out: plain data between the watch, the report and the setting to change.

/** Calls at one time: of the call that failed, or the largest of each that went well (0 when none did). */
export type Load = {
  readonly promptTokens: number;
  /** Prompts and answers of all calls in flight, this one included. */
  readonly tokensInFlight: number;
  readonly inFlight: number;
};

/** How prompts changed. `perStep` = tokens that each step (a run, a call) adds by the line that fits best. */
export type Growth = {
  readonly steps: number;
  readonly first: number;
  readonly last: number;
  readonly perStep: number;
  /** 0 to 1: how much of what is seen the line explains (r²). */
  readonly fit: number;
};

/** What is known of an endpoint when it runs out of memory. */
export type MemoryFacts = {
  /** What it said, and whether that means that it does not fit whatever the load is. */
  readonly said: string;
  readonly isTooLarge: boolean;
  readonly failed: Load;
  /** The most that went well. */
  readonly best: Load;
  /** Calls that went well, and runs that made any call. */
  readonly calls: number;
  readonly runs: number;
  /** The longest prompt of each run, from run to run. */
  readonly overRuns: Growth | undefined;
  /** The prompts of the run that failed, from call to call. */
  readonly inRun: Growth | undefined;
  /** Tokens of its KV cache; undefined = not known. */
  readonly kvTokens: number | undefined;
};
