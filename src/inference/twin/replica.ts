// One replica: an engine that lives on a clock, and the generations that consumers read from it.
//
// Virtual time: tokens are handed over in chunks with their exact times, and the first one at once, so that what waits for it sees
// it come. Real time: token by token. An idle replica has no timer.
//
// Invariants
//   L1  A generation whose consumer left, or whose signal aborted, holds no block from that moment on.
//   L2  The same requests at the same times give identical events.

import type { Clock } from "../../clock.ts";
import { BosunError } from "../../error.ts";
import type { Admission, Refusal } from "./admission.ts";
import { Delivery, toTimings } from "./delivery.ts";
import { Engine, type EngineState, type StepEvents } from "./engine.ts";
import { type EngineConfig, type EngineOptions, toEngineConfig } from "./engine-config.ts";
import type { GenerateEvent, GenerateRequest } from "./generate.ts";
import { createScaledClock } from "./scaled-clock.ts";
import type { Sequence } from "./sequence.ts";
import { type FinishReport, readStats, type ReplicaStats, type StepReport } from "./stats.ts";
import type { StepCost } from "./step-cost.ts";
import { type Stepper, stepLoopOf } from "./step-loop.ts";

/** What a replica is made of. */
export type ReplicaOptions = {
  readonly config: EngineOptions;
  readonly stepCost: StepCost;
  /** The time it lives in. Replicas that share a virtual clock should share the object: they are then driven together. */
  readonly clock: Clock;
  /** Times as fast as `clock`: 100 lets 100 ms of the twin pass in one. Default 1. Above 0. */
  readonly speed?: number;
  /** The root of the prefix cache's hash chain. Default 0. The engine has no other chance in it; noise is the step cost's own. */
  readonly seed?: number;
  /** Tokens of a sequence that one event may bring, but for slow consumers. Default 64 in virtual time, 1 in real time. */
  readonly chunkTokens?: number;
  /** Hears of every step when it has ended, in virtual time possibly before the clock shows it. Must not throw or call the replica. */
  readonly onStep?: (step: StepReport) => void;
  /** Hears of every generation when it has ended. Must not throw or call the replica. */
  readonly onFinish?: (finished: FinishReport) => void;
};

/** A simulated vLLM server without its HTTP surface. */
export interface Replica {
  readonly config: EngineConfig;
  /** The clock that its times are on: `speed` times as fast as the one given. */
  readonly clock: Clock;
  readonly state: EngineState;
  /** What /health says: false when the engine is dead. */
  readonly isHealthy: boolean;
  /**
   * A generation, for one consumer. It arrives when the first event is asked for. Leaving the loop frees its blocks at once; so does
   * aborting, after which it ends with "abort".
   * @throws model/overloaded when the queue is full, model/context-length when the prompt leaves no room for an answer, model/server
   * when the engine is dead, each with details.reason and before any event; the signal's reason when it has aborted already.
   */
  generate(request: GenerateRequest, signal: AbortSignal): AsyncIterable<GenerateEvent>;
  stats(): ReplicaStats;
  /** Level 1 offloads the weights, level 2 discards them; both drop the cache and abort what is in flight. What comes then waits. */
  sleep(level: 1 | 2): void;
  wakeUp(): void;
  /** The engine dies: everything in flight ends with "error", everything new is refused. */
  kill(): void;
  /** A new process: awake, nothing cached, counters 0. What was in flight ends with "error". */
  restart(): void;
  /** False, and nothing done, while blocks are in use. */
  cacheReset(): boolean;
}

/** A replica on `clock`. @throws config/invalid for what vLLM would not start with. */
export function createReplica(options: ReplicaOptions): Replica {
  return new EngineReplica(options);
}

class EngineReplica implements Replica, Stepper {
  readonly config: EngineConfig;
  readonly clock: Clock;
  readonly #engine: Engine;
  readonly #options: ReplicaOptions;
  readonly #chunkTokens: number;
  /** Steps since all consumers were told; each gave a sequence one token at most. */
  #stepsUntold = 0;
  #beganAtMs = 0;
  nextAtMs = Infinity;
  hasNews = false;

  constructor(options: ReplicaOptions) {
    const { clock, speed = 1, config, stepCost, seed } = options;
    this.#options = options;
    this.config = toEngineConfig(config);
    this.clock = speed === 1 ? clock : createScaledClock(clock, speed);
    this.#chunkTokens = options.chunkTokens ?? (this.clock.horizon ? 64 : 1);
    this.#engine = new Engine(this.config, stepCost, seed);
  }

  get state(): EngineState {
    return this.#engine.state;
  }

  get isHealthy(): boolean {
    return this.#engine.state !== "dead";
  }

