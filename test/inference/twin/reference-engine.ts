// The engine once more, slow and obvious: arrays, no hashes (a block's key is everything up to its end), no bookkeeping that could
// drift. Written from vLLM's scheduler, not from ours; test/inference/twin/engine-reference.test.ts compares the two.

import type { EngineConfig } from "../../../src/inference/twin/engine-config.ts";
import type { GenerateRequest } from "../../../src/inference/twin/generate.ts";

type Job = {
  readonly request: GenerateRequest;
  readonly order: number;
  readonly arrivedAt: number;
  /** Prompt and what was generated. */
  readonly tokens: number[];
  computed: number;
  scheduled: number;
  blocks: number[];
  preemptions: number;
};

/** What one step did. */
export type ReferenceStep = {
  readonly scheduled: readonly (readonly [id: string, tokens: number])[];
  readonly preempted: readonly string[];
  readonly finished: readonly string[];
  readonly waiting: readonly string[];
  /** The free queue after the step. */
  readonly free: readonly number[];
  readonly queries: number;
  readonly hits: number;
};

/** An engine of the reference. Every step takes 1 ms. */
export class ReferenceEngine {
  readonly #config: EngineConfig;
  #waiting: Job[] = [];
  #running: Job[] = [];
  #free: number[];
  readonly #refs = new Map<number, number>();
  /** Cached blocks, oldest first. */
  #cached: { readonly block: number; readonly key: string }[] = [];
  #order = 0;
  #queries = 0;
  #hits = 0;

  constructor(config: EngineConfig) {
    this.#config = config;
    this.#free = Array.from({ length: config.numGpuBlocks }, (_, block) => block);
  }

