// The Model port: one call to a model, as a stream of events. Endpoints, the pool, the embedded models and the twin are Models.
//
// Invariants
//   A1  A call ends with exactly one "end" event or by throwing a BosunError, never in silence.
//   A2  Leaving the loop or aborting the signal closes the upstream connection at once.
//   A3  A thrown error carries what had arrived: details.text and details.usage.

import type { Json } from "../../json.ts";
import type { ModelRef, ModelSettings, Timeouts } from "./endpoint.ts";
import type { Message, OutputSpec, ToolCall, ToolChoice, ToolSpec } from "./message.ts";
import type { TokenPrice } from "./price.ts";
import type { Usage } from "./usage.ts";

/** Where in a run something happens: ["task:write", "turn:2", "tool:0"]. It is the step's key too. */
export type Path = readonly string[];

/**
 * Why a call is made: for a task's answer (`work`; `final` when no iteration is left, `repair` to mend what does not fit a schema),
 * by a manager (`manage`), to judge an answer (`guardrail`), to plan before the first task (`plan`), to shorten what is too long for a prompt (`summary`).
 */
export type Purpose = "work" | "final" | "repair" | "manage" | "guardrail" | "plan" | "summary";

/** What only the orchestrator knows about a call. A Model may ignore all of it. */
export type ModelHints = {
  readonly runId: string;
  readonly path: Path;
  readonly purpose: Purpose;
  /** Calls of the same run that are still to come; undefined where nobody can know. */
  readonly remainingCalls: number | undefined;
  /** Tokens of those calls, prompts and answers together, as expected; undefined where nobody can know. */
  readonly remainingTokens?: number | undefined;
  /** Who makes the call and for what: what is learned about answers is learned for both together. */
  readonly agent?: string | undefined;
  readonly task?: string | undefined;
  /** Tokens of the answer as expected; undefined = what was learned. */
  readonly expectedTokens?: number | undefined;
  /** Whom the run is for: tenants share endpoints by their weights. */
  readonly tenant?: string | undefined;
  /** Lower goes first, as in vLLM. Default 0. */
  readonly priority?: number | undefined;
  /** When the run must have ended, Clock.now() in ms. */
  readonly deadlineAt?: number | undefined;
  /** false: the answer is neither taken from a response cache nor kept in one. Default true, where there is one. */
  readonly cache?: boolean | undefined;
  /** Whether somebody reads the deltas now. While it says false they may be left out, as "end" has all of them. Default: always. */
  readonly isWatched?: (() => boolean) | undefined;
};

/** One call. `models` are tried in order: fallbacks travel with the call, so it is one step, whatever answers. */
export type ModelRequest = {
  readonly models: readonly [ModelRef, ...ModelRef[]];
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolSpec[] | undefined;
  readonly toolChoice?: ToolChoice | undefined;
  readonly output?: OutputSpec | undefined;
  /** Wins over the endpoint's own settings, field by field. */
  readonly settings: ModelSettings;
  /** Holds where neither `settings` nor the endpoint says anything. */
  readonly defaults?: ModelSettings | undefined;
  readonly timeouts?: Timeouts | undefined;
  /** false asks for one reply instead of a stream: for batches, where nobody watches. Default true. */
  readonly stream?: boolean | undefined;
  /** Called when the first token is there, also when nobody reads deltas; not for a reply that comes whole. Must not throw. */
  readonly onFirstToken?: (() => void) | undefined;
  readonly hints: ModelHints;
};

/** Why an answer ended: one word for all servers, and the server's own. */
export type Finish = {
  readonly unified: "stop" | "length" | "tool-calls" | "content-filter" | "other";
  readonly raw: string;
};

/** Milliseconds of one call, by layer. `server` = vLLM's per-request metrics, as sent. */
export type CallTimings = {
  /** Until a connection was there. */
  readonly queueMs: number;
  /** From the request to the first token; undefined when none came. */
  readonly firstTokenMs: number | undefined;
  readonly totalMs: number;
  readonly server?: Json | undefined;
};

/** An attempt that came to nothing, and what it used. */
export type FailedAttempt = { readonly code: string; readonly usage: Usage };

/** A finished answer. */
export type Reply = {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly ToolCall[];
  readonly finish: Finish;
  readonly usage: Usage;
  readonly timings: CallTimings;
  /** Who answered. */
  readonly endpoint: string;
  readonly model: string;
  /** true: an earlier equal call did the work; its usage is zero. */
  readonly cached?: boolean | undefined;
  /** Attempts that a gateway made before, where they used anything. Not in `usage`; no other event tells of them. */
  readonly failed?: readonly FailedAttempt[] | undefined;
};

/** What happens during a call, in order. */
export type ModelEvent =
  /** No connection was free: the call waits, and "start" follows when it has one. It never starts when it fails before that. */
  | { readonly type: "queued"; readonly reason: string }
  | {
      readonly type: "start";
      readonly endpoint: string;
      readonly model: string;
      readonly attempt: number;
    }
  | {
      readonly type: "retry";
      readonly attempt: number;
      readonly afterMs: number;
      readonly code: string;
      readonly message: string;
      readonly usage: Usage | undefined;
    }
  | {
      readonly type: "fallback";
      readonly from: string;
      readonly to: string;
      readonly code: string;
      readonly usage: Usage | undefined;
    }
  | { readonly type: "text-delta"; readonly text: string }
  | { readonly type: "reasoning-delta"; readonly text: string }
  | ({ readonly type: "end" } & Reply);

/** A prompt to be counted: what a call of these models would send. */
export type TokenCountAsk = {
  readonly models: readonly ModelRef[];
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolSpec[] | undefined;
};

/** Models that calls come to soon. */
export type CallWish = {
  readonly models: readonly ModelRef[];
  /** What the calls wait for, by a name that is the same in every run: how long it takes is learned. Undefined = they come now. */
  readonly after?: string | undefined;
  /** Aborts when no call comes any more, or what they waited for is over. */
  readonly signal: AbortSignal;
};

/** Anything that answers. */
export interface Model {
  /** US dollars per million tokens. Unset = the cost of its calls is unknown. */
  readonly usdPerMillionTokens?: TokenPrice | undefined;
  /** @throws BosunError with a `model/…` code; see A1 to A3. */
  call(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
  /** Smallest context in tokens that the call may meet; undefined when nobody knows. Never rejects for an endpoint that is down. */
  contextTokens(models: readonly ModelRef[], signal: AbortSignal): Promise<number | undefined>;
  /**
   * Exact tokens of a prompt, by the tokenizers of its models: the most of them; undefined when one of them cannot tell. May reject.
   * Absent for a model that never can.
   */
  countTokens?(ask: TokenCountAsk, signal: AbortSignal): Promise<number | undefined>;
  /** Says that calls come soon, so that who sleeps may wake and stay awake until then. Returns at once; never throws. */
  prewarm?(wish: CallWish): void;
}
