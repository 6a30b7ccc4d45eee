// Whether memory is flat: of blocks of equal work, by the least heap of each part, so that one block's luck decides nothing.

import type { Block } from "./soak.ts";

/** What the heap did. */
export type Growth = { readonly note: string; readonly wrong: readonly string[] };

/** Blocks that warm up: compiled code, caches that fill to their bound. */
const WARM_UP = 3;
/** Below it a slope says nothing. */
const LEAST_BLOCKS = 8;
/** Kilobytes for each run. One run's events alone are some hundred. */
const MOST_KB_PER_RUN = 2;
/** Ended runs that the last block's stack frames and caches may still hold. */
const MOST_ALIVE_SHARE = 0.1;

/** The growth over all blocks but the first. */
export function growthOf(blocks: readonly Block[]): Growth {
  const wrong: string[] = [];
  for (const [at, { alive, runs }] of blocks.entries())
    if (alive > Math.max(2, runs * MOST_ALIVE_SHARE))
      wrong.push(`block ${at}: ${alive} of ${runs} ended runs are still in memory`);
  const warm = blocks.slice(WARM_UP);
  if (warm.length < LEAST_BLOCKS - WARM_UP)
    return { note: "Too few blocks to say how memory grows.", wrong };
  const own = growth(warm, ({ left }) => left.heapMb);
  const twin = growth(warm, (block) => block.twin.heapMb);
  if (own.kbPerRun > MOST_KB_PER_RUN)
    wrong.push(`the heap grows by ${own.kbPerRun.toFixed(2)} KB a run`);
  if (twin.kbPerRun > MOST_KB_PER_RUN)
    wrong.push(`the twins' heap grows by ${twin.kbPerRun.toFixed(2)} KB a run`);
  const note = `Heap after collection: ${own.text}; of the twins' process: ${twin.text}. ${WARM_UP} blocks before are not counted.`;
  return { note, wrong };
}

/** From the first half of the blocks to the second, by the least of each. */
function growth(
  blocks: readonly Block[],
  mbOf: (block: Block) => number,
): { readonly kbPerRun: number; readonly text: string } {
  const half = Math.floor(blocks.length / 2);
  const least = (part: readonly Block[]): number => Math.min(...part.map(mbOf));
  const [first, second] = [least(blocks.slice(0, half)), least(blocks.slice(half))];
  const runs = blocks.slice(half).reduce((sum, block) => sum + block.runs, 0);
  const kbPerRun = ((second - first) * 1_024) / runs;
  const text = `${first.toFixed(1)} MB in the first half, ${second.toFixed(1)} MB in the second, ${kbPerRun.toFixed(2)} KB a run`;
  return { kbPerRun, text };
}
