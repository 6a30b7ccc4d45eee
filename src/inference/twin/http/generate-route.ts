// POST /v1/chat/completions and /v1/completions.

import type { JsonObject } from "../../../json.ts";
import { refusalOf, type TwinAsk } from "../ask.ts";
import type { Twin } from "../twin.ts";
import {
  type Chunks,
  type Client,
  type Said,
  startAnswer,
  streamAnswer,
  wholeAnswer,
} from "./answering.ts";
import { type CompletionBody, readChat, readCompletion, type TwinChatBody } from "./body.ts";
import { type Beside, toChatAsks } from "./chat-ask.ts";
import { type ChatForm, createChatChunker, createChatCollector } from "./chat-wire.ts";
import { toCompletionAsks, toPrompts } from "./completion-ask.ts";
import { createCompletionWriter } from "./completion-wire.ts";
import { besideOf, clientOf, counted, readBody, type Server } from "./context.ts";
import type { Envelope } from "./reply.ts";

/** Adds both routes. */
export function addGenerating(server: Server): void {
  const { app, twin } = server;
  app.post("/v1/chat/completions", async (c) => {
    const body = await readBody(c, server, readChat);
    const beside = besideOf(c, server, "chatcmpl");
    return counted(server, () => answerChat(twin, { body, beside, client: clientOf(c) }));
  });
  app.post("/v1/completions", async (c) => {
    const body = await readBody(c, server, readCompletion);
    const beside = besideOf(c, server, "cmpl");
    return counted(server, () => answerCompletion(twin, { body, beside, client: clientOf(c) }));
  });
}

type Asked<Body> = {
  readonly body: Body;
  readonly beside: Beside;
  readonly client: Client;
};

async function answerChat(
  twin: Twin,
  { body, beside, client }: Asked<TwinChatBody>,
): Promise<Response> {
  const asks = checked(toChatAsks(body, beside), twin);
  const promptTokens = asks[0]?.promptIds.length ?? 0;
  const form: ChatForm = {
    envelope: envelopeOf(twin, body, beside),
    flags: twin.flags,
    choices: asks.length,
    logprobs: body.logprobs ? (body.top_logprobs ?? 0) : undefined,
    includeUsage: wantsUsage(twin, body),
    continuousUsage: body.stream_options?.continuous_usage_stats ?? false,
  };
  const answering = await startAnswer(twin, asks, client);
  if (!body.stream) {
    const collector = createChatCollector(form, promptTokens);
    return wholeAnswer(answering, collector);
  }
  const chunker = createChatChunker(form);
  return streamAnswer(answering, { ...chunker, begin: () => chunker.begin(promptTokens) });
}

async function answerCompletion(
  twin: Twin,
  { body, beside, client }: Asked<CompletionBody>,
): Promise<Response> {
  const prompts = toPrompts(body.prompt);
  const asks = checked(toCompletionAsks(body, prompts, beside), twin);
  const writer = createCompletionWriter({
    envelope: envelopeOf(twin, body, beside),
    flags: twin.flags,
    prompts,
    n: body.n ?? 1,
    echo: body.echo ?? false,
    logprobs: body.logprobs ?? undefined,
    includeUsage: wantsUsage(twin, body),
  });
  const answering = await startAnswer(twin, asks, client);
  if (!body.stream) {
    const add = (place: number, event: Said): void => void writer.chunk(place, event);
    return wholeAnswer(answering, { add, completion: () => writer.completion() });
  }
  const chunks: Chunks = { ...writer, begin: (): readonly JsonObject[] => [] };
  return streamAnswer(answering, chunks);
}

/** What one choice is refused for, all are: before any of them enters the engine. */
function checked(asks: readonly TwinAsk[], { flags }: Twin): readonly TwinAsk[] {
  for (const ask of asks) {
    if (ask.fault?.type === "status") break; // a server that fails does not look at the request
    const refusal = refusalOf(ask, flags);
    if (refusal) throw refusal;
  }
  return asks;
}

function envelopeOf(
  { clock }: Twin,
  { model }: { readonly model: string },
  { id }: Beside,
): Envelope {
  return { id, created: Math.floor(clock.now() / 1_000), model };
}

function wantsUsage({ flags }: Twin, body: Pick<TwinChatBody, "stream_options">): boolean {
  return flags.enableForceIncludeUsage || (body.stream_options?.include_usage ?? false);
}