  add(request: GenerateRequest, arrivedAt: number): void {
    this.#waiting.push({
      request,
      order: this.#order++,
      arrivedAt,
      tokens: [...request.promptIds],
      computed: 0,
      scheduled: 0,
      blocks: [],
      preemptions: 0,
    });
    this.#sortByPriority();
  }

  abort(id: string): void {
    for (const job of [...this.#running, ...this.#waiting])
      if (job.request.id === id) this.#release(job);
    this.#running = this.#running.filter((job) => job.request.id !== id);
    this.#waiting = this.#waiting.filter((job) => job.request.id !== id);
  }

  step(): ReferenceStep | undefined {
    if (this.#running.length + this.#waiting.length === 0) return undefined;
    const preempted: string[] = [];
    while (true) {
      const before = preempted.length;
      const budget = this.#scheduleRunning(preempted);
      if (preempted.length === before) this.#admit(budget);
      if (this.#running.some((job) => job.scheduled > 0)) break;
      if (preempted.length === before) throw new Error("the reference is stuck");
    }
    const scheduled = this.#running
      .filter((job) => job.scheduled > 0)
      .map((job) => [job.request.id, job.scheduled] as const);
    const finished = this.#generate();
    return {
      scheduled,
      preempted,
      finished,
      waiting: this.#waiting.map((job) => job.request.id),
      free: [...this.#free],
      queries: this.#queries,
      hits: this.#hits,
    };
  }

  #scheduleRunning(preempted: string[]): number {
    let budget = this.#config.maxNumBatchedTokens;
    const done: Job[] = [];
    while (budget > 0) {
      const job = this.#running.find((candidate) => !done.includes(candidate));
      if (!job) break;
      const count = Math.min(this.#limit(job.tokens.length - job.computed), budget);
      while (this.#blocksFor(job.computed + count) - job.blocks.length > this.#free.length) {
        const victim = this.#victim();
        budget += victim.scheduled;
        this.#release(victim);
        this.#running = this.#running.filter((other) => other !== victim);
        Object.assign(victim, { computed: 0, scheduled: 0, preemptions: victim.preemptions + 1 });
        this.#waiting.unshift(victim);
        this.#sortByPriority();
        preempted.push(victim.request.id);
        if (victim === job) return 0;
      }
      this.#compute(job, count);
      budget -= count;
      done.push(job);
    }
    return budget;
  }

  #admit(budgetLeft: number): void {
    let budget = budgetLeft;
    for (const job of this.#waiting) {
      // Reassigned below, never changed.
      if (budget === 0 || this.#running.length === this.#config.maxNumSeqs) return;
      if (!this.#hasAdapterSlot(job)) continue;
      const hits = this.#findHits(job);
      const cached = hits.length * this.#config.blockSize;
      const wanted = this.#limit(job.tokens.length - cached);
      if (!this.#config.enableChunkedPrefill && wanted > budget) return;
      const count = Math.min(wanted, budget);
      const mustFit = this.#config.schedulerReserveFullIsl ? job.tokens.length : cached + count;
      const freeHits = hits.filter((block) => this.#free.includes(block)).length;
      if (this.#blocksFor(mustFit) - hits.length + freeHits > this.#free.length) return;
      this.#waiting = this.#waiting.filter((other) => other !== job);
      this.#running.push(job);
      for (const block of hits) {
        this.#free = this.#free.filter((other) => other !== block);
        this.#refs.set(block, (this.#refs.get(block) ?? 0) + 1);
      }
      job.blocks = hits;
      job.computed = cached;
      if (job.preemptions === 0) {
        this.#queries += job.tokens.length;
        this.#hits += cached;
      }
      this.#compute(job, count);
      budget -= count;
    }
  }

  #compute(job: Job, count: number): void {
    const end = job.computed + count;
    while (job.blocks.length < this.#blocksFor(end)) {
      const block = this.#free.shift() ?? -1;
      this.#cached = this.#cached.filter((entry) => entry.block !== block);
      this.#refs.set(block, 1);
      job.blocks.push(block);
    }
    for (
      let at = 0;
      this.#config.enablePrefixCaching && (at + 1) * this.#config.blockSize <= end;
      at++
    ) {
      const block = job.blocks[at] ?? -1;
      if (!this.#cached.some((entry) => entry.block === block))
        this.#cached.push({ block, key: this.#keyOf(job, at) });
    }
    job.computed = end;
    job.scheduled = count;
  }

  #generate(): string[] {
    const finished: string[] = [];
    for (const job of this.#running) {
      const isComplete = job.scheduled > 0 && job.computed === job.tokens.length;
      job.scheduled = 0;
      if (!isComplete) continue;
      const { promptIds, outputIds } = job.request;
      job.tokens.push(outputIds[job.tokens.length - promptIds.length] ?? -1);
      const isLong = job.tokens.length === this.#config.maxModelLen;
      if (job.tokens.length < promptIds.length + outputIds.length && !isLong) continue;
      this.#release(job);
      finished.push(job.request.id);
    }
    this.#running = this.#running.filter((job) => !finished.includes(job.request.id));
    return finished;
  }

  #findHits(job: Job): number[] {
    const hits: number[] = [];
    if (!this.#config.enablePrefixCaching) return hits;
    while ((hits.length + 1) * this.#config.blockSize < job.tokens.length) {
      const key = this.#keyOf(job, hits.length);
      const found = this.#cached.find((entry) => entry.key === key);
      if (!found) break;
      hits.push(found.block);
    }
    return hits;
  }

  #release(job: Job): void {
    for (const block of job.blocks.toReversed()) {
      const refs = (this.#refs.get(block) ?? 0) - 1;
      this.#refs.set(block, refs);
      if (refs === 0) this.#free.push(block);
    }
    job.blocks = [];
  }

  #victim(): Job {
    const worst =
      this.#config.schedulingPolicy === "fcfs"
        ? this.#running.at(-1)
        : this.#running.toSorted(byPriority).at(-1);
    if (!worst) throw new Error("nothing runs");
    return worst;
  }

  #hasAdapterSlot({ request: { lora } }: Job): boolean {
    const adapters = new Set(this.#running.map((job) => job.request.lora));
    adapters.delete(undefined);
    return lora === undefined || adapters.has(lora) || adapters.size < this.#config.maxLoras;
  }

  #sortByPriority(): void {
    if (this.#config.schedulingPolicy === "priority") this.#waiting.sort(byPriority);
  }

  #limit(count: number): number {
    const { longPrefillTokenThreshold: threshold } = this.#config;
    return threshold > 0 ? Math.min(count, threshold) : count;
  }

  #blocksFor(count: number): number {
    return Math.ceil(count / this.#config.blockSize);
  }

  #keyOf({ request: { cacheSalt, lora }, tokens }: Job, at: number): string {
    const until = tokens.slice(0, (at + 1) * this.#config.blockSize);
    return JSON.stringify([cacheSalt ?? null, lora ?? null, until]);
  }
}

function byPriority(a: Job, b: Job): number {
  return a.request.priority - b.request.priority || a.arrivedAt - b.arrivedAt || a.order - b.order;
}
