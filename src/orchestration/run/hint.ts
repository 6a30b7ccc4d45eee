// What a call tells the pool besides its request: whose it is, how urgent, and what its run still needs.

import type { ModelHints } from "../../inference/model/model.ts";
import type { Durable } from "../durable/durable.ts";
import type { Ask } from "./call.ts";
import type { RunContext } from "./world.ts";

/** What is the same for all calls of a run. */
export type RunHints = Pick<ModelHints, "tenant" | "priority" | "deadlineAt" | "cache">;

export function hintsOf(
  d: Durable,
  { log, hints, remainingTokens }: RunContext,
  { path, purpose, agent, task, remainingCalls, cache }: Ask,
): ModelHints {
  return {
    runId: d.rootId,
    path,
    purpose,
    agent,
    task,
    remainingCalls,
    remainingTokens: remainingTokens(task),
    ...hints,
    ...(cache === undefined ? {} : { cache: cache && hints.cache !== false }),
    isWatched: () => log.isRead(),
  };
}