  async *generate(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    signal.throwIfAborted();
    const sequence = this.#admit(request);
    const delivery = new Delivery(sequence);
    const abort = (): void => this.#abort(sequence);
    signal.addEventListener("abort", abort, { once: true });
    try {
      for (;;) {
        const event = delivery.take();
        if (event === undefined) await delivery.wait();
        else yield event;
        if (event?.type === "end") return;
      }
    } finally {
      signal.removeEventListener("abort", abort);
      abort(); // L1
    }
  }

  stats(): ReplicaStats {
    return readStats(this.#engine);
  }

  sleep(level: 1 | 2): void {
    if (!this.isHealthy) throw refuse("dead", this.config);
    this.#stop(this.#engine.sleep(level, this.clock.now()));
  }

  wakeUp(): void {
    this.#engine.wakeUp();
    this.#wake();
  }

  kill(): void {
    this.#stop(this.#engine.kill(this.clock.now()));
  }

  restart(): void {
    this.#stop(this.#engine.restart(this.clock.now()));
  }

  cacheReset(): boolean {
    return this.#engine.resetPrefixCache();
  }

  /** For the step loop: ends the step in flight, if there is one, and begins the next. */
  advance(): void {
    const atMs = this.nextAtMs;
    const engine = this.#engine;
    if (engine.isInStep) {
      const events = engine.finish();
      const { batch } = engine.scheduler;
      this.#options.onStep?.({ beganAtMs: this.#beganAtMs, endedAtMs: atMs, batch });
      if (this.hasNews) this.#tell(events);
    }
    const durationMs = engine.begin(atMs);
    this.#beganAtMs = atMs;
    if (durationMs !== undefined) this.nextAtMs = atMs + durationMs;
    // What is left to do then came after `atMs`, which the clock has passed.
    else this.nextAtMs = engine.isBusy ? this.clock.now() : Infinity;
    this.#stepsUntold++;
    this.hasNews = engine.hasNews || this.#stepsUntold >= this.#chunkTokens;
  }

  /** Tells those for whom something changed, and everyone when a chunk is full. */
  #tell({ started, firsts, preempted, finished }: StepEvents): void {
    const isChunkFull = this.#stepsUntold >= this.#chunkTokens;
    if (isChunkFull) this.#stepsUntold = 0;
    const { running } = this.#engine.scheduler;
    const told = isChunkFull ? [running, preempted] : [started, firsts, preempted];
    for (const sequences of told) for (const sequence of sequences) sequence.listener?.notify();
    for (const sequence of finished) this.#reportEnd(sequence);
  }

  #admit(request: GenerateRequest): Sequence {
    const admission: Admission = this.#engine.add(request, this.clock.now());
    if (admission.type === "refused") throw refuse(admission.reason, this.config);
    this.#wake();
    return admission.sequence;
  }

  /** Begins to step, if there is something to do and no step in flight. */
  #wake(): void {
    if (this.nextAtMs !== Infinity || !this.#engine.isBusy) return;
    this.nextAtMs = this.clock.now();
    this.hasNews = false;
    stepLoopOf(this.clock).wake(this);
  }

  #abort(sequence: Sequence): void {
    if (sequence.state === "ended") return;
    this.#engine.abort(sequence, this.clock.now());
    this.#reportEnd(sequence);
  }

  /** The step in flight, if any, is no more. */
  #stop(ended: readonly Sequence[]): void {
    this.nextAtMs = Infinity;
    for (const sequence of ended) this.#reportEnd(sequence);
  }

  #reportEnd(sequence: Sequence): void {
    sequence.listener?.notify();
    const { onFinish } = this.#options;
    if (onFinish === undefined) return;
    const { request, finish = "error", arrivedAtMs, startedAtMs, endedAtMs } = sequence;
    onFinish({
      id: request.id,
      finish,
      arrivedAtMs,
      startedAtMs,
      endedAtMs,
      timings: toTimings(sequence),
      promptTokens: sequence.numPromptTokens,
      cachedTokens: sequence.numCachedTokens,
      preemptions: sequence.numPreemptions,
      times: sequence.times.subarray(0, sequence.numOutputs),
    });
  }
}

const REFUSALS = {
  dead: ["model/server", "the engine is dead"],
  "context-length": ["model/context-length", "the prompt leaves no room for an answer"],
  "queue-requests": ["model/overloaded", "too many requests in flight (maxNumQueuedReqs)"],
  "queue-tokens": ["model/overloaded", "too many prompt tokens in prefill (maxNumQueuedTokens)"],
} as const;

function refuse(reason: Refusal, { maxModelLen }: EngineConfig): BosunError {
  const [code, message] = REFUSALS[reason];
  return new BosunError(code, `twin replica: ${message}`, {
    retryable: reason !== "context-length",
    details: { reason, maxModelLen },
  });
}
