// One worker of a serverless endpoint, from its host to its end:
//
//   initializing ──▶ idle ──▶ starting ──▶ running ──▶ idle        (idle = scaled down, Runpod's word; nothing is billed)
//        ▲  └──▶ unhealthy ◀─────┘            │                    an init that takes longer than the limit
//        └────────── interrupted (spot) ◀─────┘                    the host is taken away: all begins on a new one
//
// Knows nothing of queues and scalers: its endpoint starts it and gives it requests.
//
// Invariants
//   W1  It takes requests only while it runs.
//   W2  Each billed millisecond is start, execution or idle time, never two of them: together they are the stretch.
//   W3  The idle time-out runs from the end of the last request; a new request stops it, an active worker has none.

import { strict as assert } from "node:assert";
import type { Clock, Timer } from "../../../clock.ts";
import { BosunError } from "../../../error.ts";
import { drawExponential, type Random } from "../random.ts";
import { addStretch, type BilledTime, NO_TIME, type Stretch } from "./bill.ts";
import { type ColdStart, type DrawnStart, drawStages, drawStart } from "./cold-start.ts";

/** Runpod's states of workers that a twin has. */
export type WorkerState = "initializing" | "idle" | "starting" | "running" | "unhealthy";

/** What all workers of an endpoint share. */
export type WorkerSetup<Replica> = {
  readonly clock: Clock;
  readonly random: Random;
  readonly coldStart: ColdStart;
  readonly idleTimeoutMs: number;
  /** An initialisation or a start that takes longer makes the worker unhealthy. */
  readonly initLimitMs: number;
  /** Until a spot worker is taken away while it starts or runs; Infinity = never. */
  readonly meanTimeToInterruptionMs: number;
  /** The replica of a worker that has started; disposed when the worker stops. */
  readonly launch: (workerId: string) => Replica;
  /** Something has changed that the endpoint may act on. */
  readonly onChange: () => void;
};

/** An unhealthy worker is tried anew after as long as its initialisation may take, for as long as the endpoint lives. */
export class Worker<Replica extends Partial<Disposable>> {
  readonly id: string;
  /** Never scaled down: one of workersMin. */
  readonly isActive: boolean;
  readonly #setup: WorkerSetup<Replica>;
  #state: WorkerState = "initializing";
  #jobs = 0;
  #hasSnapshot = false;
  #starts: DrawnStart[] = [];
  #replica: Replica | undefined;
  #stretch: OpenStretch | undefined;
  #time = NO_TIME;
  #timer: Timer | undefined;
  #interruption: Timer | undefined;
  #host = new AbortController();

