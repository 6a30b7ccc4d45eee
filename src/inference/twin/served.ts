// What a server needs of a replica: the port between an engine with its clock and what stands before it.

import type { GenerateEvent, GenerateRequest } from "./generate.ts";

/** What a replica is doing. Asleep: level 1 keeps the weights in CPU memory, level 2 drops them. */
export type ReplicaState =
  | { readonly type: "starting" | "awake" | "dead" }
  | { readonly type: "asleep"; readonly level: 1 | 2 };

/** A replica's gauges and counters, as vLLM's metrics have them. */
export type ReplicaStats = {
  readonly state: ReplicaState;
  readonly running: number;
  readonly waiting: number;
  /** 0 to 1. */
  readonly kvUsage: number;
  readonly blockSize: number;
  readonly blocks: number;
  /** Tokens that were looked up in the prefix cache, and found. */
  readonly prefixQueries: number;
  readonly prefixHits: number;
  readonly preemptions: number;
};

/** An engine that runs on a clock. */
export interface ServedReplica {
  /** One generation. Leaving the loop or aborting the signal ends it. It ends with one "end" event, also when the engine dies. */
  generate(request: GenerateRequest, signal: AbortSignal): AsyncIterable<GenerateEvent>;
  stats(): ReplicaStats;
  /** Ends what runs with "abort" and frees the memory. */
  sleep(level: 1 | 2): Promise<void>;
  wakeUp(): Promise<void>;
  /** The engine dies at once: everything ends with "error" until it is restarted. */
  kill(): void;
  restart(): Promise<void>;
  /** Takes a share of the KV blocks away, 0 gives them back; a replica that cannot do it has no such function. */
  squeeze?(share: number): void;
}
