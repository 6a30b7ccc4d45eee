// OpenAI's HTTP surface over any Model: the embedded models, a twin, a crew, a pool.
//
// Only routes: the wire's shapes are in wire-request.ts, wire-reply.ts and wire-error.ts. Knows nothing of ports (listen.ts).
// Invariants
//   F1  A failure before the first token has its HTTP status; after it, it is an event of the stream, and [DONE] still comes.
//   F2  A client that leaves aborts its call at once.
//   F3  Each response, also an error, has the request's id in x-request-id.

import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import type { Clock } from "../../clock.ts";
import { BosunError } from "../../error.ts";
import { ownValue } from "../../json.ts";
import { fromHintHeaders } from "../model/hint-header.ts";
import { withAttempt, withAttempts } from "../model/gateway-attempt.ts";
import type { FailedAttempt, Model, ModelRequest, Reply } from "../model/model.ts";
import { type ChatBody, readChatBody } from "./chat-body.ts";
import { startStream, streamTexts } from "./chat-stream.ts";
import { toStream } from "./event-stream.ts";
import { type Aliases, toHopError, toHopHeaders, toPoolRequest, toReplyHeaders } from "./hop.ts";
import { readJsonBody } from "./json-body.ts";
import { toWireError, type WireError } from "./wire-error.ts";
import { toCompletion } from "./wire-reply.ts";
import { toModelRequest } from "./wire-request.ts";

type Served = Readonly<Record<string, Model>>;

/** Options of a façade. */
export type FacadeOptions = {
  /** What is served, by the name that a request gives in `model`. */
  readonly models: Served | (() => Served);
  readonly clock: Clock;
  /** What GET /version says. Default "unknown". */
  readonly version?: string | undefined;
  /** What GET /v1/models names as the owner. Default "bosun". */
  readonly ownedBy?: string | undefined;
  /** Largest body that is read. Default 1 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Makes the id of a request; it must be new each time. Default: a random UUID. */
  readonly newId?: (() => string) | undefined;
  /** Told of each failure, for a log. Must not throw. */
  readonly onError?: ((error: unknown, requestId: string) => void) | undefined;
  /** Whether GET /health says 200 and not 503. Default: always. */
  readonly isHealthy?: (() => boolean) | undefined;
  /** Of a gateway: what each name means to its pool. Then replies and errors say what a Bosun behind it needs (hop.ts). */
  readonly aliases?: (() => Aliases) | undefined;
};

/** Hono's variables of one request. */
type Env = { Variables: { requestId: string } };

const DEFAULT_MAX_BODY_BYTES = 1_048_576;

/** The app: try it with `app.request(path)`, or put it on a port with `listen`. */
export function createFacade(options: FacadeOptions): Hono<Env> {
  const newId = options.newId ?? randomUUID;
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    c.set("requestId", `chatcmpl-${newId()}`);
    await next();
    c.header("x-request-id", c.get("requestId")); // F3
  });
  // A client that has left is no failure.
  const report: Report = (error, requestId, client) => {
    if (!client.aborted) options.onError?.(error, requestId);
  };
  app.onError((error, c) => {
    report(error, c.get("requestId"), c.req.raw.signal);
    const { status, body, headers } = errorOf(options, error, c.get("requestId"));
    return c.json(body, { status: status as 500, headers }); // `as`: Hono's list of statuses lacks 499
  });
  app.notFound((c) => {
    throw new BosunError("server/not-found", `there is no ${c.req.method} ${c.req.path} here`);
  });
  app.get("/health", (c) =>
    options.isHealthy?.() === false
      ? c.json({ status: "unavailable" }, 503)
      : c.json({ status: "ok" }),
  );
  app.get("/version", (c) => c.json({ version: options.version ?? "unknown" }));
  addModels(app, options);
  addChat(app, options, report);
  return app;
}

function errorOf({ aliases }: FacadeOptions, error: unknown, requestId: string): WireError {
  return aliases ? toHopError(error, requestId) : toWireError(error, requestId);
}

