// The Chat Completions client: one endpoint as a Model. One call is one attempt: repeating is pool/retry's work.
//
// Data's way: request → wire.ts (body) → http.ts (exchange) → sse.ts (lines) → reply.ts (assembly) → mailbox → the caller's loop.
// The consumer's pull is the backpressure: what it has not taken is merged, and over MAX_BUFFERED characters the socket is paused.

import type http from "node:http";
import type { Clock } from "../../clock.ts";
import { BosunError, detailOf } from "../../error.ts";
import { parseJson } from "../../json.ts";
import { type Endpoint, nameOf } from "./endpoint.ts";
import { type EndpointFacts, type FactsSource, fetchFacts, NO_FACTS } from "./facts.ts";
import { redact, toFailure } from "./failure.ts";
import { createAgent, type Env, type Exchange, resolveTimeouts, startExchange } from "./http.ts";
import { createMailbox, type Mailbox } from "./mailbox.ts";
import type { Model, ModelEvent, ModelRequest, Reply } from "./model.ts";
import { createReplyAssembler, type PartialReply, type ReplyAssembler } from "./reply.ts";
import { createSseParser } from "./sse.ts";
import { readTextCalls } from "./text-tools.ts";
import { estimatePrompt, estimateTokens } from "./tokens.ts";
import type { Usage } from "./usage.ts";
import { type Adaptations, toBody } from "./wire.ts";

/** One endpoint as a Model, with what it tells about itself. Close it to close its connections. */
export interface EndpointModel extends Model {
  /** Asked once and kept; a failed asking is repeated at the next call. */
  facts(signal: AbortSignal): Promise<EndpointFacts>;
  close(): void;
}

/** Most bytes of a refusal, and of an unstreamed answer, that are read. */
const MAX_BODY = 16 * 1024 * 1024;
/** An endpoint whose facts could not be had is not asked again for this long. */
const FACTS_RETRY_MS = 30_000;

/** @throws BosunError `config/invalid` when the variable of its key is not set. */
export function createEndpointModel(options: {
  readonly endpoint: Endpoint;
  readonly clock: Clock;
  readonly env?: Env | undefined;
}): EndpointModel {
  const { endpoint, clock, env = {} } = options;
  const secret = keyOf(endpoint, env);
  const headers = { ...(secret ? { authorization: `Bearer ${secret}` } : {}), ...endpoint.headers };
  const agent = createAgent(endpoint, env);
  const where = nameOf(endpoint);
  const source: FactsSource = { endpoint, agent, headers, clock, where, secret };
  let known: EndpointFacts | undefined;
  let adaptations: Adaptations = { textTools: false, promptSchema: false };

  let failedAt: number | undefined;
  const facts = async (signal: AbortSignal): Promise<EndpointFacts> =>
    (known ??= await fetchFacts(source, signal));
  // An endpoint that cannot tell its facts may still answer calls; one that is down says so at the call.
  const factsOrNone = async (signal: AbortSignal): Promise<EndpointFacts> => {
    if (failedAt !== undefined && clock.now() - failedAt < FACTS_RETRY_MS) return NO_FACTS;
    try {
      return await facts(signal);
    } catch (error) {
      if (signal.aborted) throw error;
      failedAt = clock.now();
      return NO_FACTS;
    }
  };
  return {
    facts,
    async contextTokens(_models, signal) {
      if (endpoint.maxModelLen !== undefined) return endpoint.maxModelLen;
      return (await factsOrNone(signal)).maxModelLen;
    },
    async *call(request, signal) {
      throwIfCancelled(signal, where);
      const { dialect = endpoint.dialect } = needsFacts(endpoint, request)
        ? await factsOrNone(signal)
        : NO_FACTS;
      const model = endpoint.model ?? onlyModel(await facts(signal), where);
      const stream = request.stream ?? endpoint.stream ?? true;
      const body = JSON.stringify(
        toBody(request, { model, dialect, endpoint, adaptations, stream }),
      );
      const attempt: Attempt = {
        request,
        model,
        where,
        textTools: adaptations.textTools && (request.tools?.length ?? 0) > 0,
        source,
        startedAt: clock.now(),
      };
      try {
        yield* run(attempt, body, signal);
      } catch (error) {
        const adapted = detailOf(error, "adapted");
        if (adapted === "text-tools") adaptations = { ...adaptations, textTools: true };
        if (adapted === "prompt-schema") adaptations = { ...adaptations, promptSchema: true };
        throw error instanceof BosunError && error.code === "model/not-found"
          ? withServedModels(error, await factsOrNone(signal), { model, where })
          : error;
      }
    },
    close: () => agent.destroy(),
  };
}

