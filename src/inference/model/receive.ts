// A server's answer, from the socket into the mailbox: a stream of events, one whole reply, or a refusal.

import type http from "node:http";
import { BosunError } from "../../error.ts";
import { isObject, parseJson } from "../../json.ts";
import type { ServerSource } from "./server-read.ts";
import { redact, type Refusal, toFailure } from "./failure.ts";
import type { Exchange } from "./http.ts";
import type { Mailbox } from "./mailbox.ts";
import { type Added, MAX_REPLY, type ReplyAssembler } from "./reply.ts";
import { createSseParser } from "./sse.ts";

/** Who a response is received for. */
export interface Receiver {
  readonly source: ServerSource;
  readonly exchange: Exchange;
  readonly assembler: ReplyAssembler;
  readonly mailbox: Mailbox;
  /** Whether somebody reads the deltas now. */
  readonly isWatched: (() => boolean) | undefined;
  /** A piece of an answer has come. */
  onToken(): void;
  fail(error: BosunError): void;
}

/** Follows a response until its end; ends or fails the mailbox exactly once. */
export function receive(receiver: Receiver, response: http.IncomingMessage): void {
  const contentType = response.headers["content-type"] ?? "";
  response.setEncoding("utf8");
  if (response.statusCode === 200 && /event-stream/i.test(contentType))
    receiveStream(receiver, response);
  else receiveWhole(receiver, response, contentType);
}

function receiveStream(receiver: Receiver, response: http.IncomingMessage): void {
  const { exchange, assembler, mailbox } = receiver;
  const { where } = receiver.source;
  let isOver = false;
  let hasToken = false; // a role or a comment is no token: the wait for the first one goes on
  const refuse = (error: BosunError): void => {
    isOver = true;
    exchange.close();
    receiver.fail(error);
  };
  const conclude = (): void => {
    exchange.finish();
    if (assembler.isFinished()) mailbox.end();
    else
      receiver.fail(
        new BosunError("model/cut", `${where}: the stream ended without a finish`, {
          retryable: true,
        }),
      );
  };
  const feed = createSseParser((data) => {
    if (isOver) return;
    if (data === "[DONE]") {
      // The reply is told at the stream's own end, which comes at once: only then can the socket serve the next call.
      isOver = true;
      exchange.finish();
      return;
    }
    const chunk = parseJson(data);
    const added = assembler.add(chunk);
    if (added === "too-long") refuse(tooLong(where));
    else if (added === undefined) refuse(chunkError(receiver, data, chunk));
    else if (added.isToken) {
      hasToken = true;
      deliver(receiver, added);
    }
  });
  response.on("data", (text: string) => {
    if (isOver) return;
    hasToken = false;
    const isFed = feed(text);
    if (hasToken) receiver.onToken(); // once for all that came together, for they have one time
    if (!isFed)
      refuse(
        new BosunError("model/protocol", `${where} sent a line that is longer than any chunk`),
      );
    else if (mailbox.isFull()) {
      response.pause();
      exchange.pause();
      mailbox.onTaken(() => {
        exchange.resume();
        response.resume();
      });
    }
  });
  response.on("end", conclude);
  response.on("close", conclude); // a server that holds the connection after [DONE]: the exchange has closed it
}

function deliver({ mailbox, isWatched }: Receiver, { text, reasoning }: Added): void {
  if (isWatched?.() === false) return; // the end has the whole text: nobody is woken for a part of it
  if (reasoning !== "") mailbox.put("reasoning-delta", reasoning);
  if (text !== "") mailbox.put("text-delta", text);
}

type ErrorBody = Pick<Refusal, "status" | "contentType" | "retryAfter" | "body">;

/** An error that a server sends as a 200: the status stands in its code, if anywhere. */
function errorIn(parsed: unknown, body: string): ErrorBody | undefined {
  const error = isObject(parsed) ? parsed["error"] : undefined;
  if (error === undefined || error === null) return undefined;
  const code = isObject(error) ? error["code"] : undefined;
  const status = typeof code === "number" && code >= 400 && code <= 599 ? code : 500;
  return { status, contentType: "application/json", retryAfter: undefined, body };
}

/** A chunk that is no chat completion: the server's own error, sent inside the stream, or anything else. */
function chunkError({ source }: Receiver, data: string, chunk: unknown): BosunError {
  const { where, secrets, clock } = source;
  const refusal = errorIn(chunk, data);
  if (refusal)
    return toFailure({
      ...refusal,
      where: `${where}, while it was answering,`,
      secrets,
      now: clock.now(),
      isGateway: source.endpoint.gateway,
    });
  return new BosunError(
    "model/protocol",
    `${where} sent a chunk that is no chat completion: ${redact(data, secrets).slice(0, 200)}`,
  );
}

function receiveWhole(
  receiver: Receiver,
  response: http.IncomingMessage,
  contentType: string,
): void {
  const { source, exchange } = receiver;
  let body = "";
  response.on("data", (text: string) => {
    exchange.touch();
    body += text;
    if (body.length <= MAX_REPLY) return;
    exchange.close();
    receiver.fail(tooLong(source.where));
  });
  response.on("end", () => {
    exchange.finish();
    if (response.statusCode === 200) takeWhole(receiver, body, contentType);
    else receiver.fail(toFailure({ ...refusalOf(receiver, response, contentType), body }));
  });
}

function takeWhole(receiver: Receiver, body: string, contentType: string): void {
  const { source, assembler, mailbox } = receiver;
  const parsed = parseJson(body);
  const added = assembler.add(parsed);
  const refusal = errorIn(parsed, body);
  if (added === "too-long") receiver.fail(tooLong(source.where));
  else if (added !== undefined && assembler.isFinished()) {
    receiver.onToken();
    deliver(receiver, added);
    mailbox.end();
  } else if (refusal)
    receiver.fail(
      toFailure({
        ...refusal,
        where: source.where,
        secrets: source.secrets,
        now: source.clock.now(),
        isGateway: source.endpoint.gateway,
      }),
    );
  else {
    const message = `${source.where} answered with ${contentType || "no content type"} that is no chat completion`;
    receiver.fail(new BosunError("model/protocol", `${message}. The URL should end in /v1`));
  }
}

function tooLong(where: string): BosunError {
  return new BosunError("model/protocol", `${where}: the answer is over ${MAX_REPLY} characters`);
}

function refusalOf(
  { source }: Receiver,
  response: http.IncomingMessage,
  contentType: string,
): Omit<Parameters<typeof toFailure>[0], "body"> {
  const { where, secrets, clock } = source;
  const retryAfter = response.headers["retry-after"];
  return {
    status: response.statusCode ?? 0,
    contentType,
    retryAfter,
    where,
    secrets,
    now: clock.now(),
    isGateway: source.endpoint.gateway,
  };
}
