// What a call tells the pool besides its request: whose it is, how urgent, and what its run still needs.

import type { ModelHints } from "../../inference/model/model.ts";
import type { Durable } from "../durable/durable.ts";
import type { RunContext } from "./world.ts";

/** A call, as far as its hints are made of it. */
type Hinted = Required<Pick<ModelHints, "path" | "purpose" | "remainingCalls">> & {
  readonly agent: string;
  readonly task: string;
  readonly cache?: boolean | undefined;
};

export function hintsOf(
  d: Durable,
  { log, hints, remainingTokens }: RunContext,
  { path, purpose, agent, task, remainingCalls, cache }: Hinted,
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
    ...(cache === false || isRepeated(path) ? { cache: false } : {}),
    isWatched: () => log.isRead(),
  };
}

/** A task is done anew because of what its first attempt came to: answered as before, it would come to the same. */
function isRepeated([first = ""]: ModelHints["path"]): boolean {
  return /~\d+$/.test(first);
}
