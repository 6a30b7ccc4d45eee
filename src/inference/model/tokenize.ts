// Exact prompt tokens from the server's own tokenizer: vLLM's POST /tokenize, llama.cpp's POST /apply-template and /tokenize.
//
// Both stand beside /v1, not below it. A server of another kind has no such route, and is not asked.
// Sources: vllm/entrypoints/openai/protocol.py, TokenizeChatRequest; llama.cpp tools/server/README.md (both read 2026-09).

import { BosunError } from "../../error.ts";
import { isObject, type JsonObject, parseJson } from "../../json.ts";
import type { Dialect } from "./endpoint.ts";
import { askServer, type ServerSource } from "./server-read.ts";

/** A prompt as it would be sent: a body of POST /chat/completions. */
export type PromptBody = JsonObject;

/** The prompt's tokens, or undefined when a server of this dialect cannot tell. @throws BosunError with a `model/…` code. */
export async function tokenize(
  source: ServerSource,
  dialect: Dialect | undefined,
  body: PromptBody,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { model, messages, tools } = body;
  switch (dialect) {
    case "vllm": {
      const asked = { model, messages, tools, add_generation_prompt: true };
      return readCount(await post(source, "/tokenize", asked, signal), "count");
    }
    case "llama.cpp": {
      const { prompt } = await post(source, "/apply-template", { messages, tools }, signal);
      if (typeof prompt !== "string") return undefined;
      const asked = { content: prompt, add_special: true, parse_special: true };
      return readCount(await post(source, "/tokenize", asked, signal), "tokens");
    }
    default:
      return undefined;
  }
}

function readCount(answer: Readonly<Record<string, unknown>>, field: string): number | undefined {
  const value = answer[field];
  if (Array.isArray(value)) return value.length;
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
}

/** The JSON object that a route beside /v1 answers. @throws BosunError. */
async function post(
  source: ServerSource,
  path: string,
  asked: JsonObject,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const question = { method: "POST", path, base: "root", body: JSON.stringify(asked) } as const;
  const { status, body } = await askServer(source, question, signal);
  const value = status === 200 ? parseJson(body) : undefined;
  if (isObject(value)) return value;
  throw new BosunError(
    "model/protocol",
    `${source.where}${path} answered ${status} and no JSON object`,
  );
}
