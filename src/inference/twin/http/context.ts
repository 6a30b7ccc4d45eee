// What each route of the twin's server has of its request.

import type { Context, Hono } from "hono";
import { readJsonBody } from "../../facade/json-body.ts";
import { faultText } from "../fault.ts";
import { refused } from "../refusal.ts";
import type { Twin } from "../twin.ts";
import type { Client } from "./answering.ts";
import type { Reader } from "./body.ts";
import type { Beside } from "./chat-ask.ts";

/** Hono's variables of one request. */
export type Env = {
  /** What the port gives; nothing without one. */
  Bindings: { outgoing?: { destroy(): void } };
  Variables: {
    requestId: string;
    /** The fault that befell it, as text. */
    fault: string | undefined;
  };
};

/** What the routes are added to. */
export type Server = {
  readonly app: Hono<Env>;
  readonly twin: Twin;
  /** Largest body that is read. */
  readonly maxBodyBytes: number;
  /** Generating requests that are open. */
  readonly load: { count: number };
};

/** Says which fault befell a request, in words that can be sent as a request's header to see it again. */
export const FAULT_HEADER = "x-bosun-fault";

/** The checked body. @throws BosunError as vLLM refuses: 415 for another content type, 400 for what is no JSON or has another shape. */
export async function readBody<Body>(
  c: Context<Env>,
  { maxBodyBytes }: Server,
  read: Reader<Body>,
): Promise<Body> {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json")
    throw refused({
      code: "model/bad-request",
      status: 415,
      type: "Unsupported Media Type",
      message: "Unsupported Media Type: Only 'application/json' is allowed",
    });
  return read(await readJsonBody(c.req.raw, maxBodyBytes));
}

/** What stands beside a body that generates. Draws the request's fault. */
export function besideOf(c: Context<Env>, { twin }: Server, prefix: string): Beside {
  const fault = twin.faults.next(c.req.header(FAULT_HEADER));
  if (fault) c.set("fault", faultText(fault));
  return {
    id: `${prefix}-${c.get("requestId")}`,
    flags: twin.flags,
    fault,
    priority: c.req.header("x-vllm-priority"),
  };
}

/** Who asks, as far as an answer must know. */
export function clientOf({ req, env }: Context<Env>): Client {
  // Hono's types do not know that an app that is called without a port has no bindings at all.
  const outgoing = (env as Env["Bindings"] | undefined)?.outgoing; // `as`: see above
  return { signal: req.raw.signal, breakConnection: outgoing && (() => outgoing.destroy()) };
}

/** The work's response, counted as load from its beginning until it has been sent or has broken, where the flag says so. */
export async function counted(
  { twin, load }: Server,
  work: () => Promise<Response>,
): Promise<Response> {
  if (!twin.flags.enableServerLoadTracking) return work();
  load.count++;
  try {
    return trackLoad(load, await work());
  } finally {
    load.count--;
  }
}

function trackLoad(load: Server["load"], response: Response): Response {
  if (!response.body) return response;
  load.count++;
  let isOpen = true;
  const close = (): void => {
    if (isOpen) load.count--;
    isOpen = false;
  };
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) controller.enqueue(value);
          else {
            close();
            controller.close();
          }
        } catch (error) {
          close();
          controller.error(error); // the stream's failure is the connection's
        }
      },
      async cancel(reason) {
        close();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, response);
}
