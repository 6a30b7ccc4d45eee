// One attempt at one call: an exchange as ModelEvents. Whatever ends the caller's loop closes the socket (C2).

import { BosunError } from "../../error.ts";
import type { FactsSource } from "./facts.ts";
import { cancelled, resolveTimeouts, startExchange } from "./http.ts";
import { createMailbox } from "./mailbox.ts";
import type { ModelEvent, ModelRequest, Reply } from "./model.ts";
import { receive, type Times } from "./receive.ts";
import { createReplyAssembler, type PartialReply, type ReplyAssembler } from "./reply.ts";
import { readTextCalls } from "./text-tools.ts";
import { estimatePrompt, estimateTokens } from "./tokens.ts";
import type { Usage } from "./usage.ts";

export type Attempt = {
  readonly request: ModelRequest;
  readonly model: string;
  /** The body of the request, as JSON text. */
  readonly body: string;
  /** Tools were described by text, so calls stand in the text. */
  readonly isTextTools: boolean;
  readonly source: FactsSource;
  readonly startedAt: number;
};

/** Sends the request and yields what comes. @throws BosunError with what had arrived (C3). */
export async function* runAttempt(
  attempt: Attempt,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  const { source, request, model, body } = attempt;
  const { endpoint, clock, where } = source;
  const assembler = createReplyAssembler();
  const mailbox = createMailbox();
  const times: Times = { connectedAt: undefined, firstTokenAt: undefined };
  const fail = (error: BosunError): void => mailbox.fail(withPartial(error, assembler, request));
  const exchange = startExchange(
    {
      ...source,
      method: "POST",
      url: `${endpoint.url}/chat/completions`,
      body,
      timeouts: resolveTimeouts(request.timeouts, endpoint.timeouts),
    },
    {
      onConnected: () => (times.connectedAt = clock.now()),
      onFailure: fail,
      onResponse: (response) =>
        receive({ source, response, exchange, assembler, mailbox, times, fail }),
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

function toReply(attempt: Attempt, read: PartialReply, times: Times): Reply {
  const { startedAt, source, request } = attempt;
  const connectedAt = times.connectedAt ?? startedAt;
  const { text, calls } =
    attempt.isTextTools && read.calls.length === 0 ? readTextCalls(read.text) : read;
  const finish = read.finish ?? { unified: "other", raw: "" };
  return {
    text,
    reasoning: read.reasoning,
    calls,
    finish:
      calls.length > 0 && finish.unified === "stop" ? { ...finish, unified: "tool-calls" } : finish,
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

/** Once tokens had come, a repetition would pay for them again: not retryable any more. */
function withPartial(
  error: BosunError,
  assembler: ReplyAssembler,
  request: ModelRequest,
): BosunError {
  const read = assembler.read();
  if (!read.hasTokens) return error;
  const usage = read.usage ?? estimateUsage(request, read);
  const details = { ...error.details, text: read.text, usage };
  return new BosunError(error.code, error.message, { cause: error.cause, details });
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
