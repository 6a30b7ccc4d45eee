// What an endpoint's prefix cache probably holds: the blocks of the prompts that were sent to it, the longest unused forgotten first.
//
// A guess from one side: others use the endpoint too, and it evicts as it likes. Replies that tell their cached tokens correct it.

import type { BlockHash, Prefix } from "./prefix.ts";

export interface PrefixIndex {
  /** Tokens at a prompt's start that the endpoint probably has. O(blocks). */
  hitTokens(prefix: Prefix): number;
  /** Sent there: it has all of it from now on. */
  add(prefix: Prefix): void;
  /** It did not have it. */
  remove(prefix: Prefix): void;
  /** Nothing is left: it was started anew. */
  clear(): void;
}

/** As many as llm-d's router keeps for a server: two million tokens. */
const MAX_BLOCKS = 31_250;

/** @param maxBlocks what the cache can hold, where that is known. */
export function createPrefixIndex(maxBlocks: () => number = () => MAX_BLOCKS): PrefixIndex {
  /** In the order of last use. */
  const held = new Map<BlockHash, true>();
  return {
    hitTokens({ blocks, tokensPerBlock }) {
      let count = 0;
      while (count < blocks.length && held.has(blocks[count] ?? 0)) count++;
      return count * tokensPerBlock;
    },
    add({ blocks }) {
      // From the last to the first, as vLLM frees them: the head of a prefix, which most share, stays longest.
      for (let at = blocks.length - 1; at >= 0; at--) {
        const block = blocks[at] ?? 0;
        held.delete(block);
        held.set(block, true);
      }
      const most = Math.min(MAX_BLOCKS, maxBlocks());
      for (const block of held.keys()) {
        if (held.size <= most) break;
        held.delete(block);
      }
    },
    remove({ blocks }) {
      for (const block of blocks) held.delete(block);
    },
    clear: () => held.clear(),
  };
}
