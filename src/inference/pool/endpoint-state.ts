// What the pool knows of one endpoint: what it sent there, what it learned, what the endpoint showed.
//
// Local counts are exact and at once; what the endpoint shows corrects them for what others send, and is asked only while calls flow.

import type { Clock } from "../../clock.ts";
import type { Reply } from "../model/model.ts";
import { type Calibration, createCalibration } from "./calibration.ts";
import type { Capacity } from "./capacity.ts";
import type { PoolEndpoint } from "./deployment.ts";
import { createEndpointGuard, type EndpointGuard } from "./endpoint-guard.ts";
import { type ForeignNotice, NO_FOREIGN_LOAD, noteReading } from "./foreign-load.ts";
import { type Bounds, createLedger, type Ledger } from "./ledger.ts";
import { createOvercommit, type Overcommit } from "./overcommit.ts";
import { createPrefixIndex, type PrefixIndex } from "./prefix-index.ts";
import type { Gauges, Probe } from "./probe.ts";
import { createRate, type Rate } from "./rate.ts";
import { createSpeed, type Speed } from "./speed.ts";

export interface EndpointState {
  /** Unique in its pool. */
  readonly id: string;
  readonly name: string;
  readonly ledger: Ledger;
  readonly prefixes: PrefixIndex;
  readonly rate: Rate;
  readonly speed: Speed;
  /** Of estimated prompt tokens. */
  readonly calibration: Calibration;
  readonly guard: EndpointGuard;
  /**
   * False until it was asked what it holds and has answered, or has not in time, where that is asked and not configured: until then
   * calls go there one at a time.
   */
  readonly isKnown: boolean;
  /** Newest reading; undefined before the first, and where there is none. */
  readonly gauges: Gauges | undefined;
  /** Sets what it holds, as configured; what was discovered fills the gaps. */
  configure(endpoint: PoolEndpoint): void;
  /** Asks it to show itself when the last reading is old; `onChange` when something may fit now that did not. */
  refresh(onChange: () => void): void;
  /** What a reply taught about its cache and its speed. */
  learn(reply: Reply, seen: Seen): void;
}

/** What was expected of a call that has ended. */
export type Seen = {
  readonly hitTokens: number;
  readonly promptTokens: number;
  /** Of its prompt, before any calibration. */
  readonly estimatedTokens: number;
  /** Calls in flight when it began. */
  readonly batch: number;
  readonly forget: () => void;
};

/** Unless said otherwise, short prompts of so many tokens may be on their way together: vLLM's smallest default batch. */
const PREFILL_TOKENS = 2_048;
/** What the index of prefixes counts as one block. */
const BLOCK_TOKENS = 64;
const REFRESH_MS = 500;
/** A reading that takes longer says nothing about now. */
const REFRESH_TIMEOUT_MS = 2_000;
/** What was discovered is asked again after so long: a server may have been started anew. */
const DISCOVER_MS = 300_000;
/** One that did not tell, as it was starting or had too much to do, is asked again after so long. */
const DISCOVER_AGAIN_MS = 10_000;
/** A reading that is older says nothing about what others have there: they would keep a place for ever that they have long left. */
const STALE_MS = 10_000;
/** Calls that vLLM may hold in its own queue. */
const MAX_WAITING = 2;

export type StateOptions = {
  readonly id: string;
  readonly name: string;
  readonly probe: Partial<Probe>;
  readonly clock: Clock;
  readonly onForeignLoad?: ((notice: ForeignNotice) => void) | undefined;
};

export function createEndpointState(options: StateOptions): EndpointState {
  return new ServerState(options);
}

