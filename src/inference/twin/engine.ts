// The engine of one replica: a pure state machine that requests enter and that goes from step to step.
//
// It has no timer and does no I/O: whoever drives it says what time it is, and is told how long a step takes. A step has two halves,
// `begin` and `finish`, so that what happens while it runs (an arrival, an abort, a death) meets a running step, as in a server;
// `step` is both for those who need nothing between. Knows nothing of text, HTTP and consumers.
//
// Invariants
//   G1  The same calls at the same times give the same states: nothing here is random.
//   G2  Each output token is generated exactly once, in order, however often its sequence is preempted.
//   G3  A sequence ends exactly once, and holds no block from then on.

import { strict as assert } from "node:assert";
import { type Admission, findRefusal } from "./admission.ts";
import { hashRoot } from "./block-hash.ts";
import { type EngineCounters, type MutableCounters, zeroCounters } from "./counters.ts";
import type { EngineConfig } from "./engine-config.ts";
import type { GenerateRequest } from "./generate.ts";
import { Scheduler } from "./scheduler.ts";
import { Sequence, type SequenceFinish } from "./sequence.ts";
import type { StepCost } from "./step-cost.ts";

/** Sleep states have the names of vLLM's engine_sleep_state: level 1 offloads the weights, level 2 discards them. */
export type EngineState = "awake" | "weights_offloaded" | "discard_all" | "dead";

/** What a step did. The arrays are used again in the next step. */
export type StepEvents = {
  /** Scheduled for the first time. */
  readonly started: readonly Sequence[];
  readonly preempted: readonly Sequence[];
  /** Generated their first token. */
  readonly firsts: readonly Sequence[];
  /** Generated their last token. All others that run have one token more or are still in their prompt. */
  readonly finished: readonly Sequence[];
};

/** One engine. Times are milliseconds on whatever clock its driver has. */
export class Engine {
  readonly config: EngineConfig;
  readonly #stepCost: StepCost;
  readonly #seed: number;
  #scheduler: Scheduler;
  #state: EngineState = "awake";
  /** End of the step in flight. */
  #endAtMs: number | undefined = undefined;
  #nextOrder = 0;
  /** Prompt tokens of all sequences without a first token. */
  #tokensInPrefill = 0;
  #counters: MutableCounters = zeroCounters();
  readonly #firsts: Sequence[] = [];
  readonly #finished: Sequence[] = [];

  /** @param seed the root of the cache's hash chain, as PYTHONHASHSEED is vLLM's. */
  constructor(config: EngineConfig, stepCost: StepCost, seed = 0) {
    this.config = config;
    this.#stepCost = stepCost;
    this.#seed = seed;
    this.#scheduler = new Scheduler(config);
  }

  get state(): EngineState {
    return this.#state;
  }

  /** The scheduler, to look at. */
  get scheduler(): Scheduler {
    return this.#scheduler;
  }

