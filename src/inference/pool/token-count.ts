// The tokens of a prompt that several models may get.

import type { ModelRef } from "../model/endpoint.ts";
import type { Model, TokenCountAsk } from "../model/model.ts";

/**
 * The most tokens that the prompt has at any of its models; undefined when one of them cannot tell.
 * @param modelOf The model of a reference. May throw, and this rejects with it.
 */
export async function countTokens(
  modelOf: (ref: ModelRef) => Model,
  ask: TokenCountAsk,
  signal: AbortSignal,
): Promise<number | undefined> {
  const counts = await Promise.all(
    ask.models.map(async (ref) => modelOf(ref).countTokens?.({ ...ask, models: [ref] }, signal)),
  );
  const known = counts.filter((count) => count !== undefined);
  return known.length === counts.length && known.length > 0 ? Math.max(...known) : undefined;
}
