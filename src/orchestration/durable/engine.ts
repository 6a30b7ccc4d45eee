// The durable port, the host's side: what starts, finds, resumes and ends runs. Engines implement it.

import type { BosunError } from "../../error.ts";
import type { Json } from "../../json.ts";
import type { Flow } from "./durable.ts";

/**
 * Where a run stands. "queued": no process has begun it, or its time has not come. "waiting": it waits for somebody outside or for
 * its time, also while no process executes it (RunRecord.isExecuted). "interrupted": its process is gone, or gave it back: `resume`
 * goes on with it.
 */
export type RunPhase =
  | "queued"
  | "running"
  | "waiting"
  | "interrupted"
  | "done"
  | "failed"
  | "cancelled";

/** Options of a run. */
export type StartOptions = {
  /** The same id is the same run: a second start gives a handle of the first. 1 to 64 letters, digits, `_` or `-`. */
  readonly id: string;
  /** Ends the run when it aborts, if this process executes it. */
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly timeoutError?: (() => Error) | undefined;
  /**
   * Told before this process stops executing the run without its end, as after `suspend` or when its lease is lost: what its body does from
   * then on means nothing.
   */
  readonly onSuspend?: ((reason: BosunError) => void) | undefined;
  /** Awaited when the body has ended, before the run's end is kept. When it rejects, the run has no end here, and is given back. */
  readonly settle?: (() => Promise<void>) | undefined;
  /** The run waits in this queue for a process that serves it. Default: it begins at once in this process. */
  readonly queue?: string | undefined;
  /** Lower goes first in its queue. Default 0. */
  readonly priority?: number | undefined;
  /** It begins no earlier than this many milliseconds from now. Only with a queue. */
  readonly delayMs?: number | undefined;
  /** Whose run it is, for `perTenant`. */
  readonly tenant?: string | undefined;
};

/** What the caller says of an execution in this process. */
export type ExecuteOptions = Pick<
  StartOptions,
  "signal" | "timeoutMs" | "timeoutError" | "onSuspend" | "settle"
> & {
  /** Awaited once the run is this process's, before its body begins. When it rejects, the run is given back. */
  readonly prepare?: (() => Promise<void>) | undefined;
};

/** A run, wherever it is executed. */
export interface RunHandle<Output> {
  readonly id: string;
  /**
   * What the run comes to. It may be asked as often as one likes.
   * @throws the run's error; `run/suspended` when this process gave it back, `run/lease-lost` when another one took it.
   */
  result(signal?: AbortSignal): Promise<Output>;
}

/** What is known of a run. Times are milliseconds since 1970. */
export type RunRecord = {
  readonly id: string;
  readonly flow: string;
  readonly version: string;
  readonly phase: RunPhase;
  /** Whether a process that lives has it. */
  readonly isExecuted: boolean;
  readonly queue: string | undefined;
  readonly priority: number;
  readonly tenant: string | undefined;
  /** How many executions it has had: 1 for a run that was never interrupted. On Restate attempts, as its server counts them. */
  readonly executions: number;
  readonly createdAt: number;
  readonly endedAt: number | undefined;
  readonly error: string | undefined;
};

/** What is known of a step. `ms` = how long it took; undefined for one that has been begun and not ended. */
export type StepRecord = {
  readonly key: string;
  readonly status: "begun" | "done" | "failed";
  readonly attempt: number;
  readonly startedAt: number;
  readonly ms: number | undefined;
  readonly bytes: number;
  /** Of an open sleep or wait, where the engine knows it: when its time is over, in milliseconds since 1970. */
  readonly until?: number | undefined;
  /** Of an open wait, where the engine knows it: what it waits for has been given, and the run takes it when it is executed. */
  readonly isGiven?: boolean | undefined;
};

/** Which runs are listed: newest first, `limit` default 50. */
export type RunQuery = {
  readonly phases?: readonly RunPhase[] | undefined;
  readonly flow?: string | undefined;
  readonly queue?: string | undefined;
  readonly limit?: number | undefined;
};

/** What bounds the runs of one queue. Runs that wait for somebody outside do not count. */
export type QueueLimits = {
  /** Runs at once, over all processes. */
  readonly concurrency?: number | undefined;
  /** Runs of one tenant at once. */
  readonly perTenant?: number | undefined;
  /** Runs that begin in any `ms` milliseconds. */
  readonly rate?: { readonly count: number; readonly ms: number } | undefined;
  /** Runs that wait in it; one more is refused as `run/queue-full`. */
  readonly maxDepth?: number | undefined;
};

