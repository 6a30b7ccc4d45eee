// vLLM's HTTP surface over a twin.
//
// Only routes: bodies are in body.ts, asks in chat-ask.ts and completion-ask.ts, the wire in chat-wire.ts and completion-wire.ts,
// the way of an answer in answering.ts. Knows nothing of ports (facade/listen.ts).
// Invariants: H1, H2 of answering.ts;
//   H3  Each response says in x-bosun-twin that it is simulated; a body is exactly vLLM's.

import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import { Hono } from "hono";
import type { Twin } from "../twin.ts";
import { addAdmin } from "./admin-route.ts";
import { type Env, FAULT_HEADER, type Server } from "./context.ts";
import { addGenerating } from "./generate-route.ts";
import { addRunpod } from "./runpod-route.ts";
import { addTokens } from "./token-route.ts";
import { toVllmError, vllmError, type VllmError } from "./vllm-error.ts";

/** Options of the server. */
export type TwinServerOptions = {
  /** Largest body that is read. Default 16 MiB: a prompt of a million tokens is 4 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Makes the id of a request without X-Request-Id; it must be new each time. Default: random. */
  readonly newId?: (() => string) | undefined;
  /** Told of each failure, for a log. Must not throw. */
  readonly onError?: ((error: unknown, requestId: string) => void) | undefined;
};

const DEFAULT_MAX_BODY_BYTES = 16 * 1_048_576;
const MAX_ID = 256;

/** The app: try it with `app.request(path)`, or put it on a port with `listen`. */
export function createTwinServer(twin: Twin, options: TwinServerOptions = {}): Hono<Env> {
  const { maxBodyBytes = DEFAULT_MAX_BODY_BYTES, newId = randomId, onError } = options;
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    c.set("requestId", c.req.header("x-request-id")?.slice(0, MAX_ID) || newId());
    await next();
    c.header("x-bosun-twin", "simulated"); // H3
    const fault = c.get("fault");
    if (fault !== undefined) c.header(FAULT_HEADER, fault);
  });
  app.use(async (c, next) => {
    if (isAllowed(c.req.path, c.req.header("authorization"), twin.flags.apiKey)) return next();
    return c.json({ error: "Unauthorized" }, 401);
  });
  app.onError((error, c) => {
    if (!c.req.raw.signal.aborted) onError?.(error, c.get("requestId"));
    return respond(toVllmError(error));
  });
  const server: Server = { app, twin, maxBodyBytes, load: { count: 0 } };
  addAdmin(server);
  addGenerating(server);
  addTokens(server);
  addRunpod(server);
  const methods = new Map(app.routes.map(({ path, method }) => [path, method]));
  app.notFound((c) => {
    const isKnown = methods.has(c.req.path);
    return respond(isKnown ? WRONG_METHOD : NOT_FOUND);
  });
  return app;
}

const NOT_FOUND = vllmError(404, "Not Found", "Not Found");
const WRONG_METHOD = vllmError(405, "Method Not Allowed", "Method Not Allowed");

function respond({ status, body, headers }: VllmError): Response {
  return Response.json(body, { status, headers });
}

function randomId(): string {
  return randomUUID().replaceAll("-", "");
}

/** As in vLLM a key guards /v1, /v2 and /inference, nothing else. */
function isAllowed(path: string, header: string | undefined, keys: readonly string[]): boolean {
  if (keys.length === 0 || !/^\/(v1|v2|inference)(\/|$)/.test(path)) return true;
  const given = digest(/^Bearer +(.+)$/i.exec(header ?? "")?.[1] ?? "");
  return keys.some((key) => timingSafeEqual(given, digest(key)));
}

/** Of equal length, so that keys are compared in constant time. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
