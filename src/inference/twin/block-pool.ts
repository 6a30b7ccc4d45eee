// The blocks of KV cache: who holds them, in which order the free ones are used again, which content can still be hit.
//
// Knows nothing of sequences. Every operation is O(1) and allocates nothing: lists and hash table are links in typed arrays. NONE
// ends a list; a number, because `undefined` does not fit into one.
//
// Invariants
//   B1  A block is in the free queue exactly when nobody refers to it: numFree + blocks with references = numBlocks.
//   B2  A cached block stays in the table, free or not, until it is allocated anew.
//   B3  Free blocks are allocated in the order in which they were freed (LRU).

import { strict as assert } from "node:assert";

/** The end of a list, and the answer of `find` when there is nothing. */
export const NONE = -1;

/** All blocks of one engine. Block ids are 0 to numBlocks - 1. */
export class BlockPool {
  readonly numBlocks: number;
  readonly #refCounts: Int32Array;
  /** The free queue: a ring through the sentinel `numBlocks`, whose next is the first to be used again. */
  readonly #nextFree: Int32Array;
  readonly #previousFree: Int32Array;
  #numFree: number;
  #numCached = 0;
  /** The table: chains of blocks by hash, oldest first, as vLLM takes the oldest of equal blocks. */
  readonly #buckets: Int32Array;
  readonly #nextInBucket: Int32Array;
  readonly #hashHigh: Int32Array;
  readonly #hashLow: Int32Array;
  readonly #isCached: Uint8Array;

  constructor(numBlocks: number) {
    this.numBlocks = numBlocks;
    this.#refCounts = new Int32Array(numBlocks);
    this.#nextFree = new Int32Array(numBlocks + 1);
    this.#previousFree = new Int32Array(numBlocks + 1);
    for (let block = 0; block <= numBlocks; block++) {
      this.#nextFree[block] = block === numBlocks ? 0 : block + 1;
      this.#previousFree[block] = block === 0 ? numBlocks : block - 1;
    }
    this.#numFree = numBlocks;
    this.#buckets = new Int32Array(2 ** Math.ceil(Math.log2(numBlocks + 1))).fill(NONE);
    this.#nextInBucket = new Int32Array(numBlocks).fill(NONE);
    this.#hashHigh = new Int32Array(numBlocks);
    this.#hashLow = new Int32Array(numBlocks);
    this.#isCached = new Uint8Array(numBlocks);
  }

  get numFree(): number {
    return this.#numFree;
  }

  /** Blocks whose content can be found, free ones included. */
  get numCached(): number {
    return this.#numCached;
  }

  refCount(block: number): number {
    return this.#refCounts[block] ?? 0;
  }

  isCached(block: number): boolean {
    return this.#isCached[block] === 1;
  }

  /** The block that was free for longest, with one reference; what it cached is gone. There must be one. */
  allocate(): number {
    assert(this.#numFree > 0, "no free block: ask numFree first");
    const block = this.#nextFree[this.numBlocks] ?? NONE;
    this.#unlinkFree(block);
    if (this.#isCached[block] === 1) this.#uncache(block);
    this.#refCounts[block] = 1;
    return block;
  }

  /** One more reference to a block that was found. */
  touch(block: number): void {
    if (this.#refCounts[block] === 0) this.#unlinkFree(block);
    this.#refCounts[block] = this.refCount(block) + 1;
  }

  /** One reference less; without any, the block goes to the end of the free queue. */
  release(block: number): void {
    const count = this.refCount(block) - 1;
    if (count < 0) assert.fail(`block ${block} is free already`);
    this.#refCounts[block] = count;
    if (count > 0) return;
    const last = this.#previousFree[this.numBlocks] ?? NONE;
    this.#nextFree[last] = block;
    this.#previousFree[block] = last;
    this.#nextFree[block] = this.numBlocks;
    this.#previousFree[this.numBlocks] = block;
    this.#numFree++;
  }

  /** The oldest block with this hash, or NONE. */
  find(high: number, low: number): number {
    let block = this.#buckets[low & (this.#buckets.length - 1)] ?? NONE;
    while (block !== NONE) {
      if (this.#hashLow[block] === low && this.#hashHigh[block] === high) return block;
      block = this.#nextInBucket[block] ?? NONE;
    }
    return NONE;
  }

  /** Makes the content of a block that is not cached yet findable. */
  cache(block: number, high: number, low: number): void {
    this.#hashHigh[block] = high;
    this.#hashLow[block] = low;
    this.#isCached[block] = 1;
    this.#numCached++;
    this.#nextInBucket[block] = NONE;
    const bucket = low & (this.#buckets.length - 1);
    let last = this.#buckets[bucket] ?? NONE;
    if (last === NONE) {
      this.#buckets[bucket] = block;
      return;
    }
    for (let next = this.#nextInBucket[last] ?? NONE; next !== NONE;) {
      last = next;
      next = this.#nextInBucket[last] ?? NONE;
    }
    this.#nextInBucket[last] = block;
  }

  /** Forgets all content. References stay. */
  forget(): void {
    this.#buckets.fill(NONE);
    this.#isCached.fill(0);
    this.#numCached = 0;
  }

  /** The free blocks, first the one that is used again first. O(n): for tests. */
  freeBlocks(): readonly number[] {
    const blocks: number[] = [];
    for (let at = this.#nextFree[this.numBlocks] ?? NONE; at !== this.numBlocks;) {
      blocks.push(at);
      at = this.#nextFree[at] ?? NONE;
    }
    return blocks;
  }

  #unlinkFree(block: number): void {
    const next = this.#nextFree[block] ?? NONE;
    const previous = this.#previousFree[block] ?? NONE;
    this.#nextFree[previous] = next;
    this.#previousFree[next] = previous;
    this.#numFree--;
  }

  #uncache(block: number): void {
    this.#isCached[block] = 0;
    this.#numCached--;
    const bucket = (this.#hashLow[block] ?? 0) & (this.#buckets.length - 1);
    const next = this.#nextInBucket[block] ?? NONE;
    let at = this.#buckets[bucket] ?? NONE;
    if (at === block) {
      this.#buckets[bucket] = next;
      return;
    }
    while (this.#nextInBucket[at] !== block) at = this.#nextInBucket[at] ?? NONE;
    this.#nextInBucket[at] = next;
  }
}
