// What a run asks of its engine: one journal for each execution of a root run, shared with its children. Keys are whole there: a
// child's are below its own.
//
// Whatever comes from outside a body (a step's outcome, a sleep's end, an answer, the end of a limit) goes through the journal, which
// gives it to the body in the order in which it is kept (D5).

import type { Json } from "../../json.ts";

/** What one execution of a root run keeps, and what earlier executions kept. */
export interface Journal {
  /** Milliseconds that one try of a step may take. */
  readonly maxStepMs: number;
  /**
   * What the step `key` came to; else what `work` comes to, once that is kept.
   * @param work gets how often earlier executions began it and did not end it. It may be called in the same turn.
   */
  step(key: string, work: (begun: number) => Promise<Json | undefined>): Promise<Json | undefined>;
  /** Resolves `ms` after the first execution called it. `signal` drops it. */
  sleep(key: string, ms: number, signal: AbortSignal): Promise<void>;
  /** What is given to the root run under `name`; undefined when nothing came within `timeoutMs` of the first execution's call. */
  wait(name: string, timeoutMs: number, signal: AbortSignal): Promise<Json | undefined>;
  /**
   * Something that may happen by itself, such as the end of a time. When it does, that is kept, and then `deliver` is called, also in
   * later executions.
   */
  occurrence(key: string, deliver: () => void): Occurrence;
  /** The body waits for this, which is not of the journal. What is kept comes after it. Default: nothing is kept. */
  hold?(work: Promise<unknown>): void;
}

/** Disposing it says that it will not happen any more. */
export interface Occurrence extends Disposable {
  happened(): void;
}
