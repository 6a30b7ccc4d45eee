// One attempt at one call: an exchange as ModelEvents. Whatever ends the caller's loop closes the socket (A2).

import type { BosunError } from "../../error.ts";
import { estimateUsage, withCost } from "./cost.ts";
import type { FactsSource } from "./facts.ts";
import { cancelled, type Exchange, resolveTimeouts, startExchange } from "./http.ts";
import { createMailbox, type Mailbox } from "./mailbox.ts";
import type { ModelEvent, ModelRequest, Reply } from "./model.ts";
import { receive, type Times } from "./receive.ts";
import { createReplyAssembler, type PartialReply, type ReplyAssembler } from "./reply.ts";
import { readTextCalls } from "./text-tools.ts";

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

/** Sends the request and yields what comes. @throws BosunError with what had arrived (A3). */
export async function* runAttempt(
  attempt: Attempt,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  const { source, model } = attempt;
  const { where, agent } = source;
  const { host } = source.address;
  const { exchange, assembler, mailbox, times, admitted, fail } = send(attempt);
  const onAbort = (): void => {
    exchange.close();
    fail(cancelled(where, signal.reason));
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    if (exchange.isQueued) {
      yield { type: "queued", reason: `all ${agent.maxSockets} connections to ${host} are in use` };
      await admitted; // settles with every failure too: time-outs and the signal bound it
    }
    if (!exchange.isQueued || times.connectedAt !== undefined)
      yield { type: "start", endpoint: host, model, attempt: 1 };
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

type Sending = {
  readonly exchange: Exchange;
  readonly assembler: ReplyAssembler;
  readonly mailbox: Mailbox;
  readonly times: Times;
  /** Settles when there is a connection, or none will be. */
  readonly admitted: Promise<void>;
  readonly fail: (error: BosunError) => void;
};

function send({ source, request, body }: Attempt): Sending {
  const { endpoint, clock } = source;
  const assembler = createReplyAssembler();
  const mailbox = createMailbox();
  const times: Times = { connectedAt: undefined, firstTokenAt: undefined };
  const { promise: admitted, resolve: admit } = Promise.withResolvers<void>();
  let isRefused = false;
  const fail = (error: BosunError): void => {
    const isSent = times.connectedAt !== undefined && !isRefused;
    mailbox.fail(withCost(error, { request, read: assembler.read(), isSent }));
    admit();
  };
  const exchange = startExchange(
    {
      ...source,
      method: "POST",
      path: "/chat/completions",
      body,
      timeouts:
        request.timeouts === undefined
          ? source.timeouts
          : resolveTimeouts(request.timeouts, endpoint.timeouts),
    },
    {
      onConnected() {
        times.connectedAt = clock.now();
        admit();
      },
      onFailure: fail,
      onResponse(response) {
        isRefused = response.statusCode !== 200;
        receive({ source, response, exchange, assembler, mailbox, times, fail });
      },
    },
  );
  return { exchange, assembler, mailbox, times, admitted, fail };
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
    endpoint: source.address.host,
    model: read.model ?? attempt.model,
  };
}
