// One attempt at one call: an exchange as ModelEvents. Whatever ends the caller's loop closes the socket (A2).

import type http from "node:http";
import type { BosunError } from "../../error.ts";
import { estimateUsage, withCost } from "./cost.ts";
import { FALLBACK_HEADER, QUEUE_HEADER, throughGateway } from "./gateway.ts";
import { toHintHeaders } from "./hint-header.ts";
import type { ServerSource } from "./server-read.ts";
import { cancelled, type Exchange, resolveTimeouts, startExchange } from "./http.ts";
import { createMailbox, type Mailbox } from "./mailbox.ts";
import type { ModelEvent, ModelRequest, Reply } from "./model.ts";
import { receive, type Receiver } from "./receive.ts";
import { createReplyAssembler, type PartialReply, type ReplyAssembler } from "./reply.ts";
import { readTextCalls } from "./text-tools.ts";

export type AttemptOptions = {
  readonly request: ModelRequest;
  readonly model: string;
  /** Tools were described by text, so calls stand in the text. */
  readonly isTextTools: boolean;
  readonly source: ServerSource;
  readonly startedAt: number;
};

/** An attempt on its way: its events are pulled one by one, so that one generator is all between a socket and a reader. */
export interface Attempt extends Disposable {
  /** The next event, if it has come; the last is "end". @throws BosunError with what had arrived (A3), after what came before it. */
  take(): ModelEvent | undefined;
  /** Resolves when `take` may have something. It settles with every failure too: time-outs and the signal bound it. */
  changed(): Promise<void>;
}

/** Sends the request. Dispose it however its events end: that closes its socket. */
export function startAttempt(options: AttemptOptions, body: string, signal: AbortSignal): Attempt {
  return new HttpAttempt(options, body, signal);
}

class HttpAttempt implements Attempt, Receiver {
  readonly source: ServerSource;
  readonly assembler: ReplyAssembler = createReplyAssembler();
  readonly mailbox: Mailbox = createMailbox();
  readonly exchange: Exchange;
  readonly isWatched: (() => boolean) | undefined;
  readonly #options: AttemptOptions;
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;
  #connectedAt: number | undefined;
  #firstTokenAt: number | undefined;
  #isRefused = false;
  #told: "nothing" | "queued" | "start" = "nothing";

  constructor(options: AttemptOptions, body: string, signal: AbortSignal) {
    const { source, request } = options;
    this.#options = options;
    this.source = source;
    this.isWatched = request.hints.isWatched;
    const sent = { ...toScene(options), method: "POST", path: "/chat/completions" } as const;
    this.exchange = startExchange(sent, body, this);
    this.#signal = signal;
    this.#onAbort = () => {
      this.exchange.close();
      this.fail(cancelled(source.where, signal.reason));
    };
    signal.addEventListener("abort", this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  take(): ModelEvent | undefined {
    const { exchange, mailbox } = this;
    if (exchange.isQueued && this.#told === "nothing") {
      this.#told = "queued";
      const { agent, address } = this.source;
      const reason = `all ${agent.maxSockets} connections to ${address.host} are in use`;
      return { type: "queued", reason };
    }
    const mayStart = !exchange.isQueued || this.#connectedAt !== undefined;
    if (this.#told !== "start" && mayStart) {
      this.#told = "start";
      const { source, model } = this.#options;
      return { type: "start", endpoint: source.address.host, model, attempt: 1 };
    }
    const delta = mailbox.take();
    if (delta || !mailbox.isOver()) return delta;
    const times = { connectedAt: this.#connectedAt, firstTokenAt: this.#firstTokenAt };
    const reply = toReply(this.#options, this.assembler.read(), times);
    return { type: "end", ...(this.source.endpoint.gateway ? throughGateway(reply) : reply) };
  }

  changed(): Promise<void> {
    return this.mailbox.changed();
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.exchange.close();
  }

  onConnected(): void {
    this.#connectedAt = this.source.clock.now();
    this.mailbox.wake();
  }

  onFailure(error: BosunError): void {
    this.fail(error);
  }

  onResponse(response: http.IncomingMessage): void {
    this.#isRefused = response.statusCode !== 200;
    receive(this, response);
  }

  onToken(): void {
    this.exchange.touch();
    if (this.#firstTokenAt !== undefined) return;
    this.#firstTokenAt = this.source.clock.now();
    this.#options.request.onFirstToken?.();
  }

  fail(error: BosunError): void {
    const isSent = this.#connectedAt !== undefined && !this.#isRefused;
    const { request } = this.#options;
    this.mailbox.fail(withCost(error, { request, read: this.assembler.read(), isSent }));
  }
}

/** A gateway is told what the crew knows, and a call's wait in its queue is no wait for its first token. */
function toScene({ source, request, startedAt }: AttemptOptions): ServerSource {
  const { endpoint, headers } = source;
  const timeouts =
    request.timeouts === undefined
      ? source.timeouts
      : resolveTimeouts(request.timeouts, endpoint.timeouts);
  if (!endpoint.gateway) return { ...source, timeouts };
  return {
    ...source,
    timeouts: {
      ...timeouts,
      "first-token": timeouts.queue + timeouts["first-token"],
      total: timeouts.queue + timeouts.total,
    },
    headers: {
      ...headers,
      ...toHintHeaders(request.hints, startedAt),
      [QUEUE_HEADER]: String(Math.max(1, Math.round(timeouts.queue))),
      [FALLBACK_HEADER]: "false",
    },
  };
}

type Times = {
  readonly connectedAt: number | undefined;
  readonly firstTokenAt: number | undefined;
};

function toReply(attempt: AttemptOptions, read: PartialReply, times: Times): Reply {
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