  get counters(): EngineCounters {
    const { numPreemptions, prefixCacheQueries, prefixCacheHits } = this.#scheduler;
    return {
      ...this.#counters,
      requests: { ...this.#counters.requests },
      preemptions: numPreemptions,
      prefixCacheQueries,
      prefixCacheHits,
    };
  }

  get isInStep(): boolean {
    return this.#endAtMs !== undefined;
  }

  get tokensInPrefill(): number {
    return this.#tokensInPrefill;
  }

  /** True when there is something to begin a step for. */
  get isBusy(): boolean {
    const { running, waiting } = this.#scheduler;
    return this.#state === "awake" && (running.length > 0 || waiting.size > 0);
  }

  /** Puts a request at the end of the waiting ones. A sleeping engine takes it too and starts it when it wakes. */
  add(request: GenerateRequest, now: number): Admission {
    assert(request.promptIds.length > 0, `request ${request.id}: a prompt has at least one token`);
    assert(request.outputIds.length > 0, `request ${request.id}: an answer has at least one token`);
    const { running, waiting } = this.#scheduler;
    const load = {
      isDead: this.#state === "dead",
      numRequests: running.length + waiting.size,
      tokensInPrefill: this.#tokensInPrefill,
    };
    const reason = findRefusal(request.promptIds.length, load, this.config);
    if (reason !== undefined) return { type: "refused", reason };
    const root = hashRoot(this.#seed, request.cacheSalt, request.lora);
    const arrival = { atMs: now, order: this.#nextOrder++ };
    const sequence = new Sequence(request, arrival, root, this.config);
    this.#tokensInPrefill += sequence.numPromptTokens;
    waiting.push(sequence);
    return { type: "admitted", sequence };
  }

  /** Ends a sequence at once; what the step in flight computes for it is thrown away. Nothing when it has ended. */
  abort(sequence: Sequence, now: number): void {
    if (sequence.state === "ended") return;
    this.#scheduler.remove(sequence);
    this.#end(sequence, "abort", now);
  }

  /** Both halves of a step. Undefined when there is nothing to do. */
  step(now: number): { readonly durationMs: number; readonly events: StepEvents } | undefined {
    const durationMs = this.begin(now);
    return durationMs === undefined ? undefined : { durationMs, events: this.finish() };
  }

  /** Schedules a step that begins at `now` and says how many milliseconds it takes. Undefined when nothing has arrived by then. */
  begin(now: number): number | undefined {
    assert(this.#endAtMs === undefined, "a step is in flight: finish it first");
    if (!this.isBusy) return undefined;
    const scheduler = this.#scheduler;
    scheduler.schedule(now);
    if (scheduler.batch.prefillSeqs + scheduler.batch.decodeSeqs === 0) {
      const { arrivedAtMs = now } = scheduler.waiting.peek(0) ?? {};
      assert(arrivedAtMs > now, "a request that fits into an empty engine is always scheduled");
      return undefined;
    }
    const durationMs = this.#stepCost(scheduler.batch);
    // Not assert(…, message), whose message would be made in every step.
    if (!(durationMs > 0 && durationMs < Infinity))
      assert.fail(`a step's cost is finite and above 0, got ${durationMs} ms`);
    this.#endAtMs = now + durationMs;
    return durationMs;
  }

  /** True when the step in flight starts, preempts or ends a sequence or makes a first token. */
  get hasNews(): boolean {
    return this.#scheduler.hasNews;
  }

  /** Ends the step in flight: its tokens exist now. */
  finish(): StepEvents {
    const endAtMs = this.#endAtMs;
    assert(endAtMs !== undefined, "no step is in flight: begin one first");
    this.#endAtMs = undefined;
    this.#firsts.length = 0;
    this.#finished.length = 0;
    const { running, started, preempted } = this.#scheduler;
    let generated = 0;
    for (const sequence of running) {
      if (sequence.numScheduled === 0) continue;
      sequence.numScheduled = 0;
      if (sequence.numComputed < sequence.numTokens) continue;
      sequence.times[sequence.numOutputs++] = endAtMs;
      sequence.numTokens++;
      generated++;
      if (sequence.numOutputs === sequence.nextNewsAt) this.#passMilestone(sequence, endAtMs);
    }
    if (this.#finished.length > 0) this.#scheduler.dropEnded();
    this.#counters.steps++;
    this.#counters.generationTokens += generated;
    return { started, preempted, firsts: this.#firsts, finished: this.#finished };
  }

  /**
   * Level 1 moves the weights to memory of the host, level 2 drops them; both drop the KV cache. What is in flight ends with
   * "abort" and is returned. @throws AssertionError when the engine is dead.
   */
  sleep(level: 1 | 2, now: number): readonly Sequence[] {
    assert(this.#state !== "dead", "a dead engine cannot sleep: restart it");
    const ended = this.#endAll("abort", now);
    this.#state = level === 1 ? "weights_offloaded" : "discard_all";
    this.#scheduler.kv.pool.forget();
    return ended;
  }

  wakeUp(): void {
    if (this.#state !== "dead") this.#state = "awake";
  }

  /** The engine dies: what is in flight ends with "error" and is returned; what comes is refused. */
  kill(now: number): readonly Sequence[] {
    const ended = this.#endAll("error", now);
    this.#state = "dead";
    return ended;
  }

  /** A new process: nothing cached, all counters 0. What was in flight ends with "error" and is returned. */
  restart(now: number): readonly Sequence[] {
    const ended = this.kill(now);
    this.#scheduler = new Scheduler(this.config);
    this.#counters = zeroCounters();
    this.#state = "awake";
    return ended;
  }

  /** Forgets what is cached. Like vLLM it does nothing, and says false, while any block is in use. */
  resetPrefixCache(): boolean {
    const { pool } = this.#scheduler.kv;
    if (pool.numFree < pool.numBlocks) return false;
    pool.forget();
    return true;
  }

  /** The first token, or the last, or both. */
  #passMilestone(sequence: Sequence, endAtMs: number): void {
    if (sequence.numOutputs === 1) {
      this.#firsts.push(sequence);
      this.#tokensInPrefill -= sequence.numPromptTokens;
      this.#counters.promptTokens += sequence.numPromptTokens;
      this.#counters.promptTokensCached += sequence.numCachedTokens;
      this.#counters.promptTokensComputed += sequence.numPromptTokens - sequence.numCachedTokens;
      sequence.nextNewsAt = sequence.numOutputsWanted;
    }
    if (sequence.numOutputs < sequence.numOutputsWanted) return;
    this.#scheduler.release(sequence);
    this.#end(sequence, sequence.finishWanted, endAtMs);
    this.#finished.push(sequence);
  }

  #end(sequence: Sequence, finish: SequenceFinish, atMs: number): void {
    if (sequence.numOutputs === 0) this.#tokensInPrefill -= sequence.numPromptTokens;
    sequence.state = "ended";
    sequence.finish = finish;
    sequence.endedAtMs = atMs;
    this.#counters.requests[finish]++;
  }

  #endAll(finish: SequenceFinish, now: number): readonly Sequence[] {
    const { running, waiting } = this.#scheduler;
    const all = [...running, ...waiting.toArray()];
    for (const sequence of all) {
      this.#scheduler.remove(sequence);
      this.#end(sequence, finish, now);
    }
    this.#endAtMs = undefined;
    return all;
  }
}
