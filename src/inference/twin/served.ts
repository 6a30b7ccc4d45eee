// What a server needs of a replica: the engine on its clock, perhaps behind a frontend, and what only a server's surface shows.

import type { Histogram } from "./metric/histogram.ts";
import type { Replica } from "./replica.ts";
import type { Bill } from "./serverless/bill.ts";
import type { DrawnStart } from "./serverless/cold-start.ts";
import type { EndpointHealth } from "./serverless/endpoint.ts";
import type { ResolvedSettings } from "./serverless/settings.ts";

/** A replica that is served. */
export type Served = Pick<
  Replica,
  "config" | "generate" | "stats" | "sleep" | "wakeUp" | "kill" | "restart"
> & {
  /** Tokens of each step, for iteration_tokens_total; empty where nobody counts them. */
  readonly iterationTokens?: Histogram | undefined;
  /** Takes a share of the KV cache away, 0 gives it back; undefined where it cannot be done. */
  readonly squeeze?: ((share: number) => void) | undefined;
  /** How many workers stand behind it; undefined for a replica that is always one. */
  readonly scaling?: Scaling | undefined;
};

/** What a provider tells of an endpoint that it scales. */
export type Scaling = {
  readonly settings: ResolvedSettings;
  health(): EndpointHealth;
  /** The newest starts of each worker, oldest first. */
  starts(): readonly DrawnStart[];
  /** What the workers have cost until now. */
  bill(): Bill;
  /** Ends all workers and what they wait for; nothing is started any more. */
  close(): void;
};
