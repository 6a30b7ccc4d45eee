// What a call that ended early has cost, so that it is counted. Pure.

import { BosunError, detailOf } from "../../error.ts";
import type { ModelRequest } from "./model.ts";
import type { PartialReply } from "./reply.ts";
import { estimatePrompt, estimateTokens } from "./tokens.ts";
import type { Usage } from "./usage.ts";

export type Cost = {
  readonly request: ModelRequest;
  readonly read: PartialReply;
  /** The request had a connection, and was not refused by its status. */
  readonly isSent: boolean;
};

/**
 * The error with what the call cost. A prompt that was sent is counted, for the server may have read it; a refusal, an answer
 * that is no model's and a stale socket cost nothing. Once tokens had come, a repetition would pay for them again: not
 * retryable any more.
 */
export function withCost(error: BosunError, { request, read, isSent }: Cost): BosunError {
  const { code, message, cause, retryable } = error;
  const usage = read.usage ?? estimateUsage(request, read);
  if (read.hasTokens)
    return new BosunError(code, message, {
      cause,
      details: { ...error.details, text: read.text, usage },
    });
  const isFree = !isSent || code === "model/protocol" || detailOf(error, "stale") === true;
  if (isFree) return error;
  return new BosunError(code, message, { cause, retryable, details: { ...error.details, usage } });
}

/** The usage of an answer that no server counted. */
export function estimateUsage(
  request: ModelRequest,
  { text, reasoning, calls }: Pick<PartialReply, "text" | "reasoning" | "calls">,
): Usage {
  const said = text + reasoning + calls.map((call) => call.tool + call.arguments).join("");
  return {
    input: { total: estimatePrompt(request.messages, request.tools), cached: undefined },
    output: {
      total: estimateTokens(said),
      reasoning: reasoning ? estimateTokens(reasoning) : undefined,
    },
    source: "estimated",
  };
}