/** What a process serves. */
export type ServeOptions = {
  /** Runs at once in this process. */
  readonly concurrency: number;
  /** Default: all. */
  readonly queues?: readonly string[] | undefined;
  /** As StartOptions.onSuspend, for the runs that are taken. */
  readonly onSuspend?: ((runId: string, reason: BosunError) => void) | undefined;
};

/** What an engine allows. */
export type EngineCaps = {
  /** Largest value of a step, an input, an output or a signal as JSON text; larger ones are kept beside the journal and referred to. */
  readonly maxValueBytes: number;
  /** Longest try of a step. */
  readonly maxStepMs: number;
  /** Whether runs go on on another machine. */
  readonly isMultiNode: boolean;
};

/** How much of a run a copy takes over. */
export type ForkOptions = {
  readonly id: string;
  /** Replaces the run's input. */
  readonly input?: Json | undefined;
  /** Whether a kept step is taken over; `place` is its place in the journal's order. Default: all are. */
  readonly keep?: ((step: StepRecord, place: number) => boolean) | undefined;
};

/** Runs flows, and keeps what they come to. */
export interface DurableEngine extends AsyncDisposable {
  readonly name: "inline" | "sqlite" | "restate";
  readonly caps: EngineCaps;
  /** Makes a flow known, for runs that come back or are taken from a queue. Several versions of one name may be known. */
  register(flow: Flow<never, Json>): void;
  /** @throws BosunError `run/queue-full`, `durable/value`, `store/failed`. */
  start<I extends Json, O extends Json>(
    flow: Flow<I, O>,
    input: I,
    options: StartOptions,
  ): Promise<RunHandle<O>>;
  /** A run by its id. @throws BosunError `run/unknown`. */
  get<O extends Json>(id: string): Promise<RunHandle<O>>;
  /**
   * Goes on with a run that no process executes, in this process, with a flow of the name and version that it began with.
   * @throws BosunError `run/unknown`, `run/owned` while another process has it, `run/version` without its flow, `run/ended`.
   */
  resume<O extends Json>(id: string, options?: ExecuteOptions): Promise<RunHandle<O>>;
  find(id: string): Promise<RunRecord | undefined>;
  /** The input that a run was started with. @throws BosunError `run/unknown`. */
  input(id: string): Promise<Json>;
  list(query?: RunQuery): Promise<readonly RunRecord[]>;
  /** The steps of a run in the order in which they were kept, its sleeps, waits and limits among them. @throws BosunError `run/unknown`. */
  steps(id: string): Promise<readonly StepRecord[]>;
  /** A new run with the kept steps of another one; it is interrupted until it is resumed. @throws BosunError `run/unknown`, `usage`. */
  fork(id: string, options: ForkOptions): Promise<void>;
  /** Gives a run of this process what it waits for, now or later. False when it changes nothing. */
  signal(rootId: string, name: string, value: Json): boolean;
  /** The same for a run wherever it is, also one that nobody executes now. @throws BosunError `run/unknown`. */
  send(id: string, name: string, value: Json): Promise<boolean>;
  /** Ends a run wherever it is. False when it has ended already. @throws BosunError `run/unknown`. */
  cancel(id: string, reason: string): Promise<boolean>;
  /** Sets what bounds a queue, for every process. */
  queue(name: string, limits: QueueLimits): Promise<void>;
  /** Takes runs from queues, also those of queues that lost their process, until the signal aborts. Flows must be registered. */
  serve(options: ServeOptions, signal: AbortSignal): Promise<void>;
  /**
   * Begins no further step, gives those under way `graceMs` to end, keeps what they came to, and gives the runs back: another process,
   * or a later one, goes on with them. Their results reject with `run/suspended`.
   */
  suspend(graceMs: number): Promise<void>;
}

/** The reason of an abort that is no end: the run goes on elsewhere. Nothing that it makes fail is kept. */
export function isSuspension(error: unknown): error is BosunError {
  return (
    error instanceof Error &&
    "code" in error &&
    (error.code === "run/suspended" || error.code === "run/lease-lost")
  );
}

/**
 * Where an execution stands with one key, for tests that kill the process there: "begun" before a step's function is called, "ended"
 * after it and before its outcome is kept, "kept" when it is kept and the body has not seen it.
 */
export type JournalPoint = "begun" | "ended" | "kept";

/** Told at each point. */
export type JournalProbe = (point: JournalPoint, key: string) => void;
