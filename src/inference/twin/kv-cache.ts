// Blocks for sequences: what of a prompt is cached, whether the rest fits, who holds what.
//
// Invariants
//   K1  A sequence holds blocks for all its computed tokens, or none.
//   K2  The last token of a sequence is never a hit: the model must compute one token to say the next.
//   K3  Nothing changes when `admit` or `grow` answers false.

import { strict as assert } from "node:assert";
import { hashBlock } from "./block-hash.ts";
import { BlockPool, NONE } from "./block-pool.ts";
import type { EngineConfig } from "./engine-config.ts";
import type { Sequence } from "./sequence.ts";

/** What the cache needs of the engine's options. */
export type KvCacheConfig = Pick<
  EngineConfig,
  "numGpuBlocks" | "blockSize" | "enablePrefixCaching" | "schedulerReserveFullIsl"
>;

/** The KV cache of one engine. */
export class KvCache {
  readonly pool: BlockPool;
  readonly #config: KvCacheConfig;

  constructor(config: KvCacheConfig) {
    this.#config = config;
    this.pool = new BlockPool(config.numGpuBlocks);
  }

  /**
   * How many blocks from the first on are cached. Their ids stand in the table of the sequence, which does not hold them yet.
   * O(hits): it ends at the first block that is not there.
   */
  findHits(sequence: Sequence): number {
    if (!this.#config.enablePrefixCaching) return 0;
    const maxHits = Math.floor((sequence.numTokens - 1) / this.#config.blockSize); // K2
    const { blockHashes, blockTable } = sequence;
    let hits = 0;
    while (hits < maxHits) {
      if (hits === sequence.numHashed) this.#hashNext(sequence);
      const block = this.pool.find(blockHashes[2 * hits] ?? 0, blockHashes[2 * hits + 1] ?? 0);
      if (block === NONE) break;
      blockTable[hits++] = block;
    }
    return hits;
  }

  /** Takes the hits and blocks for tokens up to `end`, when they fit; by default when all tokens of the sequence would. */
  admit(sequence: Sequence, hits: number, end: number): boolean {
    const { blockSize, schedulerReserveFullIsl } = this.#config;
    const mustFit = schedulerReserveFullIsl ? Math.max(end, sequence.numTokens) : end;
    // A hit on a free block takes it out of the free queue, so it costs as much as a new one.
    let needed = Math.ceil(mustFit / blockSize) - hits;
    for (let at = 0; at < hits; at++)
      if (this.pool.refCount(sequence.blockTable[at] ?? 0) === 0) needed++;
    if (needed > this.pool.numFree) return false; // K3
    for (let at = 0; at < hits; at++) this.pool.touch(sequence.blockTable[at] ?? 0);
    sequence.numBlocks = hits;
    sequence.numCachedBlocks = hits;
    sequence.capacity = hits * blockSize;
    sequence.nextFullAt = (hits + 1) * blockSize;
    assert(end <= sequence.capacity || this.grow(sequence, end)); // K1
    return true;
  }

  /** Takes blocks for tokens up to `end`, which the held ones have no room for; false when there are too few. */
  grow(sequence: Sequence, end: number): boolean {
    const { blockSize } = this.#config;
    const numBlocks = Math.ceil(end / blockSize);
    if (numBlocks - sequence.numBlocks > this.pool.numFree) return false; // K3
    for (let at = sequence.numBlocks; at < numBlocks; at++)
      sequence.blockTable[at] = this.pool.allocate();
    sequence.numBlocks = numBlocks;
    sequence.capacity = numBlocks * blockSize;
    return true;
  }

  /** Caches the blocks that are full with tokens up to `end`. Like vLLM when they are scheduled: a later one in the same step hits. */
  cacheFull(sequence: Sequence, end: number): void {
    const { blockSize, enablePrefixCaching } = this.#config;
    const numFull = Math.floor(end / blockSize);
    const from = enablePrefixCaching ? sequence.numCachedBlocks : numFull;
    for (let at = from; at < numFull; at++) {
      if (at === sequence.numHashed) this.#hashNext(sequence);
      const { blockHashes, blockTable } = sequence;
      this.pool.cache(blockTable[at] ?? 0, blockHashes[2 * at] ?? 0, blockHashes[2 * at + 1] ?? 0);
    }
    sequence.numCachedBlocks = numFull;
    sequence.nextFullAt = (numFull + 1) * blockSize;
  }

  /** Lets go of all blocks, the last first: the end of a conversation is forgotten before its beginning, which others share. */
  free(sequence: Sequence): void {
    for (let at = sequence.numBlocks - 1; at >= 0; at--)
      this.pool.release(sequence.blockTable[at] ?? 0);
    sequence.numBlocks = 0;
    sequence.numCachedBlocks = 0;
    sequence.capacity = 0;
    sequence.nextFullAt = this.#config.blockSize;
  }

  #hashNext(sequence: Sequence): void {
    const { blockSize } = this.#config;
    const { blockHashes, numHashed, hashRoot, request } = sequence;
    hashBlock(blockHashes, numHashed, hashRoot, { tokens: request, blockSize });
    sequence.numHashed++;
  }
}