type Attempt = {
  readonly request: ModelRequest;
  readonly model: string;
  readonly where: string;
  readonly textTools: boolean;
  readonly source: FactsSource;
  readonly startedAt: number;
};

type Times = { connectedAt: number | undefined; firstTokenAt: number | undefined };

/** One exchange as events. Whatever ends the loop early closes the socket (C2). */
async function* run(
  attempt: Attempt,
  body: string,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  const { source, request, where, model } = attempt;
  const { endpoint, clock, agent, headers } = source;
  const assembler = createReplyAssembler();
  const mailbox = createMailbox();
  const times: Times = { connectedAt: undefined, firstTokenAt: undefined };
  const fail = (error: BosunError): void => mailbox.fail(withPartial(error, assembler, request));
  const timeouts = resolveTimeouts(request.timeouts, endpoint.timeouts);
  const exchange = startExchange(
    {
      agent,
      method: "POST",
      url: `${endpoint.url}/chat/completions`,
      headers,
      body,
      timeouts,
      clock,
      where,
    },
    {
      onConnected: () => (times.connectedAt = clock.now()),
      onFailure: fail,
      onResponse: (response) =>
        receive({ attempt, response, exchange, assembler, mailbox, times, fail }),
    },
  );
  const onAbort = (): void => {
    exchange.close();
    fail(cancelled(where, signal.reason));
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    yield { type: "start", endpoint: new URL(endpoint.url).host, model, attempt: 1 };
    for (;;) {
      const event = mailbox.take() ?? (await mailbox.next());
      if (event === undefined) break;
      yield event;
    }
    yield { type: "end", ...toReply(attempt, assembler.read(), times) };
  } finally {
    signal.removeEventListener("abort", onAbort);
    exchange.close();
  }
}

type Receiving = {
  readonly attempt: Attempt;
  readonly response: http.IncomingMessage;
  readonly exchange: Exchange;
  readonly assembler: ReplyAssembler;
  readonly mailbox: Mailbox;
  readonly times: Times;
  readonly fail: (error: BosunError) => void;
};

function receive(receiving: Receiving): void {
  const { response } = receiving;
  const contentType = response.headers["content-type"] ?? "";
  response.setEncoding("utf8");
  if (response.statusCode === 200 && /event-stream/i.test(contentType)) receiveStream(receiving);
  else receiveWhole(receiving, contentType);
}

function receiveStream({
  attempt,
  response,
  exchange,
  assembler,
  mailbox,
  times,
  fail,
}: Receiving): void {
  const { where, source } = attempt;
  let isDone = false;
  const finish = (): void => {
    if (isDone) return;
    isDone = true;
    exchange.finish();
    if (assembler.read().finish) mailbox.end();
    else
      fail(
        new BosunError("model/cut", `${where}: the stream ended without a finish`, {
          retryable: true,
        }),
      );
  };
  const broken = (code: "model/protocol" | "model/server", what: string): void => {
    if (isDone) return;
    isDone = true;
    exchange.close();
    fail(new BosunError(code, `${where}: ${what}`, { retryable: code === "model/server" }));
  };
  const feed = createSseParser((data) => {
    if (isDone) return;
    if (data === "[DONE]") {
      finish();
      return;
    }
    const chunk = parseJson(data);
    const added = assembler.add(chunk);
    if (added === undefined) {
      const said = redact(data.slice(0, 200), source.secret);
      if (chunk !== undefined && data.includes('"error"'))
        broken("model/server", `failed while it was answering: ${said}`);
      else broken("model/protocol", `sent a chunk that is no chat completion: ${said}`);
    } else if (added.text !== "" || added.reasoning !== "") {
      times.firstTokenAt ??= source.clock.now();
      if (added.reasoning !== "") mailbox.put("reasoning-delta", added.reasoning);
      if (added.text !== "") mailbox.put("text-delta", added.text);
    } else if (times.firstTokenAt === undefined && assembler.read().hasTokens)
      times.firstTokenAt = source.clock.now();
  });
  response.on("data", (text: string) => {
    if (!isDone) exchange.touch();
    if (!feed(text)) broken("model/protocol", "sent a line that is longer than any chunk");
    if (mailbox.isFull()) {
      response.pause();
      mailbox.onTaken(() => response.resume());
    }
  });
  response.on("end", finish);
}

