// The durable port, the body's side: what a run's body may use so that its results survive. engine.ts has the other side.
//
// Invariants
//   D1  A key is unique inside its run. A committed step is never executed again.
//   D2  A body awaits only calls of its Durable (Promise.all over them is allowed) and is deterministic given their results.
//   D3  When a run ends, nothing of it runs on: steps are aborted, children joined, sleeps dropped.
//   D4  An aborted run's pending calls reject at once; a step's function has STEP_GRACE_MS to hand over what it has.
//   D5  What a body gets comes in one order, that in which it was kept: an execution that repeats it gets the same, in the same order.

import type { BosunError } from "../../error.ts";
import type { Json } from "../../json.ts";

/** What a step's function gets. */
export type StepContext = {
  readonly key: string;
  /** From 1. Counts tries that failed, and those that a process began and did not live to end, as far as they were noted. */
  readonly attempt: number;
  readonly signal: AbortSignal;
};

/** How often a step is tried, and for how long. */
export type StepOptions = {
  /** Tries after the first one failed. Default 0. */
  readonly retries?: number | undefined;
  /** Milliseconds before the second try; doubles with each. Default 200. */
  readonly backoffMs?: number | undefined;
  /** Default 30,000. */
  readonly maxBackoffMs?: number | undefined;
  /** Milliseconds of one try; longer ones fail as `run/step-timed-out`. Default and most: the engine's `caps.maxStepMs`. */
  readonly timeoutMs?: number | undefined;
  /** Default: every error is worth another try. */
  readonly retryIf?: ((error: BosunError) => boolean) | undefined;
};

/** A child run. `result` rejects with a BosunError when it fails, is cancelled or runs out of time. */
export interface Child<Output> {
  readonly result: Promise<Output>;
  cancel(reason: string): void;
}

/** Options of a child run. */
export type ChildOptions = {
  /** The child is aborted after this many milliseconds and rejects with `timeoutError`. A resumed child has them anew. */
  readonly timeoutMs?: number | undefined;
  readonly timeoutError?: (() => Error) | undefined;
};

/** Promises by key. A map that lives on from race to race saves making a record of all that run for each of them. */
export type Pending<K extends string> =
  | Readonly<Record<K, Promise<unknown>>>
  | ReadonlyMap<K, Promise<unknown>>;

/** What a body may use. Every call is named by a key that stays the same when the body is replayed. */
export interface Durable {
  readonly runId: string;
  readonly rootId: string;
  readonly signal: AbortSignal;
  /**
   * Runs `fn` once and keeps what it comes to, an error too. Nothing durable happens inside a step.
   * @throws what `fn` throws; after a restart a BosunError, or an Error of the same name and message.
   */
  step<T extends Json | undefined>(
    key: string,
    fn: (context: StepContext) => Promise<T>,
    options?: StepOptions,
  ): Promise<T>;
  /** Resolves `ms` milliseconds after it was first called, also when the process has been away meanwhile. */
  sleep(key: string, ms: number): Promise<void>;
  /**
   * Does work that every execution does anew, and that comes to the same in each: nothing of it is kept. Whatever a body awaits besides
   * calls of its Durable stands here.
   */
  local<T>(work: () => Promise<T>): Promise<T>;
  /**
   * What somebody outside gives this root run under `name` (DurableEngine.signal), also before the wait began; undefined when
   * nothing came within `timeoutMs`. The name is unique in the root run. Time limits of this run and its parents stand still.
   */
  wait(name: string, options: { readonly timeoutMs: number }): Promise<Json | undefined>;
  child<I extends Json, O extends Json>(
    key: string,
    flow: Flow<I, O>,
    input: I,
    options?: ChildOptions,
  ): Child<O>;
  /** The key of the first promise that settles, also when it rejects. */
  race<K extends string>(key: string, pending: Pending<K>): Promise<K>;
  /** The clock's time, kept: milliseconds. */
  now(key: string): Promise<number>;
  /** 0 included to 1 excluded; the same row of numbers in every execution of this run, another one in each child. No secret. */
  random(): number;
}

/** A durable function. Inputs and outputs are JSON; what is not JSON reaches the body from its world. */
export interface Flow<I extends Json, O extends Json> {
  readonly name: string;
  /** A run goes on only with the version that it began with. */
  readonly version: string;
  /** How long a try of a step of it may take, where that is longer than the engine's own `maxStepMs`. */
  readonly maxStepMs?: number | undefined;
  run(durable: Durable, input: I): Promise<O>;
}
