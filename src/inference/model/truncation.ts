// Whether a server read the whole prompt. Pure.
//
// Ollama drops what is over the context that it allocated, the oldest messages first, and answers as if nothing had happened.
// What it counts then is at most its context. Our own count is an estimate (tokens.ts), at worst some 40 % over what a tokenizer finds
// in plain English, so a small difference says nothing.

import { BosunError } from "../../error.ts";
import type { ModelRequest, Reply } from "./model.ts";
import { estimatePrompt } from "./tokens.ts";

/** Below this part of our estimate a server's count is far fewer than was sent. */
const FAR_FEWER = 0.6;

/** Contexts that are allocated without being told are multiples of this. */
const CONTEXT_STEP = 1_024;

/** What was sent and what was counted, where they are far apart; undefined where they are not, or nobody counted. */
export type Shortfall = { readonly sentTokens: number; readonly countedTokens: number };

/** Compares a reply's prompt tokens with our own count. */
export function findShortfall(request: ModelRequest, { usage }: Reply): Shortfall | undefined {
  const countedTokens = usage.input.total;
  if (usage.source !== "server" || countedTokens <= 0) return undefined;
  const sentTokens = estimatePrompt(request.messages, request.tools);
  return countedTokens < sentTokens * FAR_FEWER ? { sentTokens, countedTokens } : undefined;
}

/**
 * Whether a shortfall means that the prompt was cut: it is longer than the context, or, where nobody knows the context, the count
 * is exactly as long as a context would be.
 */
export function isTruncated(
  { sentTokens, countedTokens }: Shortfall,
  contextTokens: number | undefined,
): boolean {
  return contextTokens === undefined
    ? countedTokens % CONTEXT_STEP === 0
    : sentTokens > contextTokens && countedTokens <= contextTokens;
}

/** The error of an answer to a part of the prompt. A3: it carries what had arrived. */
export function truncated(
  where: string,
  { sentTokens, countedTokens }: Shortfall,
  told: { readonly contextTokens: number | undefined; readonly reply: Reply },
): BosunError {
  const { contextTokens, reply } = told;
  const context = contextTokens === undefined ? "unknown" : String(contextTokens);
  return new BosunError(
    "model/truncated",
    `${where} read ${countedTokens} tokens of a prompt of about ${sentTokens}: it cut the rest in silence (its context: ${context}). ` +
      "Give it a longer context (OLLAMA_CONTEXT_LENGTH, or num_ctx in a Modelfile), or say maxModelLen so that prompts are fitted before they are sent",
    {
      details: {
        sentTokens,
        countedTokens,
        contextTokens,
        text: reply.text,
        usage: reply.usage,
      },
    },
  );
}