class ServerState implements EndpointState {
  readonly id: string;
  readonly name: string;
  readonly ledger: Ledger = createLedger();
  readonly prefixes: PrefixIndex = createPrefixIndex(
    () => this.ledger.bounds.kvTokens / BLOCK_TOKENS,
  );
  readonly rate: Rate = createRate();
  readonly speed: Speed = createSpeed();
  readonly calibration: Calibration = createCalibration();
  readonly guard: EndpointGuard;
  gauges: Gauges | undefined;
  readonly #overcommit: Overcommit = createOvercommit();
  readonly #probe: Partial<Probe>;
  readonly #clock: Clock;
  readonly #onForeignLoad: StateOptions["onForeignLoad"];
  #foreignLoad = NO_FOREIGN_LOAD;
  #endpoint: PoolEndpoint | undefined;
  #discovered: Capacity = {};
  #capacity: Capacity = {};
  #isAsking = false;
  #isAsked = false;
  #askedAt = -Infinity;
  #discoverAt = -Infinity;
  #shownAt = -Infinity;

  constructor({ id, name, probe, clock, onForeignLoad }: StateOptions) {
    this.id = id;
    this.name = name;
    const capacity = (): Capacity => this.#capacity;
    this.guard = createEndpointGuard({
      get kvTokens() {
        return capacity().kvTokens;
      },
    });
    this.#probe = probe;
    this.#clock = clock;
    this.#onForeignLoad = onForeignLoad;
  }

  get isKnown(): boolean {
    return this.#isAsked || this.#probe.capacity === undefined || hasBounds(this.#capacity);
  }

