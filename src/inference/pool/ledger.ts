// The token ledger of one endpoint: what its calls in flight have reserved of its KV cache, of its batch and of its prefill.
//
// Reserved is what a call will probably take: the part of its prompt that no other call in flight holds already, and its expected answer.
// It takes the answer's part token by token, so what is bounded is not the sum of what is reserved but the most that will be held at once.
//
// Invariants
//   M2  What will be held at once, as far as expected, never exceeds the bounds when a call is let in, but for one call alone at an idle
//       endpoint, which would else never go.
//   M3  A reservation is returned exactly once, and the ledger is back at zero when all are.

import { type Growing, type Pace, peakOf } from "./growth.ts";
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
  /** The prompt is computed: from now on the answer grows. @param now Clock.now() in ms. */
  firstToken(now: number): void;
  /** Returns what is left of it; the second time does nothing (M3). */
  release(): void;
}

export interface Ledger {
  bounds: Bounds;
  foreign: Foreign;
  readonly inFlight: number;
  readonly reservedTokens: number;
  readonly prefillTokens: number;
  /** Calls whose prompt is not computed yet. */
  readonly prefillCalls: number;
  /** Tokens of the KV cache that a call would add. */
  tokensOf(need: Need): number;
  /** Most tokens that what is in flight will hold at once, with a call that would come now. */
  peakTokens(pace: Pace, need?: Need): number;
  /** Whether it may go now. */
  fits(need: Need, pace: Pace): boolean;
  reserve(need: Need): Reservation;
}

export function createLedger(bounds: Bounds = NO_BOUNDS): Ledger {
  return new TokenLedger(bounds);
}

type Held = { calls: number; readonly tokens: number };

/** A call in flight, and what of it does not change. */
type Flight = Growing & {
  readonly promptTokens: number;
  readonly outputTokens: number;
  firstAt: number | undefined;
};

/** An answer that is longer than expected goes on for a part of what it has said. */
const OVERDUE_PART = 0.25;

/** Prompts that may be on their way whatever their length: one is computed, and two wait in the server's own queue. */
const LEAST_PREFILLS = 3;

class TokenLedger implements Ledger {
  bounds: Bounds;
  foreign: Foreign = { seqs: 0, tokens: 0 };
  inFlight = 0;
  reservedTokens = 0;
  prefillTokens = 0;
  prefillCalls = 0;
  /** Blocks of prompts in flight: each is in the KV cache once, however many calls hold it. */
  readonly #held = new Map<BlockHash, Held>();
  /** By what is left of them when it was last looked at. */
  readonly #flights: Flight[] = [];
  /** Tokens that the calls in flight have brought and will say; what else is reserved are prefixes whose bringer has gone. */
  #flightTokens = 0;

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

  peakTokens(pace: Pace, need?: Need): number {
    for (const flight of this.#flights) grow(flight, pace);
    const staying = Math.max(0, this.reservedTokens - this.#flightTokens);
    if (need === undefined) return staying + peakOf(this.#flights);
    const { outputTokens } = need;
    const added = { heldTokens: this.tokensOf(need) - outputTokens, leftTokens: outputTokens };
    return staying + peakOf([...this.#flights, added]);
  }

  fits(need: Need, pace: Pace): boolean {
    if (this.inFlight === 0) return true;
    const { kvTokens, maxNumSeqs, prefillTokens } = this.bounds;
    const { foreign } = this;
    if (this.inFlight + 1 + foreign.seqs > maxNumSeqs) return false;
    const isFull = this.prefillTokens + need.prefillTokens > prefillTokens;
    if (isFull && this.prefillCalls >= LEAST_PREFILLS) return false;
    if (kvTokens === Infinity) return true;
    return foreign.tokens + this.peakTokens(pace, need) <= kvTokens;
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
    this.prefillCalls += prefill > 0 ? 1 : 0;
    const flight = toFlight(tokens, need.outputTokens);
    this.#flights.push(flight);
    this.#flightTokens += tokens;
    const computed = (): void => {
      this.prefillTokens -= prefill;
      this.prefillCalls -= prefill > 0 ? 1 : 0;
      prefill = 0;
    };
    return {
      tokens,
      firstToken(now) {
        computed();
        flight.firstAt ??= now;
      },
      release: () => {
        if (!isOpen) return;
        isOpen = false;
        computed();
        this.inFlight--;
        this.reservedTokens -= ownTokens;
        this.#flightTokens -= tokens;
        this.#flights.splice(this.#flights.indexOf(flight), 1);
        this.#letGo(need.prefix);
        // Sums of fractions leave dust.
        if (this.inFlight === 0)
          [this.reservedTokens, this.prefillTokens, this.#flightTokens] = [0, 0, 0];
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

function toFlight(tokens: number, outputTokens: number): Flight {
  const promptTokens = tokens - outputTokens;
  const grown = { heldTokens: promptTokens, leftTokens: outputTokens };
  return { ...grown, promptTokens, outputTokens, firstAt: undefined };
}

/** An answer's length so far is not seen, only its time: whoever does not watch it gets no deltas. */
function grow(flight: Flight, { now, interTokenMs }: Pace): void {
  const { promptTokens, outputTokens, firstAt } = flight;
  const said = firstAt === undefined ? 0 : Math.max(0, now - firstAt) / interTokenMs;
  flight.heldTokens = promptTokens + said;
  flight.leftTokens = Math.max(outputTokens - said, said * OVERDUE_PART);
}
