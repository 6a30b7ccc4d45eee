// The durable port: what a run's body may use so that its results survive. Engines implement it; `inline` keeps nothing.
//
// Invariants
//   D1  A key is unique inside its run. A committed step is never executed again.
//   D2  A body awaits only calls of its Durable (Promise.all over them is allowed) and is deterministic given their results.
//   D3  When a run ends, nothing of it runs on: steps are aborted, children joined, sleeps dropped.
//   D4  An aborted run's pending calls reject at once; a step's function has STEP_GRACE_MS to hand over what it has.

import type { Json } from "../../json.ts";

/** What a step's function gets. */
export type StepContext = {
  readonly key: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
};

/** A child run. `result` rejects with a BosunError when it fails, is cancelled or runs out of time. */
export interface Child<Output> {
  readonly result: Promise<Output>;
  cancel(reason: string): void;
}

/** Options of a child run. */
export type ChildOptions = {
  /** The child is aborted after this many milliseconds and rejects with `timeoutError`. */
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
  /** Runs `fn` once and keeps its result. Nothing durable happens inside a step. */
  step<T extends Json | undefined>(
    key: string,
    fn: (context: StepContext) => Promise<T>,
  ): Promise<T>;
  sleep(key: string, ms: number): Promise<void>;
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
}

/** A durable function. Inputs and outputs are JSON; what is not JSON reaches the body from its world. */
export interface Flow<I extends Json, O extends Json> {
  readonly name: string;
  readonly version: string;
  run(durable: Durable, input: I): Promise<O>;
}

/** Options of a run. */
export type StartOptions = {
  readonly id: string;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
  readonly timeoutError?: (() => Error) | undefined;
};

/** Runs flows. */
export interface DurableEngine {
  readonly name: "inline";
  /** Gives a running root run what it waits for, now or later. False when nobody can get it: no such run here, or too late. */
  signal(rootId: string, name: string, value: Json): boolean;
  /** @throws what the body throws, or the reason of its abort. */
  start<I extends Json, O extends Json>(
    flow: Flow<I, O>,
    input: I,
    options: StartOptions,
  ): Promise<O>;
}
