// Prefixes of prompts as chains of hashes: what two prompts have in common, a server's prefix cache computes and holds once.
//
// A block is 256 characters of what a chat template would make of the prompt, about 64 tokens. vLLM hashes 16 tokens; ours only have to tell
// equal prefixes from different ones, without a tokenizer. Two 32-bit halves: among a million blocks no collision is to be expected.

import type { ModelRequest } from "../model/model.ts";

/** The hash of a block and of all before it; equal for equal prefixes. */
export type BlockHash = number;

/** A prompt's full blocks, in order, and how many tokens each stands for. */
export type Prefix = { readonly blocks: readonly BlockHash[]; readonly tokensPerBlock: number };

export const NO_PREFIX: Prefix = { blocks: [], tokensPerBlock: 0 };

const BLOCK_CHARACTERS = 256;
/** Longer prompts share what they share within the first two million characters. */
const MAX_BLOCKS = 8_192;

/** @param promptTokens of the whole prompt, as counted or estimated. O(characters): about 1 ns for each. */
export function toPrefix(request: ModelRequest, promptTokens: number): Prefix {
  const chain = createChain(request.hints.tenant ?? "");
  for (const tool of request.tools ?? [])
    chain.add(`${tool.name}\n${tool.description}\n${schemaText(tool.parameters)}`);
  for (const message of request.messages) {
    chain.add(message.role);
    chain.add(message.content);
    if (message.role === "assistant")
      for (const call of message.calls ?? []) chain.add(call.tool + call.arguments);
  }
  const characters = Math.max(1, chain.characters());
  return { blocks: chain.blocks, tokensPerBlock: (promptTokens * BLOCK_CHARACTERS) / characters };
}

/** Schemas are the same objects in all calls of a run. */
const schemaTexts = new WeakMap<object, string>();

function schemaText(schema: object): string {
  const known = schemaTexts.get(schema);
  if (known !== undefined) return known;
  const text = JSON.stringify(schema);
  schemaTexts.set(schema, text);
  return text;
}

type Chain = {
  add(text: string): void;
  readonly blocks: readonly BlockHash[];
  characters(): number;
};

function createChain(seed: string): Chain {
  const blocks: BlockHash[] = [];
  let low = 0x811c_9dc5;
  let high = 0x0100_0193;
  let count = 0;
  const add = (text: string): void => {
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      low = Math.imul(low ^ code, 0x0100_0193);
      high = Math.imul(high ^ code, 0x85eb_ca6b) + 1;
      count++;
      if (count % BLOCK_CHARACTERS === 0 && blocks.length < MAX_BLOCKS) blocks.push(mix(low, high));
    }
  };
  add(seed);
  count = 0;
  return { add, blocks, characters: () => count };
}

/** 53 bits of both halves: a number that Map takes without a string. */
function mix(low: number, high: number): number {
  const mixed = Math.imul(high ^ (high >>> 15), 0x2c1b_3c6d);
  return (mixed >>> 11) * 4_294_967_296 + (low >>> 0);
}