function servedBy({ models }: FacadeOptions): Served {
  return typeof models === "function" ? models() : models;
}

type Report = (error: unknown, requestId: string, client: AbortSignal) => void;

function addModels(app: Hono<Env>, options: FacadeOptions): void {
  const { clock, ownedBy = "bosun" } = options;
  const created = Math.floor(clock.now() / 1_000);
  const card = async (id: string, model: Model, signal: AbortSignal): Promise<ModelCard> => {
    const tokens = await model.contextTokens([id], signal);
    const length = tokens === undefined ? {} : { max_model_len: tokens };
    return { id, object: "model", created, owned_by: ownedBy, ...length };
  };
  app.get("/v1/models", async (c) => {
    const cards = Object.entries(servedBy(options)).map(([id, model]) =>
      card(id, model, c.req.raw.signal),
    );
    return c.json({ object: "list", data: await Promise.all(cards) });
  });
  app.get("/v1/models/:id{.+}", async (c) => {
    const id = c.req.param("id");
    return c.json(await card(id, findModel(servedBy(options), id), c.req.raw.signal));
  });
}

function addChat(app: Hono<Env>, options: FacadeOptions, report: Report): void {
  const { clock, maxBodyBytes = DEFAULT_MAX_BODY_BYTES } = options;
  const isGateway = options.aliases !== undefined;
  app.post("/v1/chat/completions", async (c) => {
    const id = c.get("requestId");
    const { signal } = c.req.raw;
    const body = readChatBody(await readJsonBody(c.req.raw, maxBodyBytes));
    const model = findModel(servedBy(options), body.model);
    const request = requestOf(body, { options, id, headers: c.req.raw.headers });
    const created = Math.floor(clock.now() / 1_000);
    const envelope = { id, created, model: body.model, isGateway };
    if (!body.stream) {
      const reply = await replyOf(model, request, signal);
      return c.json(toCompletion(envelope, reply), 200, isGateway ? toReplyHeaders(reply) : {});
    }
    const stream = await startStream(model, request, { client: signal, clock });
    const texts = streamTexts(stream.events, envelope, {
      includeUsage: body.stream_options?.include_usage === true,
      onError: (error) => report(error, id, stream.signal),
      errorOf: (error) => errorOf(options, error, id),
    });
    const headers = isGateway ? { ...STREAM_HEADERS, ...toHopHeaders(stream) } : STREAM_HEADERS;
    return c.body(toStream(texts, stream.abort), 200, headers);
  });
}

type Asked = {
  readonly options: FacadeOptions;
  readonly id: string;
  readonly headers: Headers;
};

function requestOf(body: ChatBody, { options, id, headers }: Asked): ModelRequest {
  const hints = fromHintHeaders((name) => headers.get(name), options.clock.now());
  const request = toModelRequest(body, id, hints);
  const refs = options.aliases && ownValue(options.aliases(), body.model);
  return refs ? toPoolRequest(request, refs, headers) : request;
}

type ModelCard = {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: string;
  readonly max_model_len?: number;
};

const STREAM_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
  "x-accel-buffering": "no", // a proxy in front must not hold tokens back
};

function findModel(models: Readonly<Record<string, Model>>, id: string): Model {
  const model = ownValue(models, id);
  if (model) return model;
  const names = Object.keys(models).join(", ");
  throw new BosunError(
    "model/unknown",
    `The model \`${id}\` does not exist. Served here: ${names}`,
  );
}

async function replyOf(model: Model, request: ModelRequest, signal: AbortSignal): Promise<Reply> {
  let failed: readonly FailedAttempt[] = [];
  try {
    for await (const event of model.call(request, signal)) {
      if (event.type === "end") return failed.length > 0 ? { ...event, failed } : event;
      failed = withAttempt(failed, event);
    }
  } catch (error) {
    throw withAttempts(error, failed);
  }
  throw new BosunError("model/cut", "the model ended without an end");
}
