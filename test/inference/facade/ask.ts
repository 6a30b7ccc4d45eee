// What the façade's tests share: an app over models, a request, and a stream's events.

import type { Hono } from "hono";
import { createVirtualClock } from "../../../src/clock.ts";
import type { Json, JsonObject } from "../../../src/json.ts";
import { createFacade, type FacadeOptions } from "../../../src/inference/facade/facade.ts";
import type { Model } from "../../../src/inference/model/model.ts";
import type { ScriptedAnswer } from "../../../src/test/scripted-model.ts";

export function createApp(
  models: Readonly<Record<string, Model>>,
  more: Partial<FacadeOptions> = {},
): { readonly request: Hono["request"] } {
  let count = 0;
  const newId = (): string => String(++count);
  return createFacade({ models, clock: createVirtualClock(), newId, ...more });
}

export const USER: Json = [{ role: "user", content: "Hello" }];

/** A POST of a body to the chat route. A text is sent as it is. */
export function chat(body: Json, more: RequestInit = {}): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...more,
  };
}

export const CHAT = "/v1/chat/completions";

/** The data of each event of a stream, parsed but for the last. */
export function eventsIn(text: string): unknown[] {
  const parts = text.split("\n\n");
  return parts.slice(0, -1).map((part) => {
    const data = part.replace(/^data: /, "");
    return data === "[DONE]" ? data : JSON.parse(data);
  });
}

/** Answers of scripted models and their usage on the wire. */
const USAGE = {
  input: { total: 10, cached: 4 },
  output: { total: 5, reasoning: 2 },
  source: "server",
} as const;
export const HELLO: ScriptedAnswer = { deltas: ["Hel", "lo"], usage: USAGE };
export const WIRE_USAGE: JsonObject = {
  prompt_tokens: 10,
  completion_tokens: 5,
  total_tokens: 15,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
};
export const CALLS: ScriptedAnswer = {
  calls: [
    { id: "call_1", tool: "search", arguments: { query: "a" } },
    { id: "call_2", tool: "search", arguments: { query: "b" } },
  ],
  usage: USAGE,
};