  constructor(id: string, isActive: boolean, setup: WorkerSetup<Replica>) {
    this.id = id;
    this.isActive = isActive;
    this.#setup = setup;
    this.#initialise();
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** Requests that run on it now. */
  get jobs(): number {
    return this.#jobs;
  }

  /** The newest starts, at most MAX_STARTS, oldest first. */
  get starts(): readonly DrawnStart[] {
    return this.#starts;
  }

  /** Time of all its stretches, the open one as if it ended now. */
  billed(): BilledTime {
    const open = this.#stretch;
    return open ? addStretch(this.#time, this.#closed(open)) : this.#time;
  }

  /** From idle: begins to start. */
  start(): void {
    assert(this.#state === "idle");
    const drawn = drawStart(this.#setup.coldStart, this.#hasSnapshot, this.#setup.random);
    this.#starts = [...this.#starts, drawn].slice(-MAX_STARTS);
    this.#state = "starting";
    this.#stretch = { part: "start", sinceMs: this.#now(), done: NO_STRETCH };
    const { clock, random, meanTimeToInterruptionMs, initLimitMs } = this.#setup;
    const untilInterruption = drawExponential(random, meanTimeToInterruptionMs);
    if (untilInterruption < Infinity)
      this.#interruption = clock.timer(untilInterruption, () => this.#interrupt());
    this.#after(Math.min(drawn.ms, initLimitMs), () => {
      if (drawn.ms > initLimitMs) this.#fail();
      else this.#run();
    });
  }

  /** Takes a request (W1). The signal aborts when the worker is taken away. Give it back with `release`. */
  take(): { readonly replica: Replica; readonly host: AbortSignal } {
    const replica = this.#replica;
    assert(replica !== undefined && this.#state === "running");
    this.#timer?.[Symbol.dispose]();
    this.#jobs++;
    this.#enter("execution");
    return { replica, host: this.#host.signal };
  }

  /** A request that `take` took on this host has ended. */
  release(host: AbortSignal): void {
    if (host !== this.#host.signal) return; // the worker was taken away meanwhile, and its requests with it
    this.#jobs--;
    if (this.#jobs === 0) this.#rest();
    this.#setup.onChange();
  }

  /** Stops for good. Its requests are cut. */
  [Symbol.dispose](): void {
    this.#stop();
    this.#leaveHost();
    this.#state = "unhealthy";
  }

  #initialise(): void {
    const { coldStart, random, initLimitMs } = this.#setup;
    this.#state = "initializing";
    this.#hasSnapshot = false;
    const { ms } = drawStages(coldStart, "initialise", random);
    this.#after(Math.min(ms, initLimitMs), () => {
      if (ms > initLimitMs) this.#fail();
      else this.#become("idle");
    });
  }

  #run(): void {
    this.#replica = this.#setup.launch(this.id);
    this.#hasSnapshot = true;
    this.#rest();
    this.#become("running");
  }

  /** Nothing runs on it: warm, billed, until its time-out (W3). */
  #rest(): void {
    this.#enter("idle");
    if (this.isActive) return;
    this.#after(this.#setup.idleTimeoutMs, () => {
      this.#stop();
      this.#become("idle");
    });
  }

  #interrupt(): void {
    this.#stop();
    this.#leaveHost();
    this.#initialise();
    this.#setup.onChange();
  }

  #fail(): void {
    this.#stop();
    this.#after(this.#setup.initLimitMs, () => {
      this.#initialise();
      this.#setup.onChange();
    });
    this.#become("unhealthy");
  }

  /** Ends the stretch and the replica. */
  #stop(): void {
    this.#timer?.[Symbol.dispose]();
    this.#interruption?.[Symbol.dispose]();
    if (this.#stretch) this.#time = addStretch(this.#time, this.#closed(this.#stretch));
    this.#stretch = undefined;
    this.#replica?.[Symbol.dispose]?.();
    this.#replica = undefined;
  }

  #leaveHost(): void {
    const host = this.#host;
    this.#host = new AbortController();
    this.#jobs = 0;
    host.abort(
      new BosunError("model/server", `worker ${this.id} was taken away (spot interruption)`, {
        retryable: true,
      }),
    );
  }

  #become(state: WorkerState): void {
    this.#state = state;
    this.#setup.onChange();
  }

  /** What was done until now is closed as what it was (W2). */
  #enter(part: StretchPart): void {
    const open = this.#stretch;
    if (open) this.#stretch = { part, sinceMs: this.#now(), done: this.#closed(open) };
  }

  #closed({ part, sinceMs, done }: OpenStretch): Stretch {
    const ms = this.#now() - sinceMs;
    return {
      startMs: done.startMs + (part === "start" ? ms : 0),
      executionMs: done.executionMs + (part === "execution" ? ms : 0),
      idleMs: done.idleMs + (part === "idle" ? ms : 0),
    };
  }

  #after(ms: number, fire: () => void): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#setup.clock.timer(ms, fire);
  }

  #now(): number {
    return this.#setup.clock.now();
  }
}

type StretchPart = "start" | "execution" | "idle";

type OpenStretch = {
  readonly part: StretchPart;
  readonly sinceMs: number;
  /** Before `sinceMs`. */
  readonly done: Stretch;
};

const NO_STRETCH: Stretch = { startMs: 0, executionMs: 0, idleMs: 0 };

/** Starts that are remembered, for reports. */
const MAX_STARTS = 100;
