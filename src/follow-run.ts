// Following a run that was started or gone on with, a crew's or a flow's, to its end.

import { answerQuestion, bringQuestions } from "./answer.ts";
import type { Clock } from "./clock.ts";
import { BosunError, isBosunError } from "./error.ts";
import { isJson, type Json, notJsonIn } from "./json.ts";
import type { RunHandle, StartOptions } from "./orchestration/durable/engine.ts";
import type { InlineEngine } from "./orchestration/durable/inline.ts";
import type { RunLog } from "./orchestration/run/log.ts";
import type { RunState } from "./orchestration/run/state.ts";
import type { RunContext } from "./orchestration/run/world.ts";
import type { Decision, Nobody } from "./orchestration/tool/approval.ts";
import { createAbort, type RunOptions } from "./run-option.ts";

/** A run that has been started. */
export type StartedRun = {
  readonly runId: string;
  readonly log: RunLog;
  /**
   * The folded events at the end, whatever it is.
   * @throws BosunError `store/failed` when they could not be kept, `run/suspended` when the run was given back and can be resumed,
   *   `run/lease-lost` when another process has taken it.
   */
  readonly ended: Promise<RunState>;
  cancel(reason: string): void;
  /** Stops it without an end: it can be resumed. `ended` throws the cause, if there is one. Where nothing is kept it ends as cancelled. */
  giveBack(reason: string, cause?: unknown): void;
  /**
   * Gives a question of this run (event `ask-start`) its answer, by its name.
   * @returns false when it changes nothing: there is no such question, it has been answered, its time is over, or the run has ended.
   * @throws BosunError `usage` for a decision that is none.
   */
  answer(name: string, decision: Decision | Nobody): boolean;
  /**
   * Gives a flow what it waits for (`waitFor`), also before it does.
   * @returns false when it changes nothing: it was given before, its time is over, or the run has ended.
   * @throws BosunError `usage` for what is no JSON.
   */
  send(name: string, value: Json): boolean;
  /** The first error of a task that failed, with its own cause; undefined while there is none. */
  cause(): unknown;
};

/** The first failure of a run's parts, for its own error. */
export type Causes = {
  readonly noteFailure: (error: BosunError) => void;
  readonly cause: () => unknown;
};

export function createCauses(): Causes {
  let cause: unknown;
  return { noteFailure: (error) => void (cause ??= error), cause: () => cause };
}

/** What is followed. */
export type Following = Causes & {
  readonly engine: Pick<InlineEngine, "signal">;
  readonly clock: Clock;
  /** Whether its steps are kept: it can be given back. */
  readonly isKept: boolean;
  readonly runId: string;
  /** "crew", "flow". */
  readonly kind: string;
  readonly name: string;
  readonly timeoutMs: number;
  /** Once it is bound. */
  readonly logOf: () => RunLog | undefined;
  readonly begin: (options: StartOptions) => Promise<Begun>;
  /** Questions that nobody needs to be asked again. */
  readonly answered?: ReadonlySet<string> | undefined;
};

/** A run that is executed here. */
export type Begun = Pick<RunContext, "log" | "asked"> & {
  readonly handle: RunHandle<unknown>;
  /** It has ended, or goes on elsewhere. */
  readonly letGo: () => void;
  /** What is to be done with what it came to. */
  readonly note?: ((state: RunState) => Promise<void>) | undefined;
};

export async function followRun(
  run: Pick<RunOptions, "signal" | "onAsk">,
  following: Following,
): Promise<StartedRun> {
  const { engine, clock, isKept, runId, timeoutMs, logOf, begin, cause, answered } = following;
  const abort = createAbort(run.signal);
  const begun = await begin({
    id: runId,
    signal: abort.signal,
    timeoutMs,
    timeoutError: () => timedOut(following),
    onSuspend: (reason) => logOf()?.close(reason),
    settle: async () => logOf()?.flushed(),
  }).catch((error: unknown) => {
    abort[Symbol.dispose]();
    throw error;
  });
  const { log } = begun;
  const answer: StartedRun["answer"] = (name, decision) =>
    answerQuestion(engine, begun, { name, decision });
  const send: StartedRun["send"] = (name, value) => {
    if (isJson(value)) return engine.signal(runId, name, value);
    const what = `what run ${runId} is given as "${name}"`;
    throw new BosunError("usage", `${what} must be JSON, but ${notJsonIn(value)}`);
  };
  const { cancel } = abort;
  const giveBack = (reason: string, error?: unknown): void => {
    if (!isKept) return cancel(reason);
    const suspension = new BosunError("run/suspended", reason, { retryable: true, cause: error });
    log.close(suspension);
    abort.abort(suspension);
  };
  const answering = { answer, giveBack, answered, clock, signal: abort.signal };
  if (run.onAsk) bringQuestions(log, run.onAsk, answering);
  const followed = follow(begun.handle.result(), log, () => {
    abort[Symbol.dispose]();
    begun.letGo();
  });
  const ended = followed.then(async (state) => {
    await begun.note?.(state);
    return state;
  });
  ended.catch(() => undefined); // whoever awaits `ended` gets the error; a detached run must not end the process
  return { runId, log, ended, cancel, giveBack, cause, answer, send };
}

function timedOut({ kind, name, timeoutMs }: Following): BosunError {
  const advice = `Raise its timeoutMs, or look at which ${kind === "flow" ? "step" : "task"} was slow`;
  return new BosunError(
    "run/timed-out",
    `the ${kind} "${name}" did not end within ${timeoutMs} ms. ${advice}`,
  );
}

/** Waits for a run's end and for its events to be kept. How it ended is in its events, so an error of the run is no error here. */
async function follow(work: Promise<unknown>, log: RunLog, done: () => void): Promise<RunState> {
  try {
    try {
      await work;
    } catch (error) {
      // The body has emitted run-end with this error; one that it has not emitted is a defect of Bosun, or no end, and must be seen.
      const isTold = log.state.endedAt !== undefined && isBosunError(error);
      if (!isTold || error.code === "run/nondeterministic") throw error;
    }
    await log.flushed();
    return log.state;
  } finally {
    done();
  }
}
