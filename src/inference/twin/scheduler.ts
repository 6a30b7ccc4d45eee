// What one step computes: vLLM's schedule(), with its preemption and admission.
//
// There is no phase of prefill and none of decode: each sequence has tokens that exist and tokens that are computed, and a step lets
// the second catch up with the first. Knows nothing of time except the stamp of a first scheduling, nothing of cost and events.
// Source: vllm/v1/core/sched/scheduler.py, 0.28.
//
// Invariants
//   S1  A step computes at most maxNumBatchedTokens; at most maxNumSeqs run; at most maxLoras adapters run.
//   S2  The running come first, in the order of their admission; nothing is admitted in a step that preempted.
//   S3  The waiting are admitted in order and only from the front, except past those whose adapter has no slot.

import type { EngineConfig } from "./engine-config.ts";
import { KvCache } from "./kv-cache.ts";
import { comparePriority, type Sequence } from "./sequence.ts";
import { NO_BATCH, type StepBatch } from "./step-cost.ts";
import { WaitingQueue } from "./waiting-queue.ts";

/** The scheduler of one engine, with the state of the step that it made last. */
export class Scheduler {
  readonly kv: KvCache;
  readonly waiting: WaitingQueue;
  /** In the order of admission. Those with numScheduled > 0 are in the step. */
  readonly running: Sequence[] = [];
  /** The work of the last step. One object for all steps. */
  readonly batch: Mutable<StepBatch> = { ...NO_BATCH };
  /** What the last step admitted for the first time, and what it preempted. One array each for all steps. */
  readonly started: Sequence[] = [];
  readonly preempted: Sequence[] = [];
  /** True when the last step starts, preempts or ends a sequence or makes a first token. */
  hasNews = false;
  /** Waiting ones that the last step passed over for want of an adapter slot. */
  numDeferred = 0;
  numPreemptions = 0;
  prefixCacheQueries = 0;
  prefixCacheHits = 0;
  readonly #config: EngineConfig;
  readonly #loras = new Map<string, number>();
  #budget = 0;

  constructor(config: EngineConfig) {
    this.#config = config;
    this.kv = new KvCache(config);
    this.waiting = new WaitingQueue(config.schedulingPolicy);
  }

  /** Makes the next step. Its batch is empty only when nothing runs or waits. */
  schedule(now: number): void {
    clearBatch(this.batch);
    this.started.length = 0;
    this.preempted.length = 0;
    this.hasNews = false;
    for (let numPreempted = -1; numPreempted < this.preempted.length;) {
      numPreempted = this.preempted.length;
      this.numDeferred = 0;
      this.#budget = this.#config.maxNumBatchedTokens;
      this.#scheduleRunning();
      if (this.preempted.length === numPreempted) this.#admit(now); // S2
      // A step that could only preempt has nothing to compute: the next follows at once. Each leaves fewer running.
      else if (this.batch.prefillSeqs + this.batch.decodeSeqs > 0) break;
    }
    if (this.preempted.length > 0) this.hasNews = true;
  }

  /** Takes a sequence out of wherever it is and frees its blocks. */
  remove(sequence: Sequence): void {
    if (sequence.state === "waiting") this.waiting.remove(sequence);
    else this.running.splice(this.running.indexOf(sequence), 1);
    this.release(sequence);
  }

  /** Frees what a sequence holds; the caller has taken it out of `running`. */
  release(sequence: Sequence): void {
    if (sequence.state === "running") this.#countLora(sequence, -1);
    this.kv.free(sequence);
    sequence.numScheduled = 0;
  }

  /** Takes those that have ended out of `running`; they hold nothing any more. */
  dropEnded(): void {
    let kept = 0;
    for (const sequence of this.running)
      if (sequence.state === "running") this.running[kept++] = sequence;
    this.running.length = kept;
  }

  #scheduleRunning(): void {
    const { running, kv } = this;
    const threshold = this.#config.longPrefillTokenThreshold;
    for (let at = 0; at < running.length && this.#budget > 0; at++) {
      const sequence = running[at];
      if (sequence === undefined) break;
      let count = sequence.numTokens - sequence.numComputed;
      if (threshold > 0 && count > threshold) count = threshold;
      if (count > this.#budget) count = this.#budget;
      const end = sequence.numComputed + count;
      if (end > sequence.capacity && !kv.grow(sequence, end)) {
        if (!this.#preemptFor(sequence, end)) break;
        at = running.indexOf(sequence);
      }
      this.#compute(sequence, count, end);
    }
  }

  /** Preempts until `sequence` fits. False when it had to go itself: nothing after it is scheduled then. */
  #preemptFor(sequence: Sequence, end: number): boolean {
    do {
      const victim = this.#pickVictim(sequence);
      this.running.splice(this.running.lastIndexOf(victim), 1);
      this.#preempt(victim);
      if (victim === sequence) return false;
    } while (!this.kv.grow(sequence, end));
    return true;
  }

