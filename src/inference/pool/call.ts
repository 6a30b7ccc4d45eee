// Call: one attempt of a request at a lane, with what its admission, its place and its turn depend on.

import { thinkingTokens } from "../model/endpoint.ts";
import type { ModelRequest } from "../model/model.ts";
import { estimatePrompt } from "../model/tokens.ts";
import type { ExpectedOutput } from "./expected-output.ts";
import type { Lane } from "./lane.ts";
import type { Turn } from "./order.ts";
import { NO_PREFIX, type Prefix, toPrefix } from "./prefix.ts";
import type { RunWaits } from "./run-wait.ts";

export type Call = {
  /** As it is now: the fleet may change while a call waits. */
  readonly lane: Lane;
  readonly turn: Turn;
  /** As the server will count them, as far as its replies have taught. */
  readonly promptTokens: number;
  readonly estimatedTokens: number;
  readonly outputTokens: number;
  readonly prefix: Prefix;
  /** Whether its first token will be seen, so that its prefill can be told from its decode. */
  readonly isStreamed: boolean;
  readonly session: string;
  /** Name of the endpoint where it has just failed: another one is tried first. */
  readonly avoid: string | undefined;
};

export type CallOptions = {
  /** @throws when what it names is no more. */
  readonly findLane: () => Lane;
  readonly expected: ExpectedOutput;
  readonly waits: RunWaits;
  readonly place: number;
  readonly now: number;
  readonly avoid: string | undefined;
};

/** Where an answer's length is not bounded by anyone. */
const UNBOUNDED_TOKENS = 4_096;
/** Calls that a run makes from here on, where nobody can know: tools and managers decide as they go. */
const TYPICAL_CALLS = 4;

/** @param options.place order of arrival. */
export function toCall(request: ModelRequest, options: CallOptions): Call {
  const { findLane, expected, waits, place, now, avoid } = options;
  const lane = findLane();
  const { hints } = request;
  const outputTokens = expected.tokens(hints, maxTokensOf(request, lane));
  // Counting and hashing a prompt costs 100 µs for 32 kB: only where anything depends on it.
  const isCounted = lane.sites.length > 1 || isBounded(lane);
  const estimatedTokens = isCounted ? estimatePrompt(request.messages, request.tools) : 0;
  // One model, one tokenizer: what any of its endpoints taught holds for all.
  const promptTokens = lane.sites[0].state.calibration.tokens(estimatedTokens);
  const remainingCalls = 1 + (hints.remainingCalls ?? TYPICAL_CALLS - 1);
  const turn: Turn = {
    place,
    arrivedAt: now,
    waitedMs: waits.of(hints.runId),
    tenant: hints.tenant ?? "",
    priority: hints.priority ?? 0,
    deadlineAt: hints.deadlineAt,
    remainingCalls,
    remainingTokens:
      promptTokens +
      outputTokens +
      (hints.remainingTokens ?? (remainingCalls - 1) * (promptTokens + outputTokens)),
  };
  const prefix = isCounted ? toPrefix(request, promptTokens) : NO_PREFIX;
  const told = { turn, promptTokens, estimatedTokens, outputTokens, prefix, avoid };
  const isStreamed = request.stream !== false;
  return new LaneCall({ ...told, isStreamed, session: hints.runId }, lane, findLane);
}

/** A class, as its lane is a getter: each literal with one costs V8 0.7 kB of dictionary. */
class LaneCall implements Call {
  readonly turn: Turn;
  readonly promptTokens: number;
  readonly estimatedTokens: number;
  readonly outputTokens: number;
  readonly prefix: Prefix;
  readonly isStreamed: boolean;
  readonly session: string;
  readonly avoid: string | undefined;
  readonly #findLane: () => Lane;
  #lane: Lane;

  constructor(told: Omit<Call, "lane">, lane: Lane, findLane: () => Lane) {
    this.turn = told.turn;
    this.promptTokens = told.promptTokens;
    this.estimatedTokens = told.estimatedTokens;
    this.outputTokens = told.outputTokens;
    this.prefix = told.prefix;
    this.isStreamed = told.isStreamed;
    this.session = told.session;
    this.avoid = told.avoid;
    this.#lane = lane;
    this.#findLane = findLane;
  }

  get lane(): Lane {
    try {
      this.#lane = this.#findLane();
    } catch {
      // An alias that is no more: who waits for it already keeps what it was.
    }
    return this.#lane;
  }
}

function isBounded({ sites }: Lane): boolean {
  return sites.some(
    ({ endpoint: { capacity }, state: { ledger, isKnown } }) =>
      !isKnown ||
      ledger.bounds.kvTokens !== Infinity ||
      ledger.bounds.maxNumSeqs !== Infinity ||
      capacity.tokensPerMinute !== undefined,
  );
}

function maxTokensOf({ settings, defaults = {} }: ModelRequest, { deployment }: Lane): number {
  const own = deployment.settings ?? {};
  const maxTokens = settings.maxTokens ?? own.maxTokens ?? defaults.maxTokens ?? UNBOUNDED_TOKENS;
  return maxTokens + thinkingTokens(settings.thinking ?? own.thinking);
}
