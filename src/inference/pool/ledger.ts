// The token ledger of one endpoint: what its calls in flight have reserved of its KV cache, of its batch and of its prefill.
//
// Reserved is what a call will probably take: the part of its prompt that no other call in flight holds already, and its expected answer.
//
// Invariants
//   M2  What is reserved never exceeds the bounds, but for one call alone at an idle endpoint, which would else never go.
//   M3  A reservation is returned exactly once, and the ledger is back at zero when all are.

import type { BlockHash, Prefix } from "./prefix.ts";

/** What a call will take. */
export type Need = {
  readonly prefix: Prefix;
  readonly promptTokens: number;
  /** Tokens of the answer, as expected. */
  readonly outputTokens: number;
  /** Tokens that the endpoint has still to compute before it answers; 0 when nobody will see its first token. */
  readonly prefillTokens: number;
};

/** Bounds of what is in flight at once. Infinity = none. */
export type Bounds = {
  readonly kvTokens: number;
  readonly maxNumSeqs: number;
  readonly prefillTokens: number;
};

export const NO_BOUNDS: Bounds = {
  kvTokens: Infinity,
  maxNumSeqs: Infinity,
  prefillTokens: Infinity,
};

/** What others have in flight at the endpoint, as far as it can be seen. */
export type Foreign = { readonly seqs: number; readonly tokens: number };

export interface Reservation {
  /** Tokens of the KV cache. */
  readonly tokens: number;
  /** The prompt is computed. */
  firstToken(): void;
  /** Returns what is left of it; the second time does nothing (M3). */
  release(): void;
}

export interface Ledger {
  bounds: Bounds;
  foreign: Foreign;
  readonly inFlight: number;
  readonly reservedTokens: number;
  readonly prefillTokens: number;
  /** Tokens of the KV cache that a call would add. */
  tokensOf(need: Need): number;
  /** Whether it may go now. */
  fits(need: Need): boolean;
  reserve(need: Need): Reservation;
}

export function createLedger(bounds: Bounds = NO_BOUNDS): Ledger {
  return new TokenLedger(bounds);
}

type Held = { calls: number; readonly tokens: number };

class TokenLedger implements Ledger {
  bounds: Bounds;
  foreign: Foreign = { seqs: 0, tokens: 0 };
  inFlight = 0;
  reservedTokens = 0;
  prefillTokens = 0;
  /** Blocks of prompts in flight: each is in the KV cache once, however many calls hold it. */
  readonly #held = new Map<BlockHash, Held>();

  constructor(bounds: Bounds) {
    this.bounds = bounds;
  }

  tokensOf({ prefix, promptTokens, outputTokens }: Need): number {
    let shared = 0;
    for (const block of prefix.blocks) {
      const held = this.#held.get(block);
      if (held === undefined) break; // a chain: without this block none after it is held
      shared += held.tokens;
    }
    return Math.max(0, promptTokens - shared) + outputTokens;
  }

  fits(need: Need): boolean {
    if (this.inFlight === 0) return true;
    const { kvTokens, maxNumSeqs, prefillTokens } = this.bounds;
    const { foreign } = this;
    if (this.inFlight + 1 + foreign.seqs > maxNumSeqs) return false;
    if (this.prefillTokens > 0 && this.prefillTokens + need.prefillTokens > prefillTokens)
      return false;
    if (kvTokens === Infinity) return true;
    return this.reservedTokens + foreign.tokens + this.tokensOf(need) <= kvTokens;
  }

  reserve(need: Need): Reservation {
    const tokens = this.tokensOf(need);
    this.#hold(need.prefix);
    // The shared blocks are counted where they are held; the rest with the call.
    const own = need.promptTokens - need.prefix.blocks.length * need.prefix.tokensPerBlock;
    const ownTokens = Math.max(0, own) + need.outputTokens;
    let prefill = need.prefillTokens;
    let isOpen = true;
    this.inFlight++;
    this.reservedTokens += ownTokens;
    this.prefillTokens += prefill;
    const firstToken = (): void => {
      this.prefillTokens -= prefill;
      prefill = 0;
    };
    return {
      tokens,
      firstToken,
      release: () => {
        if (!isOpen) return;
        isOpen = false;
        firstToken();
        this.inFlight--;
        this.reservedTokens -= ownTokens;
        this.#letGo(need.prefix);
        // Sums of fractions leave dust.
        if (this.inFlight === 0) [this.reservedTokens, this.prefillTokens] = [0, 0];
      },
    };
  }

  #hold({ blocks, tokensPerBlock }: Prefix): void {
    for (const block of blocks) {
      const held = this.#held.get(block);
      if (held) held.calls++;
      else {
        this.#held.set(block, { calls: 1, tokens: tokensPerBlock });
        this.reservedTokens += tokensPerBlock;
      }
    }
  }

  #letGo({ blocks }: Prefix): void {
    for (const block of blocks) {
      const held = this.#held.get(block);
      if (held === undefined) continue;
      held.calls--;
      if (held.calls > 0) continue;
      this.#held.delete(block);
      this.reservedTokens -= held.tokens;
    }
  }
}
