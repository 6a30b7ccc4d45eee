// What the client's contract tests share: an endpoint model before a fault server, and calls whose outcome is a value.

import { onTestFinished } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { BosunError } from "../../../src/error.ts";
import { createEndpointModel, type EndpointModel } from "../../../src/inference/model/client.ts";
import { type Endpoint, endpoint } from "../../../src/inference/model/endpoint.ts";
import type { Message, ToolSpec } from "../../../src/inference/model/message.ts";
import type { Model, ModelEvent, ModelRequest, Reply } from "../../../src/inference/model/model.ts";
import {
  type FaultServer,
  type FaultServerOptions,
  startFaultServer,
} from "../../../src/test/fault-server.ts";
import type { WireReply } from "../../../src/test/wire-reply.ts";

/** A signal that never aborts. */
export const NEVER: AbortSignal = new AbortController().signal;

/** Fields of an endpoint without its URL, which a server gives. */
export type EndpointOptions = Partial<Omit<Endpoint, "type">>;

type Env = Readonly<Record<string, string | undefined>>;

/** What a test works with. */
export type Bench = { readonly server: FaultServer; readonly model: EndpointModel };

/** A server with these replies and a client for its "test-model", both closed after the test. */
export async function bench(
  replies: NonNullable<FaultServerOptions["replies"]>,
  options: EndpointOptions = {},
  server: Omit<FaultServerOptions, "replies"> = {},
): Promise<Bench> {
  const started = await startFaultServer({ replies, ...server });
  onTestFinished(() => started.close());
  return { server: started, model: modelAt(started.url, options) };
}

/** A client for one reply; the usual case. */
export function benchOf(reply: WireReply, options: EndpointOptions = {}): Promise<Bench> {
  return bench([reply], options);
}

/** A client for this URL, closed after the test. Asks for "test-model" of a vLLM unless told otherwise. */
export function modelAt(url: string, options: EndpointOptions = {}, env: Env = {}): EndpointModel {
  const spec = endpoint({ model: "test-model", dialect: "vllm", ...options, url });
  const model = createEndpointModel({ endpoint: spec, clock: systemClock, env });
  onTestFinished(() => model.close());
  return model;
}

/** One user message, unless told otherwise. */
export function ask(patch: Partial<ModelRequest> = {}): ModelRequest {
  return {
    models: ["test"],
    messages: [{ role: "user", content: "Say hello" }],
    settings: {},
    hints: {
      runId: "run-1",
      path: ["task:hello", "turn:1"],
      purpose: "work",
      remainingCalls: undefined,
    },
    ...patch,
  };
}

/** A tool as a model sees it. */
export const SEARCH: ToolSpec = {
  name: "search_docs",
  description: "Searches the documentation",
  parameters: {
    type: "object",
    properties: { query: { type: "string" } },
    required: ["query"],
  },
};

/** A conversation with a call and its result. */
export const CONVERSATION: readonly Message[] = [
  { role: "system", content: "You are terse." },
  { role: "user", content: "What is a block?" },
  {
    role: "assistant",
    content: "",
    calls: [{ id: "call_1", tool: "search_docs", arguments: '{"query":"block"}' }],
  },
  { role: "tool", content: "16 tokens of KV cache", callId: "call_1", tool: "search_docs" },
];

/** All events of a call. Rejects with the call's error. */
export function eventsOf(
  model: Model,
  request: ModelRequest = ask(),
  signal: AbortSignal = NEVER,
): Promise<ModelEvent[]> {
  return Array.fromAsync(model.call(request, signal));
}

/** The reply that a call ends with. */
export async function replyOf(model: Model, request: ModelRequest = ask()): Promise<Reply> {
  const last = (await eventsOf(model, request)).at(-1);
  if (last?.type !== "end") throw new Error(`the call ended with ${last?.type ?? "nothing"}`);
  return last;
}

/** The error that a call throws. */
export async function errorOf(
  model: Model,
  request: ModelRequest = ask(),
  signal: AbortSignal = NEVER,
): Promise<BosunError> {
  try {
    await eventsOf(model, request, signal);
  } catch (error) {
    if (error instanceof BosunError) return error;
    throw error;
  }
  throw new Error("the call ended well");
}

/** The texts of the deltas of one kind, in order. */
export function deltasOf(
  events: readonly ModelEvent[],
  type: "text-delta" | "reasoning-delta" = "text-delta",
): string[] {
  return events.flatMap((event) => (event.type === type ? [event.text] : []));
}