function receiveWhole(
  { attempt, response, exchange, assembler, mailbox, times, fail }: Receiving,
  contentType: string,
): void {
  const { where, source } = attempt;
  let body = "";
  response.on("data", (text: string) => {
    exchange.touch();
    body += text;
    if (body.length <= MAX_BODY) return;
    exchange.close();
    fail(new BosunError("model/protocol", `${where}: the answer is over ${MAX_BODY} characters`));
  });
  response.on("end", () => {
    exchange.finish();
    const status = response.statusCode ?? 0;
    const now = source.clock.now();
    if (status !== 200) {
      const retryAfter = response.headers["retry-after"];
      fail(toFailure({ status, contentType, retryAfter, body, where, secret: source.secret, now }));
      return;
    }
    const added = assembler.add(parseJson(body));
    if (added === undefined || !assembler.read().finish) {
      fail(
        new BosunError(
          "model/protocol",
          `${where} answered with ${contentType || "no content type"} that is no chat completion. The URL should end in /v1`,
        ),
      );
      return;
    }
    times.firstTokenAt = now;
    if (added.reasoning !== "") mailbox.put("reasoning-delta", added.reasoning);
    if (added.text !== "") mailbox.put("text-delta", added.text);
    mailbox.end();
  });
}

function toReply(attempt: Attempt, read: PartialReply, times: Times): Reply {
  const { startedAt, source, request } = attempt;
  const connectedAt = times.connectedAt ?? startedAt;
  const spoken = attempt.textTools && read.calls.length === 0 ? readTextCalls(read.text) : read;
  return {
    text: spoken.text,
    reasoning: read.reasoning,
    calls: spoken.calls,
    finish:
      read.finish?.unified === "stop" && spoken.calls.length > 0
        ? { unified: "tool-calls", raw: read.finish.raw }
        : (read.finish ?? { unified: "other", raw: "" }),
    usage: read.usage ?? estimateUsage(request, read),
    timings: {
      queueMs: connectedAt - startedAt,
      firstTokenMs: times.firstTokenAt === undefined ? undefined : times.firstTokenAt - connectedAt,
      totalMs: source.clock.now() - startedAt,
      ...(read.metrics === undefined ? {} : { server: read.metrics }),
    },
    endpoint: new URL(source.endpoint.url).host,
    model: read.model ?? attempt.model,
  };
}

function estimateUsage(request: ModelRequest, { text, reasoning, calls }: PartialReply): Usage {
  const said = text + reasoning + calls.map((call) => call.tool + call.arguments).join("");
  return {
    input: { total: estimatePrompt(request.messages, request.tools), cached: undefined },
    output: {
      total: estimateTokens(said),
      reasoning: reasoning ? estimateTokens(reasoning) : undefined,
    },
    source: "estimated",
  };
}

/** C3: what had arrived travels with the error. Once tokens had come, a repetition would pay for them again: not retryable. */
function withPartial(
  error: BosunError,
  assembler: ReplyAssembler,
  request: ModelRequest,
): BosunError {
  const read = assembler.read();
  if (!read.hasTokens) return error;
  const usage = read.usage ?? estimateUsage(request, read);
  const options = { cause: error.cause, details: { ...error.details, text: read.text, usage } };
  return new BosunError(error.code, error.message, options);
}

function keyOf({ apiKeyEnv, url }: Endpoint, env: Env): string | undefined {
  if (apiKeyEnv === undefined) return undefined;
  const key = env[apiKeyEnv]?.trim();
  if (key) return key;
  throw new BosunError(
    "config/invalid",
    `the variable ${apiKeyEnv}, which holds the key of ${url}, is not set. Set it in the environment or in .env`,
  );
}

/** Facts decide how structured output and thinking are said, and nothing else in a call. */
function needsFacts(endpoint: Endpoint, request: ModelRequest): boolean {
  const isSpecial =
    request.output !== undefined ||
    request.settings.thinking !== undefined ||
    endpoint.thinking !== undefined;
  return endpoint.dialect === undefined && isSpecial;
}

function onlyModel({ models }: EndpointFacts, where: string): string {
  const [model, ...others] = models;
  if (model !== undefined && others.length === 0) return model;
  const served = models.length > 0 ? `serves ${models.slice(0, 20).join(", ")}` : "lists no models";
  throw new BosunError(
    "model/not-found",
    `${where} ${served}: name the model that you want with model: …`,
    { details: { served: models.slice(0, 20) } },
  );
}

function withServedModels(
  error: BosunError,
  { models }: EndpointFacts,
  at: { readonly model: string; readonly where: string },
): BosunError {
  if (models.length === 0) return error;
  const served = models.slice(0, 20);
  return new BosunError(
    "model/not-found",
    `${at.where} does not serve "${at.model}". It serves: ${served.join(", ")}`,
    { cause: error, details: { served } },
  );
}

function throwIfCancelled(signal: AbortSignal, where: string): void {
  if (signal.aborted) throw cancelled(where, signal.reason);
}

function cancelled(where: string, reason: unknown): BosunError {
  return new BosunError("model/cancelled", `${where}: the call was cancelled`, { cause: reason });
}