  configure(endpoint: PoolEndpoint): void {
    if (endpoint === this.#endpoint) return;
    this.#endpoint = endpoint;
    this.#apply();
  }

  refresh(onChange: () => void): void {
    if (this.#isAsking || this.#isSilent()) return;
    const now = this.#clock.now();
    if (now - this.#askedAt < REFRESH_MS) return;
    this.#isAsking = true;
    this.#askedAt = now;
    this.#read()
      .catch(() => undefined) // an endpoint that does not tell is known by its answers alone
      .finally(() => {
        this.#isAsking = false;
        this.#isAsked = true;
        if (this.#clock.now() - this.#shownAt > STALE_MS) this.ledger.foreign = NO_FOREIGN;
        onChange();
      });
  }

  learn(reply: Reply, { hitTokens, promptTokens, estimatedTokens, batch, forget }: Seen): void {
    const { cached } = reply.usage.input;
    if (cached !== undefined && hitTokens > 0 && cached < hitTokens / 2) forget();
    if (reply.usage.source === "server") this.calibration.learn(estimatedTokens, promptTokens);
    this.#overcommit.onReply(this.ledger.reservedTokens >= this.ledger.bounds.kvTokens);
    this.speed.learn(reply, { computedTokens: promptTokens - (cached ?? hitTokens), batch });
  }

  #isSilent(): boolean {
    return !(this.#probe.gauges || this.#probe.capacity);
  }

  #apply(): void {
    this.#capacity = { ...this.#discovered, ...withoutUnset(this.#endpoint?.capacity ?? {}) };
    const { requestsPerMinute, tokensPerMinute } = this.#capacity;
    const scale = scaleOf(this.#capacity);
    this.#bound();
    this.rate.bound(times(requestsPerMinute, scale), times(tokensPerMinute, scale));
  }

  #bound(): void {
    this.ledger.bounds = toBounds(this.#capacity, this.#overcommit.factor);
  }

  async #read(): Promise<void> {
    const controller = new AbortController();
    using _ = this.#clock.timer(REFRESH_TIMEOUT_MS, () =>
      controller.abort(new Error("the endpoint did not show itself in time")),
    );
    await this.#discover(controller.signal);
    const { ledger } = this;
    const { inFlight: seqs, reservedTokens: tokens, prefillCalls: prefills } = ledger;
    const sent = { seqs, tokens, prefills };
    const shown = await this.#probe.gauges?.(controller.signal);
    if (shown === undefined) return;
    if (this.gauges && isRestart(this.gauges, shown)) this.prefixes.clear();
    // A queue at a provider that scales is the demand by which it scales, not a trouble.
    if ((this.#capacity.maxWorkers ?? 1) === 1) {
      this.guard.onGauges(shown, sent.seqs);
      if (this.gauges) this.#overcommit.onGauges(this.gauges, shown);
      this.#bound();
    }
    this.gauges = shown;
    this.#shownAt = this.#clock.now();
    ledger.foreign = toForeign(shown, this.#capacity, sent);
    this.#tellForeign(shown, Math.max(sent.seqs, ledger.inFlight));
  }

  /** Where a provider starts workers for everybody's calls, others are no surprise. */
  #tellForeign({ at, running, waiting = 0 }: Gauges, sent: number): void {
    const { share = 1, maxNumSeqs = Infinity, maxWorkers = 1 } = this.#capacity;
    if (running === undefined || maxWorkers > 1) return;
    const others = share === 1 ? 0 : (1 - share) * maxNumSeqs;
    const seen = { endpoint: this.name, at, running, waiting, sent, others };
    const { load, notice } = noteReading(this.#foreignLoad, seen);
    this.#foreignLoad = load;
    if (notice) this.#onForeignLoad?.(notice);
  }

  async #discover(signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    if (now < this.#discoverAt) return;
    this.#discoverAt = now + DISCOVER_AGAIN_MS; // also when it rejects
    const found = withoutUnset((await this.#probe.capacity?.(signal)) ?? {});
    if (Object.keys(found).length === 0) return; // what was known goes on
    this.#discoverAt = now + DISCOVER_MS;
    this.#discovered = found;
    this.#apply();
  }
}

const NO_FOREIGN: Ledger["foreign"] = { seqs: 0, tokens: 0 };

function withoutUnset(capacity: Capacity): Capacity {
  return Object.fromEntries(Object.entries(capacity).filter(([, value]) => value !== undefined));
}

function hasBounds({ kvTokens, maxNumSeqs }: Capacity): boolean {
  return kvTokens !== undefined || maxNumSeqs !== undefined;
}

/** This process's part of all workers that the provider may start: the provider must see the demand, or it never starts them. */
function scaleOf({ share = 1, maxWorkers = 1 }: Capacity): number {
  return share * maxWorkers;
}

function times(value: number | undefined, scale: number): number | undefined {
  return value === undefined ? undefined : value * scale;
}

/** What may be in flight at once. @param fullness by which the KV cache may be multiplied. */
export function toBounds(capacity: Capacity, fullness = 1): Bounds {
  const scale = scaleOf(capacity);
  const { kvTokens = Infinity, maxNumSeqs = Infinity } = capacity;
  const isKnown = kvTokens !== Infinity || maxNumSeqs !== Infinity;
  const { prefillTokens = isKnown ? PREFILL_TOKENS : Infinity } = capacity;
  return {
    kvTokens: kvTokens * scale * fullness,
    maxNumSeqs: Math.max(1, Math.floor(maxNumSeqs * scale)),
    prefillTokens: prefillTokens * Math.max(1, scale),
  };
}

/**
 * What others have there above the part that is theirs: what it runs beyond what was sent, and what its cache holds beyond what is
 * reserved. Where a provider spreads calls over workers, no reading is about one of them.
 */
function toForeign(
  { running = 0, waiting = 0, kvUsage = 0 }: Gauges,
  { share = 1, maxWorkers = 1, kvTokens, maxNumSeqs }: Capacity,
  sent: Ledger["foreign"] & { readonly prefills: number },
): Ledger["foreign"] {
  if (maxWorkers > 1) return { seqs: 0, tokens: 0 };
  // Its own queue is longer than it should be by what others sent: nothing more is sent before it is short again.
  if (waiting - sent.prefills > MAX_WAITING) return { seqs: Infinity, tokens: Infinity };
  const seqs = Math.max(0, running + waiting - sent.seqs);
  if (seqs === 0) return { seqs: 0, tokens: 0 };
  const theirs = 1 - share;
  const tokens = kvTokens === undefined ? 0 : kvUsage * kvTokens - sent.tokens - theirs * kvTokens;
  return {
    seqs: maxNumSeqs === undefined ? 0 : Math.max(0, seqs - theirs * maxNumSeqs),
    tokens: Math.max(0, tokens),
  };
}

/** Counters that went back. */
function isRestart(before: Gauges, now: Gauges): boolean {
  return (now.prefixQueries ?? 0) < (before.prefixQueries ?? 0);
}
