// The crew's hooks around tasks and at the end. Those of tasks run beside whatever else goes on; who needs them done waits for them.

import type { Durable } from "../durable/durable.ts";
import { runHook } from "./hook.ts";
import { endsOf, type Outcome, type Progress } from "./progress.ts";
import type { RunContext, World } from "./world.ts";

/** What a crew's body gives its hooks. */
export type HookBody = {
  readonly d: Durable;
  readonly world: World;
  readonly run: RunContext;
  readonly progress: Progress;
  /** Settles when the hook has been told of every task that ended so far; rejects when it blocks. */
  telling: Promise<void>;
};

export const NOTHING_TOLD: Promise<void> = Promise.resolve();

/** The name of the telling among what the body races; no task can have it. */
export const TELLING = "hook:onTask";

/** Tells the hook of the tasks that have ended, one after the other, in the order in which they ended. */
export function tellEnded(body: HookBody): void {
  const { d, world, run, progress } = body;
  const untold = progress.untold.splice(0);
  if (run.crew.hooks.onTask === undefined || untold.length === 0) return;
  const earlier = body.telling;
  const tell = async (): Promise<void> => {
    await earlier;
    for (const { task, agent, ended } of untold) {
      const at = { hook: "onTask", path: [`task:${task}`] } as const;
      await runHook(d, world, at, { task, agent, status: ended.status, raw: ended.raw });
    }
  };
  body.telling = tell();
  body.telling.catch(() => undefined); // allTold reads it; a run that is aborted before does not
  progress.results.set(TELLING, body.telling);
}

/** Waits until the hook has been told of all. @throws BosunError `hook/blocked`. */
export async function allTold(body: HookBody): Promise<void> {
  tellEnded(body);
  body.progress.results.delete(TELLING);
  await body.telling;
}

/** What the run comes to, as the hook at its end wants it. @throws BosunError `hook/blocked`. */
export async function hookOutcome(
  { d, world, run, progress }: HookBody,
  outcome: Outcome,
): Promise<Outcome> {
  if (run.crew.hooks.afterKickoff === undefined) return outcome;
  const { status, raw } = outcome;
  const subject = { inputs: run.inputs, status, raw, tasks: endsOf(progress) };
  const changed = await runHook(d, world, { hook: "afterKickoff", path: [] }, subject);
  return typeof changed === "string" ? { ...outcome, raw: changed } : outcome;
}
