// Probe: what an endpoint tells about itself besides answers. An HTTP endpoint's is read from its /metrics; a Model may bring its own.

import type { Capacity } from "./capacity.ts";

/** What an endpoint showed at one time. Undefined = it does not tell. Counters count from its start. */
export type Gauges = {
  /** Clock.now() in ms when it was read. */
  readonly at: number;
  readonly running: number | undefined;
  readonly waiting: number | undefined;
  /** 0 to 1. */
  readonly kvUsage: number | undefined;
  /** Counter. */
  readonly preemptions: number | undefined;
  /** Counters, in tokens. */
  readonly prefixQueries: number | undefined;
  readonly prefixHits: number | undefined;
};

export type Health = "awake" | "asleep" | "starting" | "unhealthy";

export interface Probe {
  /** Undefined when it tells nothing. May reject: then nothing is known now. */
  gauges(signal: AbortSignal): Promise<Gauges | undefined>;
  /** What it holds, as far as it tells. May reject. */
  capacity(signal: AbortSignal): Promise<Capacity>;
  /** May reject when nobody answers. */
  health(signal: AbortSignal): Promise<Health>;
  /**
   * Wakes an endpoint that sleeps or has no worker, without waiting for it longer than one request takes. One that is awake is asked
   * something by it, so that its worker does not leave. True when the answer shows that it is awake; false says nothing. May reject.
   */
  wake(signal: AbortSignal): Promise<boolean>;
}
