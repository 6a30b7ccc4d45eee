// Sleeper: an endpoint that may be asleep, as those who wake it see it. Plain data.

import type { Probe } from "./probe.ts";

/** How the workers of an endpoint leave, and how long that is prevented. */
export type IdlePolicy = {
  /** A worker that nobody asks anything leaves after so long. */
  readonly leavesAfterMs: number;
  /** One that a run will need is kept awake at most so long without a call; 0 = it is woken, and not kept. */
  readonly keptAwakeMs: number;
};

export type Sleeper = {
  readonly probe: Probe;
  /** Undefined: awake, it stays so until somebody puts it to sleep. */
  readonly idle: IdlePolicy | undefined;
  /** Calls from here are in flight there: none of its workers leaves. */
  readonly isBusy: () => boolean;
};