  /** The last admitted, or by priority the worst of all running. O(running), in the rare step that preempts. */
  #pickVictim(sequence: Sequence): Sequence {
    if (this.#config.schedulingPolicy === "fcfs") return this.running.at(-1) ?? sequence;
    return this.running.reduce((worst, other) =>
      comparePriority(other, worst) > 0 ? other : worst,
    );
  }

  /** Recompute, not swap: all that it had computed is lost, except what the prefix cache still has when it comes back. */
  #preempt(victim: Sequence): void {
    // By priority the victim may stand earlier and be in this step already.
    if (victim.numScheduled > 0) {
      this.#account(victim, -victim.numScheduled, victim.numComputed);
      this.#budget += victim.numScheduled;
    }
    this.release(victim);
    victim.state = "waiting";
    victim.numComputed = 0;
    victim.numPreemptions++;
    this.numPreemptions++;
    this.preempted.push(victim);
    this.waiting.putBack(victim);
  }

  #admit(now: number): void {
    const { waiting, running } = this;
    let at = 0;
    while (this.#budget > 0 && running.length < this.#config.maxNumSeqs) {
      const sequence = waiting.peek(at);
      // In real time a step may be made late, and requests have come since it began.
      if (sequence === undefined || sequence.arrivedAtMs > now) break;
      if (!this.#hasLoraSlot(sequence)) {
        at++; // S3
        this.numDeferred++;
        continue;
      }
      if (!this.#admitOne(sequence, now)) break; // S3: head-of-line blocking
      waiting.removeAt(at);
    }
  }

  #admitOne(sequence: Sequence, now: number): boolean {
    const { longPrefillTokenThreshold, enableChunkedPrefill, blockSize } = this.#config;
    const hits = this.kv.findHits(sequence);
    const cached = hits * blockSize;
    let count = sequence.numTokens - cached;
    if (longPrefillTokenThreshold > 0) count = Math.min(count, longPrefillTokenThreshold);
    if (!enableChunkedPrefill && count > this.#budget) return false;
    count = Math.min(count, this.#budget);
    if (!this.kv.admit(sequence, hits, cached + count)) return false;
    if (sequence.numPreemptions === 0) {
      // Like vLLM: the lookups of what comes back from preemption do not count.
      this.prefixCacheQueries += sequence.numTokens;
      this.prefixCacheHits += cached;
    }
    if (sequence.startedAtMs === undefined) {
      sequence.startedAtMs = now;
      sequence.numCachedTokens = cached;
      this.started.push(sequence);
      this.hasNews = true;
    }
    sequence.state = "running";
    sequence.numComputed = cached;
    this.running.push(sequence);
    this.#countLora(sequence, 1);
    this.#compute(sequence, count, cached + count);
    return true;
  }

  /** Puts `count` tokens of the sequence, up to `end`, into the step. */
  #compute(sequence: Sequence, count: number, end: number): void {
    if (end >= sequence.nextFullAt) this.kv.cacheFull(sequence, end);
    sequence.numComputed = end;
    sequence.numScheduled = count;
    this.#budget -= count;
    this.#account(sequence, count, end);
  }

  /** Adds a chunk to the batch, or with a negative count takes it out again. */
  #account(sequence: Sequence, count: number, end: number): void {
    const { batch } = this;
    const sign = count > 0 ? 1 : -1;
    if (count === sign) {
      batch.decodeSeqs += sign;
      batch.decodeContextTokens += sign * end;
    } else {
      batch.prefillSeqs += sign;
      batch.prefillTokens += count;
      // n · (start + n / 2) with start = end - n.
      batch.prefillAttention += count * (end - (sign * count) / 2);
      batch.prefillContextTokens += sign * end;
    }
    if (sequence.hasLora) batch.loraSeqs += sign;
    if (end < sequence.numTokens) return;
    batch.sampledSeqs += sign;
    if (sequence.numOutputs + 1 === sequence.nextNewsAt) this.hasNews = true;
  }

  #hasLoraSlot({ request: { lora } }: Sequence): boolean {
    return lora === undefined || this.#loras.has(lora) || this.#loras.size < this.#config.maxLoras;
  }

  #countLora({ request: { lora } }: Sequence, by: 1 | -1): void {
    if (lora === undefined) return;
    const count = (this.#loras.get(lora) ?? 0) + by;
    if (count > 0) this.#loras.set(lora, count);
    else this.#loras.delete(lora);
  }
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Field by field: Object.assign costs as much as the step of a small batch. */
function clearBatch(batch: Mutable<StepBatch>): void {
  batch.prefillSeqs = 0;
  batch.prefillTokens = 0;
  batch.prefillAttention = 0;
  batch.prefillContextTokens = 0;
  batch.decodeSeqs = 0;
  batch.decodeContextTokens = 0;
  batch.sampledSeqs = 0;
  batch.loraSeqs = 0;
}
