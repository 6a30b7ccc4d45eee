// What a server needs of a replica: the engine on its clock, perhaps behind a frontend, and what only a server's surface shows.

import type { Histogram } from "./metric/histogram.ts";
import type { Replica } from "./replica.ts";

/** A replica that is served. */
export type Served = Pick<
  Replica,
  "config" | "generate" | "stats" | "sleep" | "wakeUp" | "kill" | "restart"
> & {
  /** Tokens of each step, for iteration_tokens_total; empty where nobody counts them. */
  readonly iterationTokens?: Histogram | undefined;
  /** Takes a share of the KV cache away, 0 gives it back; undefined where it cannot be done. */
  readonly squeeze?: ((share: number) => void) | undefined;
};
