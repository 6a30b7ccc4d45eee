// What the tests of a real provider share: a model of it before a fault server.

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { fromAiSdk } from "../../../../src/ai-sdk.ts";
import type { Timeouts } from "../../../../src/inference/model/endpoint.ts";
import type { Model } from "../../../../src/inference/model/model.ts";
import { chunk, head, type WireReply, write } from "../../../../src/test/wire-reply.ts";

/** Its key. */
export const KEY = "sk-acme-1234567890abcdef";

/** "test-model" of the provider "acme" at this URL. */
export function modelAt({ url }: { readonly url: string }, timeouts: Timeouts = {}): Model {
  const acme = createOpenAICompatible({
    name: "acme",
    baseURL: url,
    apiKey: KEY,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  return fromAiSdk(acme.chatModel("test-model"), { timeouts });
}

/** The beginning of an answer. */
export const SPEAKING: WireReply = [
  head(),
  write(chunk({ role: "assistant", content: "" })),
  write(chunk({ content: "one " })),
  write(chunk({ content: "two " })),
];
