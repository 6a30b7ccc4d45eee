// A request inside the engine: what is computed, which blocks it holds, when its tokens came.
//
// Fields are public and change in the scheduler, the cache and the engine only; others read them.

import type { BlockHashes } from "./block-hash.ts";
import type { GenerateRequest } from "./generate.ts";

/** How a generation ends. */
export type SequenceFinish = "stop" | "length" | "abort" | "error";

/** Is told when there is something new of a sequence: it started, has more tokens, ended. Must not throw. */
export interface SequenceListener {
  notify(): void;
}

/** A class, because a step touches thirty-two of them in a microsecond: one hidden shape, no closures. */
export class Sequence {
  // What every step touches comes first: two lines of the processor's cache instead of four.
  state: "waiting" | "running" | "ended" = "waiting";
  /** Prompt and generated tokens that exist. */
  numTokens = 0;
  /** Tokens whose keys and values are in the blocks, those of the step in flight included. */
  numComputed = 0;
  /** Tokens of the step in flight. */
  numScheduled = 0;
  /** Tokens that the held blocks have room for. */
  capacity = 0;
  /** Tokens at which the next block is full and can be cached. */
  nextFullAt = 0;
  numOutputs = 0;
  /** The count of outputs that is news: 1, then the last. */
  nextNewsAt = 1;
  readonly hasLora: boolean = false;
  /** The end of the step that generated each token, milliseconds. */
  readonly times: Float64Array;

  readonly request: GenerateRequest;
  readonly arrivedAtMs: number;
  /** Place in the order of arrival: breaks ties of equal times. */
  readonly order: number;
  readonly numPromptTokens: number;
  /** Tokens that it will have generated at its end. */
  readonly numOutputsWanted: number;
  /** Why it ends there. */
  readonly finishWanted: "stop" | "length";

  /** Block ids; the first `numBlocks` are held. */
  readonly blockTable: Int32Array;
  numBlocks = 0;
  /** Held blocks that are in the prefix cache, from the first on. */
  numCachedBlocks = 0;
  readonly hashRoot: Int32Array;
  readonly blockHashes: BlockHashes;
  numHashed = 0;

  numPreemptions = 0;
  /** When it was first scheduled, and how many prompt tokens were cached then. */
  startedAtMs: number | undefined = undefined;
  numCachedTokens = 0;
  finish: SequenceFinish | undefined = undefined;
  endedAtMs = 0;
  /** Who hears of it. */
  listener: SequenceListener | undefined = undefined;

  constructor(
    request: GenerateRequest,
    arrival: { readonly atMs: number; readonly order: number },
    hashRoot: Int32Array,
    { blockSize, maxModelLen }: { readonly blockSize: number; readonly maxModelLen: number },
  ) {
    this.request = request;
    this.arrivedAtMs = arrival.atMs;
    this.order = arrival.order;
    this.hashRoot = hashRoot;
    this.numPromptTokens = request.promptIds.length;
    this.numOutputsWanted = Math.min(request.outputIds.length, maxModelLen - this.numPromptTokens);
    this.finishWanted =
      this.numOutputsWanted < request.outputIds.length ? "length" : request.finish;
    this.hasLora = request.lora !== undefined;
    this.numTokens = this.numPromptTokens;
    const maxBlocks = Math.ceil((this.numPromptTokens + this.numOutputsWanted) / blockSize);
    // One piece of memory for all three: its allocation costs as much as ten steps of the sequence.
    const timesBytes = 8 * this.numOutputsWanted;
    const memory = new ArrayBuffer(timesBytes + 12 * maxBlocks);
    this.times = new Float64Array(memory, 0, this.numOutputsWanted);
    this.blockHashes = new Int32Array(memory, timesBytes, 2 * maxBlocks);
    this.blockTable = new Int32Array(memory, timesBytes + 8 * maxBlocks, maxBlocks);
    this.nextFullAt = blockSize;
  }
}

/** Negative when `a` goes first under the priority policy: the lower number, then the earlier arrival. */
export function comparePriority(a: Sequence, b: Sequence): number {
  return (
    a.request.priority - b.request.priority || a.arrivedAtMs - b.arrivedAtMs || a.order - b.order
  );
}
