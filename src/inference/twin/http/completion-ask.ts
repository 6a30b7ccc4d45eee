// A body of /v1/completions or /v1/embeddings → prompts as ids, and what is asked of the twin. Pure.

import type { ModelRequest } from "../../model/model.ts";
import type { TwinAsk } from "../ask.ts";
import { badRequest } from "../refusal.ts";
import { decodeIds, encodeText } from "../text/tokenizer.ts";
import type { CompletionBody } from "./body.ts";
import {
  type Beside,
  checkLogprobCount,
  checkStream,
  listOf,
  sharedAsk,
  toConstraint,
} from "./chat-ask.ts";

/** vLLM's default of max_tokens for completions, as OpenAI's. */
const DEFAULT_MAX_TOKENS = 16;

/** A prompt as text and ids. */
export type Prompt = { readonly text: string; readonly ids: Int32Array };

/** The prompts of a body, whatever they are written as. */
export function toPrompts(given: CompletionBody["prompt"]): readonly Prompt[] {
  if (typeof given === "string") return [ofText(given)];
  if (isIds(given)) return [ofIds(given)];
  return given.map((one) => (typeof one === "string" ? ofText(one) : ofIds(one)));
}

/** The asks of a body: `n` for each prompt, in vLLM's order. @throws BosunError for what vLLM refuses in the body itself. */
export function toCompletionAsks(
  body: CompletionBody,
  prompts: readonly Prompt[],
  beside: Beside,
): TwinAsk[] {
  if (body.suffix) throw badRequest("suffix is not currently supported");
  checkStream(body);
  checkLogprobCount(body.logprobs ?? 0, beside.flags);
  const shared = sharedAsk(body, beside);
  return prompts.flatMap(({ text, ids }, place) => {
    const ask: TwinAsk = {
      ...shared,
      id: prompts.length > 1 ? `${beside.id}-${place}` : beside.id,
      request: requestOf(body.model, text, beside.id),
      promptIds: ids,
      constraint: toConstraint(body.structured_outputs, undefined),
      maxTokens: body.max_tokens ?? DEFAULT_MAX_TOKENS,
      stop: listOf(body.stop),
    };
    return Array.from({ length: body.n ?? 1 }, (_, choice) => ({ ...ask, choice }));
  });
}

/** A prompt as the one message of a conversation, for text sources. */
export function requestOf(model: string, text: string, runId: string): ModelRequest {
  return {
    models: [model],
    messages: [{ role: "user", content: text }],
    settings: {},
    hints: { runId, path: [], purpose: "work", remainingCalls: undefined },
  };
}

function isIds(given: Exclude<CompletionBody["prompt"], string>): given is readonly number[] {
  return typeof given[0] === "number";
}

function ofText(text: string): Prompt {
  return { text, ids: encodeText(text) };
}

function ofIds(given: readonly number[]): Prompt {
  const ids = Int32Array.from(given);
  return { text: decodeIds(ids), ids };
}
