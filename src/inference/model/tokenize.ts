// Exact prompt tokens from the server's own tokenizer: vLLM's POST /tokenize, llama.cpp's POST /apply-template and /tokenize.
//
// Both stand beside /v1, not below it. A server of another kind has no such route, and is not asked.
// Sources: vllm/entrypoints/openai/protocol.py, TokenizeChatRequest; llama.cpp tools/server/README.md (both read 2026-09).

import type http from "node:http";
import { BosunError } from "../../error.ts";
import { isObject, type JsonObject, parseJson } from "../../json.ts";
import type { Dialect } from "./endpoint.ts";
import type { FactsSource } from "./facts.ts";
import { cancelled, type Exchange, startExchange } from "./http.ts";

/** A prompt as it would be sent: a body of POST /chat/completions. */
export type PromptBody = JsonObject;

/** Most characters of an answer: the ids of a prompt of half a million tokens. */
const MAX_BODY = 4 * 1024 * 1024;
const TIMEOUT_MS = 10_000;

/** The prompt's tokens, or undefined when a server of this dialect cannot tell. @throws BosunError with a `model/…` code. */
export async function tokenize(
  source: FactsSource,
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
function post(
  source: FactsSource,
  path: string,
  body: JsonObject,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const { where, address } = source;
  const timeouts = { ...source.timeouts, "first-token": TIMEOUT_MS, total: TIMEOUT_MS };
  const root = { ...address, path: address.path.replace(/\/v1$/, "") };
  const { promise, resolve, reject } = Promise.withResolvers<Readonly<Record<string, unknown>>>();
  const exchange: Exchange = startExchange(
    { ...source, method: "POST", path, address: root, timeouts },
    JSON.stringify(body),
    {
      onConnected: () => {},
      onFailure: reject,
      onResponse: (response) => {
        readObject(response, exchange, `${where}${path}`).then(resolve, reject);
      },
    },
  );
  const onAbort = (): void => {
    exchange.close();
    reject(cancelled(where, signal.reason));
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return promise.finally(() => signal.removeEventListener("abort", onAbort));
}

async function readObject(
  response: http.IncomingMessage,
  exchange: Exchange,
  where: string,
): Promise<Readonly<Record<string, unknown>>> {
  let text = "";
  response.setEncoding("utf8");
  for await (const piece of response) {
    text += String(piece);
    if (text.length > MAX_BODY) break;
  }
  const value = response.statusCode === 200 ? parseJson(text) : undefined;
  if (isObject(value)) {
    exchange.finish();
    return value;
  }
  exchange.close();
  throw new BosunError(
    "model/protocol",
    `${where} answered ${response.statusCode ?? "nothing"} and no JSON object of at most ${MAX_BODY} characters`,
  );
}
