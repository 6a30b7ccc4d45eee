// Log probabilities that no model computed: made from the ids, so that the same token always has the same ones.

import type { Json, JsonObject } from "../../../json.ts";
import { fillerIds } from "../text/filler.ts";
import { decodeIds } from "../text/tokenizer.ts";

/** `logprobs.content` of chat completions: each token with `top` alternatives. */
export function chatLogprobs(ids: Int32Array, top: number): JsonObject {
  return {
    content: Array.from(ids, (id): Json => ({
      ...entry(id, logprobOf(id)),
      top_logprobs: alternativesOf(id, top).map(([other, logprob]) => entry(other, logprob)),
    })),
  };
}

/** `logprobs` of completions. Offsets count characters from `offset`. */
export function completionLogprobs(ids: Int32Array, top: number, offset: number): JsonObject {
  let at = offset;
  const tokens = Array.from(ids, (id) => decodeIds([id]));
  return {
    text_offset: tokens.map((token) => {
      const start = at;
      at += token.length;
      return start;
    }),
    token_logprobs: Array.from(ids, logprobOf),
    tokens,
    top_logprobs: Array.from(ids, (id): Json =>
      Object.fromEntries(
        alternativesOf(id, top).map(([other, logprob]) => [decodeIds([other]), logprob]),
      ),
    ),
  };
}

function entry(id: number, logprob: number): JsonObject {
  const token = decodeIds([id]);
  return { token, logprob, bytes: [...Buffer.from(token)] };
}

/** 0 to -1.6, as of a model that is rather sure. */
function logprobOf(id: number): number {
  const mixed = (Math.imul(id, 0x9e37_79b1) >>> 16) & 0xffff;
  return -Math.round((mixed / 0x1_0000) * 1_600) / 1_000;
}

/** The token itself, then others that were less likely. */
function alternativesOf(id: number, top: number): (readonly [id: number, logprob: number])[] {
  if (top === 0) return [];
  const own = logprobOf(id);
  const others = Array.from(fillerIds(top - 1, Math.abs(id) % 17), (other, place) => {
    return [other, own - 1 - place] as const;
  });
  return [[id, own], ...others];
}
