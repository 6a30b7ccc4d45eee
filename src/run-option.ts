// What a caller says of one run.

import { BosunError, messageOf } from "./error.ts";
import type { ModelRef } from "./inference/model/endpoint.ts";
import type { RunLimits } from "./orchestration/crew/run-limit.ts";
import type { Inputs } from "./orchestration/crew/input.ts";
import type { Decision, Nobody, Question } from "./orchestration/tool/approval.ts";

/**
 * Brings a question to a person. Returning nothing leaves it to somebody else (`StartedRun.answer`), or to its time-out. With
 * `{ nobody: why }`, or when the handler throws, the question's own default holds at once. The signal aborts when the question is
 * over.
 */
export type AskHandler = (
  question: Question,
  context: { readonly signal: AbortSignal },
) => AskAnswer | Promise<AskAnswer>;

type AskAnswer = Decision | Nobody | undefined | void;

/** Options of one run. */
export type RunOptions = {
  readonly inputs: Inputs;
  /** Ends the run as cancelled. */
  readonly signal?: AbortSignal | undefined;
  /** Every agent uses this model, whatever its own is. */
  readonly model?: ModelRef | undefined;
  /** 1 to 64 letters, digits, `_` or `-`. Default: one made from the time. */
  readonly runId?: string | undefined;
  /** Emits each call's prompt as an event. Default false. */
  readonly showPrompts?: boolean | undefined;
  /**
   * Where the crew's questions to people go. Without it those of `kickoff` and `stream` get their own default at once; those of
   * `Bosun.start` wait for `StartedRun.answer`, or for their time-out.
   */
  readonly onAsk?: AskHandler | undefined;
  /** What this run may use at most; each wins over the crew's and the Bosun's own. */
  readonly limits?: RunLimits | undefined;
  /** Whom the run is for: tenants share endpoints by their weights. 1 to 64 letters, digits, `_` or `-`. */
  readonly tenant?: string | undefined;
  /** Lower goes first. A whole number, default 0. */
  readonly priority?: number | undefined;
  /** false: this run's answers are neither taken from the response cache nor kept there. Default: the Bosun's. */
  readonly responseCache?: boolean | undefined;
  /**
   * The conversation that this run belongs to, 1 to 64 letters, digits, `_` or `-`: every task sees what was asked and answered in
   * its earlier runs, the newest first, within `maxTokens` (default 2,000). Kept in the store; without one, in this process.
   */
  readonly session?: string | { readonly id: string; readonly maxTokens?: number } | undefined;
  /** The file or folder that the crew was loaded from: `bosun runs resume` loads it from there. */
  readonly origin?: string | undefined;
};

/** Options of a run that a process which serves its crew executes. */
export type EnqueueOptions = Omit<RunOptions, "signal" | "onAsk"> & {
  /** Default "crews". */
  readonly queue?: string | undefined;
  /** It begins no earlier than this many milliseconds from now. */
  readonly delayMs?: number | undefined;
};

/** Options of a run that goes on. What is not said is as it was. */
export type ResumeOptions = Pick<RunOptions, "signal" | "onAsk" | "model"> & {
  /** Goes on although the crew is not what it was. Default false. */
  readonly acceptChanges?: boolean | undefined;
};

/** Options of a run that begins from another one's steps. */
export type ForkOptions = Pick<RunOptions, "signal" | "onAsk" | "model" | "runId"> & {
  /** The first thing that is done anew: a task's name, or a step's key. What depends on it is done anew too. Default: what the run has not
   * done, or what failed. */
  readonly from?: string | undefined;
  /** Replace those of the run. */
  readonly inputs?: Inputs | undefined;
};

/** A signal with a way to abort it. */
export type Abort = Disposable & {
  readonly signal: AbortSignal;
  readonly cancel: (reason: string) => void;
  readonly abort: (reason: BosunError) => void;
};

/** A signal that aborts with a typed reason: by `cancel`, or when the caller's own signal aborts. */
export function createAbort(signal: AbortSignal | undefined): Abort {
  const controller = new AbortController();
  const cancel = (reason: string): void =>
    controller.abort(new BosunError("run/cancelled", reason, { cause: signal?.reason }));
  const onAbort = (): void => cancel(`the run was cancelled by its caller${whyOf(signal?.reason)}`);
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return {
    signal: controller.signal,
    cancel,
    abort: (reason) => controller.abort(reason),
    [Symbol.dispose]: () => signal?.removeEventListener("abort", onAbort),
  };
}

/** What the caller said of why; nothing for an abort that says nothing. */
function whyOf(reason: unknown): string {
  const isSilent = reason instanceof DOMException && reason.name === "AbortError";
  return isSilent || reason === undefined ? "" : `: ${messageOf(reason)}`;
}
