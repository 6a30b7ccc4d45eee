// What happens to a request before the scheduler sees it: the server's own work, and the step that is scheduled ahead.
//
// vLLM schedules one step while the one before it runs (async scheduling, the default since 0.14): a request that comes during step k
// runs in step k + 2. On servers that are not idle this is what the first token waits for most: time to first token was 2.3 to 2.9
// steps on three GPUs and nine models (S2R, June 2026).

import type { Clock } from "../../../clock.ts";
import type { GenerateEvent, GenerateRequest } from "../generate.ts";
import type { ReplicaOptions } from "../replica.ts";
import { createReplica, type Replica } from "../replica.ts";
import { VLLM_OVERHEAD } from "./overhead.ts";

/** How a server treats a request first. */
export type FrontendOptions = {
  /** Milliseconds of each request. Default 5 (overhead.ts). */
  readonly frontendMs?: number | undefined;
  /** The engine schedules one step ahead. Default true. */
  readonly isAsync?: boolean | undefined;
};

/** A replica and the way into it. */
export type ServedReplica = {
  readonly replica: Replica;
  /** As the replica's, after the frontend's time. @throws also the signal's reason when it aborts before. */
  readonly generate: (
    request: GenerateRequest,
    signal: AbortSignal,
  ) => AsyncGenerator<GenerateEvent>;
};

/**
 * A replica behind a frontend. The step ahead is as long as the step before it was, in steady load the same: the wait has the right
 * distribution, not the right single times.
 */
export function createServedReplica(
  options: ReplicaOptions,
  { frontendMs = VLLM_OVERHEAD.frontendMs, isAsync = true }: FrontendOptions = {},
): ServedReplica {
  let stepMs = 0;
  const replica = createReplica({
    ...options,
    onStep: (step) => {
      stepMs = step.endedAtMs - step.beganAtMs;
      options.onStep?.(step);
    },
  });
  const isBusy = (): boolean => replica.stats().numRequestsRunning > 0;
  return {
    replica,
    async *generate(request, signal) {
      await wait(replica.clock, frontendMs, signal);
      if (isAsync && isBusy()) await wait(replica.clock, stepMs, signal);
      yield* replica.generate(request, signal);
    },
  };
}

async function wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await clock.sleep(ms, signal);
}
