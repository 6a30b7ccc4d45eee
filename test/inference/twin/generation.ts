// A replica in a test's hands, and all events of a generation on it.

import type { VirtualClock } from "../../../src/clock.ts";
import type { GenerateEvent, GenerateRequest } from "../../../src/inference/twin/generate.ts";
import {
  createReplica,
  type Replica,
  type ReplicaOptions,
} from "../../../src/inference/twin/replica.ts";
import { constantStepCost } from "../../../src/inference/twin/step-cost.ts";

/** A signal that nobody aborts. */
export const OPEN: AbortSignal = new AbortController().signal;

/** Blocks of 4, steps of 10 ms, but for what the options say. */
export function replicaOn(clock: VirtualClock, options: Partial<ReplicaOptions> = {}): Replica {
  return createReplica({
    config: { numGpuBlocks: 64, blockSize: 4, maxModelLen: 256 },
    stepCost: constantStepCost(10),
    clock,
    ...options,
  });
}

export async function collect(
  replica: Replica,
  of: GenerateRequest,
  signal: AbortSignal = OPEN,
): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = [];
  for await (const event of replica.generate(of, signal)) events.push(event);
  return events;
}
